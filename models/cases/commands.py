"""What officials ask for, as it comes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.base.clock import utc_text
from models.cases.entities import Action, Receiver

PARTS_MAX = 5
"""Into how many more cases one can be split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """An official's command. ``version`` is the one he saw; a note needs none.

    ``into`` is the case that goes on for a merged one, ``into_version`` the version of it that was
    seen; ``categories`` are those of the parts of a split case. ``receiver`` takes a case over and
    knows it as ``external_ref``. ``category`` is the one it should have had, ``until`` the day that
    ends a deferral.
    """

    client_request_id: str
    action: Action
    version: int | None = None
    reason: str | None = None
    text: str | None = None
    officer: str | None = None
    photos: tuple[str, ...] = ()
    into: str | None = None
    into_version: int | None = None
    categories: tuple[str, ...] = ()
    receiver: Receiver | None = None
    external_ref: str | None = None
    category: str | None = None
    until: datetime | None = None

    def content(self, case_id: str) -> Mapping[str, Any]:
        """All but the request's id. What was not given is left out, so that a request sent before
        a field was known is still the same request."""
        optional = {
            "into": self.into,
            "into_version": self.into_version,
            "categories": list(self.categories),
            "receiver": self.receiver,
            "external_ref": self.external_ref,
            "category": self.category,
            "until": utc_text(self.until) if self.until else None,
        }
        return {
            "case": case_id,
            "action": self.action.value,
            "version": self.version,
            "reason": self.reason,
            "text": self.text,
            "officer": self.officer,
            "photos": list(self.photos),
            **{name: value for name, value in optional.items() if value},
        }
