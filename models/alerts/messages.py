"""The catalogue: every WeChat message we send, with fields that fit by construction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from models.alerts import rules
from models.alerts.entities import Template
from models.base.clock import CHINA

Fields = Mapping[str, str]

FIELDS: Mapping[Template, tuple[str, ...]] = {
    Template.OFFICER_ALERT: ("thing1", "thing2", "time3", "character_string4"),
    Template.ESCALATION: ("thing1", "thing2", "time3", "character_string4", "phrase5"),
    Template.RIDER_PROGRESS: ("thing1", "phrase2", "thing3", "character_string4"),
    Template.DIGEST: ("number1", "thing2", "time3", "thing4"),
}
"""Our own key of each field; the part before the number is its type at WeChat."""

_ROBOT_SAYS: Mapping[Template, str] = {
    Template.OFFICER_ALERT: "有新事项待接单",
    Template.ESCALATION: "有事项需督办",
    Template.DIGEST: "有待办汇总",
    Template.RIDER_PROGRESS: "有进展",
}


def officer_alert(
    *, what: str, where: str, due_at: datetime, number: str
) -> tuple[Template, Fields]:
    """A case waits for an officer: 事项, 地点, 时限, 编号."""
    return Template.OFFICER_ALERT, {
        "thing1": rules.thing(what),
        "thing2": rules.thing(where),
        "time3": rules.time(due_at, CHINA),
        "character_string4": rules.character_string(number),
    }


def escalation(
    *, what: str, where: str, due_at: datetime, number: str, status: str
) -> tuple[Template, Fields]:
    """A case goes stale: 事项, 地点, 时限, 编号, 状态."""
    return Template.ESCALATION, {
        "thing1": rules.thing(what),
        "thing2": rules.thing(where),
        "time3": rules.time(due_at, CHINA),
        "character_string4": rules.character_string(number),
        "phrase5": rules.phrase(status),
    }


def rider_progress(*, what: str, status: str, note: str, number: str) -> tuple[Template, Fields]:
    """A rider's report moves on: 事项, 状态, 说明, 编号."""
    return Template.RIDER_PROGRESS, {
        "thing1": rules.thing(what),
        "phrase2": rules.phrase(status),
        "thing3": rules.thing(note),
        "character_string4": rules.character_string(number),
    }


def digest(*, count: int, most_urgent: str, due_at: datetime) -> tuple[Template, Fields]:
    """Several things wait for an officer: 件数, 最急一件, 时限, 去处."""
    return Template.DIGEST, {
        "number1": str(count),
        "thing2": rules.thing(most_urgent),
        "time3": rules.time(due_at, CHINA),
        "thing4": rules.thing("小程序“消息”里看全部"),
    }


def robot_text(template: Template, fields: Fields, post: str) -> str:
    """What a group reads: whose post is asked, and of which case or how many; nothing else.

    >>> robot_text(Template.OFFICER_ALERT, {"character_string4": "XY-0042"}, "羊山街道一网格")
    '【羊山街道一网格】有新事项待接单，编号 XY-0042。请打开小程序查看'
    """
    number = fields.get("character_string4")
    count = fields.get("number1")
    about = f"，编号 {number}" if number else f"，共 {count} 件" if count else ""
    return f"【{rules.thing(post)}】{_ROBOT_SAYS[template]}{about}。请打开小程序查看"
