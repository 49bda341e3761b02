"""A stored case, as the judgement of duplicates wants to have it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from models.cases import rules
from models.cases.entities import Status
from models.cases.sightings import candidate_of, fixed_at, hashes_of, spot_of
from models.cases.tables import CaseRow, UploadRow

NOON, LATER = datetime(2026, 3, 18, 4, tzinfo=UTC), datetime(2026, 3, 18, 5, tzinfo=UTC)


def a_row(**values: Any) -> CaseRow:
    values = {"lon": 114.08, "lat": 32.12, "status": "assigned", "category": "E0110", **values}
    return CaseRow("case_1", created_at=NOON, **values)


def test_all_sightings_together_say_where_it_is() -> None:
    spot = spot_of(a_row(accuracy_m=30, spot={"lon": 114.1, "lat": 32.1, "accuracy_m": 8.5}))

    assert (spot.position.lon, spot.position.lat, spot.accuracy_m) == (114.1, 32.1, 8.5)


@pytest.mark.parametrize(("stored", "accuracy_m"), [(30, 30), (None, rules.USUAL_ACCURACY_M)])
def test_one_sighting_is_as_good_as_its_phone_and_an_old_index_row_as_any(
    stored: int | None, accuracy_m: float
) -> None:
    row = a_row() if stored is None else a_row(accuracy_m=stored)

    assert spot_of(row).accuracy_m == accuracy_m


@pytest.mark.parametrize(
    ("status", "times", "since"),
    [
        (Status.ASSIGNED, {}, None),
        (Status.RESOLVED, {"resolved_at": NOON}, NOON),
        (Status.CLOSED, {"resolved_at": NOON, "closed_at": LATER}, NOON),
        (Status.CLOSED, {"closed_at": LATER}, LATER),
        (Status.DISPUTED, {"resolved_at": NOON}, None),
    ],
)
def test_a_thing_is_fixed_from_its_repair_on_unless_that_is_disputed(
    status: Status, times: dict[str, datetime], since: datetime | None
) -> None:
    row = a_row(status=status.value, **times)

    assert fixed_at(row) == since
    assert candidate_of(row, "waste").fixed_at == since


def test_photos_without_a_hash_say_nothing() -> None:
    uploads = [UploadRow("up_1", dhash="0f"), UploadRow("up_2")]

    assert hashes_of(uploads) == (15,)
