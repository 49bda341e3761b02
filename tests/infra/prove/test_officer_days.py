"""The proof of the officer-days finds nothing where nothing is wrong, and what is planted."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from handlers import wiring
from handlers.events import escalation
from infra.prove import officer_days
from infra.prove.fake.service import Fake, attached
from infra.prove.officers import city
from infra.prove.officers.checks import Judge
from infra.prove.officers.city import City, Happened
from infra.prove.officers.wechat import Ring
from models.alerts import rules
from models.base.clock import CHINA
from models.base.store import get
from models.cases.tables import CaseRow

CALM, STORMY = 10, 20260319
Change = Callable[[Happened, Fake], None]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The many warnings of a stormy run are nobody's to read; the wiring is put back."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
    wiring.use_services(None)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three grids for two days."""
    monkeypatch.setattr(city, "GRIDS", 3)
    monkeypatch.setattr(city, "DAYS", 2)


def kinds(lines: Iterator[str]) -> set[str]:
    return {line.partition(":")[0] for line in lines}


@pytest.mark.usefixtures("small")
def test_nothing_is_found_where_nothing_is_wrong() -> None:
    judged = list(officer_days.judge([CALM, STORMY]))

    assert [one.violations for one in judged] == [(), ()]
    assert all(one.days > 5 and one.messages > 5 for one in judged)


@pytest.fixture(scope="module")
def ended() -> Iterator[tuple[Happened, Fake]]:
    """A run that has ended well."""
    before = city.GRIDS, city.DAYS
    city.GRIDS, city.DAYS = 3, 2
    wired = city.services()
    with attached(Fake()) as fake:
        happened = City(CALM, wired, fake).run()
        yield happened, fake
    city.GRIDS, city.DAYS = before
    wiring.use_services(None)


def _plain(happened: Happened, fake: Fake) -> Ring:
    """A message without urgency, in the middle of a day."""
    judging = Judge(happened, fake)
    return next(
        ring
        for ring in happened.rings
        if not judging._is_urgent(ring) and ring.at.astimezone(CHINA).hour < 20
    )


def _at(ring: Ring, at: time) -> datetime:
    return datetime.combine(ring.at.astimezone(CHINA).date(), at, tzinfo=CHINA)


def ring_at_night(happened: Happened, fake: Fake) -> None:
    ring = _plain(happened, fake)
    happened.rings.append(replace(ring, key="other", at=_at(ring, time(22)), known=False))


def ring_too_soon(happened: Happened, fake: Fake) -> None:
    ring = _plain(happened, fake)
    soon = ring.at + timedelta(minutes=14)
    happened.rings.append(replace(ring, key="other", at=soon))


def ring_six_times(happened: Happened, fake: Fake) -> None:
    ring = _plain(happened, fake)
    happened.rings += [
        replace(ring, key=f"more-{number}", at=_at(ring, time(8 + 2 * number)))
        for number in range(6)
    ]


def ring_again(happened: Happened, fake: Fake) -> None:
    ring = happened.rings[0]
    happened.rings.append(replace(ring, at=ring.at + timedelta(hours=2)))


def forget_a_step(happened: Happened, fake: Fake) -> None:
    case_id = _filed(fake, "A")
    events = fake.database.tables["case-events"].rows
    for key in [key for key in events if key[0] == case_id]:
        del events[key]


def tell_nobody(happened: Happened, fake: Fake) -> None:
    case_id = _filed(fake, "A")
    inbox = fake.database.tables["inbox"].rows
    for row in inbox.values():
        if row.get("case_id", {}).get("S") == case_id:
            row.pop("delivered_by", None)


def leave_in_the_outbox(happened: Happened, fake: Fake) -> None:
    row = {"topic": {"S": "case.step"}, "created_at": {"S": "2026-01-01T00:00:00.000Z"}}
    fake.database.tables["outbox"].rows["left", ""] = row


def say_it_twice(happened: Happened, fake: Fake) -> None:
    inbox = fake.database.tables["inbox"].rows
    (member_id, message_id), row = next(
        (key, row)
        for key, row in inbox.items()
        if "case_id" in row and key[0] in happened.officials
    )
    other = {**row, "message_id": {"S": message_id + "X"}}
    inbox[member_id, message_id + "X"] = other


def escalate_what_was_withheld(happened: Happened, fake: Fake) -> None:
    case_id = _filed(fake, "C")
    happened.rings[:] = [replace(ring, at=ring.at + timedelta(days=20)) for ring in happened.rings]
    created = fake.database.tables["cases"].rows[case_id, ""]["created_at"]
    event = {"case_id": {"S": case_id}, "at": created, "action": {"S": "unclaimed"}}
    fake.database.tables["case-events"].rows[case_id, "s0#unclaimed"] = event


def ring_a_day_late(happened: Happened, fake: Fake) -> None:
    happened.rings[:] = [replace(ring, at=ring.at + timedelta(days=1)) for ring in happened.rings]


def _filed(fake: Fake, severity: str) -> Any:
    cases = fake.database.tables["cases"].rows
    return next(key[0] for key, row in cases.items() if row["severity"]["S"] == severity)


@pytest.mark.parametrize(
    ("plant", "kind"),
    [
        (ring_at_night, "quiet"),
        (ring_too_soon, "apart"),
        (ring_six_times, "budget"),
        (ring_again, "twice"),
        (say_it_twice, "twice"),
        (forget_a_step, "grave"),
        (tell_nobody, "grave"),
        (tell_nobody, "lost"),
        (leave_in_the_outbox, "lost"),
        (escalate_what_was_withheld, "withheld"),
        (ring_a_day_late, "late"),
    ],
)
def test_every_kind_of_violation_is_found(
    ended: tuple[Happened, Fake], plant: Change, kind: str
) -> None:
    happened, fake = copy.deepcopy(ended[0]), copy.deepcopy(ended[1])
    assert kinds(Judge(happened, fake).violations()) == set()

    plant(happened, fake)

    assert kind in kinds(Judge(happened, fake).violations())


@pytest.mark.usefixtures("small")
def test_a_desk_without_a_budget_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "decide", lambda now, day, due_at: now)

    found = kinds(line for one in officer_days.judge([STORMY]) for line in one.violations)

    assert {"apart", "quiet"} <= found


@pytest.mark.usefixtures("small")
def test_a_schedule_that_skips_grave_cases_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    real = escalation.catch_up

    def skipping(case_id: str, now: datetime) -> int:
        case = get(CaseRow, case_id)
        return 0 if case is None or case.severity == "A" else real(case_id, now)

    monkeypatch.setattr(escalation, "catch_up", skipping)
    monkeypatch.setattr(City, "_claims", lambda *_: None)

    # A grave case must have been left alone for longer than its officers' grace.
    found = kinds(line for one in officer_days.judge([CALM, STORMY]) for line in one.violations)

    assert "grave" in found
