"""A notice as it is kept in a row, whole, so that it can be told later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.alerts.entities import Notice, Template, Text
from models.base.clock import parse_utc, utc_text

_PLAIN = ("notice_id", "kind", "page", "case_id")


def written(notice: Notice) -> dict[str, Any]:
    """All of a notice but its member and county, which have columns of their own."""
    return {
        "template": notice.template.value,
        "fields": dict(notice.fields),
        "title": {"zh": notice.title.zh, "en": notice.title.en},
        "body": {"zh": notice.body.zh, "en": notice.body.en},
        "at": utc_text(notice.at),
        **{name: getattr(notice, name) for name in _PLAIN},
    }


def read(member_id: str, county: str, kept: Mapping[str, Any]) -> Notice:
    """The notice that was written."""
    return Notice(
        member_id=member_id,
        county=county,
        template=Template(kept["template"]),
        fields=kept["fields"],
        at=parse_utc(kept["at"]),
        title=Text(**kept["title"]),
        body=Text(**kept["body"]),
        **{name: kept[name] for name in _PLAIN},
    )
