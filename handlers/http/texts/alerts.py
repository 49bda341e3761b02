"""What the inbox says."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "message.not_found": ("没有找到这条消息", "No such message"),
    "alert.being_told": ("这条消息正在发送", "The message is being sent now"),
    "alert.outcome_early": ("这条消息的结果稍后处理", "Its outcome is taken in later"),
    "alert.no_answer": ("微信暂时没有回应，稍后再发", "WeChat gives no answer, sending later"),
}
