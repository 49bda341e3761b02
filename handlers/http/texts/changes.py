"""What is said about what changed: code → (Chinese, English)."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "changes.cursor_too_old": (
        "太久没有同步，请重新加载列表",
        "Not synchronised for too long; load the lists again",
    ),
    "changes.roles_changed": (
        "您的岗位有变动，请重新加载列表",
        "Your posts have changed; load the lists again",
    ),
    "changes.inbox.told": ("新消息", "A new message"),
    "changes.inbox.read": ("已读", "Read"),
    "changes.redemption.allot": ("排队轮到了", "It is your turn"),
}
