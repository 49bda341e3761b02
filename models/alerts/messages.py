"""The catalogue: every WeChat message we send, with fields that fit by construction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from models.alerts import rules
from models.alerts.entities import Template
from models.base.clock import CHINA

Fields = Mapping[str, str]


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
