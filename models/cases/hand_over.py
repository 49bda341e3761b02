"""The file that goes with a case that is handed over: all that who fixes it needs, nobody's name.

It can be made at any time, before the case goes too. Reporters are counted, never told apart; of
their words it has what WeChat let pass, of photos the published ones. Officials' notes stay here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.base.clock import Clock, utc_text
from models.cases import routed
from models.cases.entities import Action
from models.cases.reading import Reading
from models.people.entities import Actor

_AS_SHOWN = (
    "number",
    "category",
    "category_version",
    "level",
    "status",
    "place",
    "grid_name",
    "object_id",
    "lon",
    "lat",
    "accuracy_m",
    "created_at",
    "claimed_at",
    "due_at",
    "reporter_count",
    "receiver",
    "external_ref",
    "accepted_at",
)


class HandOver:
    """Makes hand-over files."""

    def __init__(self, *, clock: Clock, reading: Reading) -> None:
        self._clock = clock
        self._reading = reading

    def file(self, actor: Actor, case_id: str) -> Mapping[str, Any]:
        """A case's file for an official in scope; ``lon, lat`` are GCJ-02 degrees.

        Photos are addresses; ``photos_withheld`` counts those that nobody outside may see yet.
        Raises ``NotFound("case.not_found")``. Costs what reading the case costs.
        """
        shown = self._reading.case(actor, case_id)
        photos, after = _addresses(shown["photos"]), _addresses(shown["after_photos"])
        return {
            "made_at": utc_text(self._clock.now()),
            **{name: shown[name] for name in _AS_SHOWN},
            "routing": routed.for_outsiders(shown["routing"]) if shown["routing"] else None,
            "datum": "GCJ-02",
            "texts": [one["text"] for one in shown["reporters"] if one["text"] is not None],
            "photos": photos,
            "after_photos": after,
            "photos_withheld": len(shown["photos"]) - len(photos),
            "history": [event for event in shown["history"] if event["action"] != Action.NOTE],
        }


def _addresses(photos: list[Mapping[str, Any]]) -> list[str]:
    return [photo["url"] for photo in photos if photo["checked"] and photo["url"] is not None]
