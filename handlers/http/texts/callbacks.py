"""Texts of the refusals of WeChat's pushes: read in logs and by whoever sets the address up."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "callback.forged": ("签名不符", "The signature does not match"),
    "callback.stale": ("推送时间超出允许范围", "The push is too old or from the future"),
    "callback.not_encrypted": ("请使用安全模式推送", "Pushes must use the safe mode"),
    "callback.not_for_us": ("推送不属于本账号", "The push is not for this account"),
    "callback.unreadable": ("推送内容无法解析", "The push cannot be read"),
}
