"""What must hold of the officials' phones and of grave cases, judged from the outside.

The phones' own record is the witness, with the tables as they stand at the end. The limits are
written down here once more: nothing is asked of the rules that are being judged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from infra.prove.fake.service import Fake
from infra.prove.officers.city import Happened
from infra.prove.officers.wechat import Ring
from models.base.clock import CHINA, parse_utc

MOST_A_DAY = 5
APART = timedelta(minutes=15)
WAKES, SLEEPS = time(7), time(22)
DIGESTS = (time(8, 35), time(14, 35), time(17, 30))
GRAVE_CLAIM = timedelta(minutes=15)
RUNGS = (("unclaimed", 1, {"grid_lead"}), ("unclaimed_community", 2, {"community"}),
         ("unclaimed_duty", 4, {"district", "duty"}))  # fmt: skip
"""The steps of a case that nobody claims: after how many claim limits, and whom they tell."""
GRACE = timedelta(minutes=10)
"""For a schedule that comes within the minute, and for runs that died."""
RUN = timedelta(minutes=2)
"""Within this a schedule comes after what it has to do; only then is an alert decided on."""
TELLS = frozenset({"case.submitted", "case.assigned", "case.returned", "case.reopened"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One notice in an official's inbox. ``way`` is None while he was not told."""

    notice_id: str
    member_id: str
    case_id: str
    kind: str
    title: str
    at: datetime
    way: str | None


class Judge:
    """Looks at one run for everything that must not be."""

    def __init__(self, happened: Happened, fake: Fake) -> None:
        self.happened = happened
        self.cases = {row["case_id"]["S"]: row for row in fake.rows("cases")}
        self.events: dict[str, list[Any]] = defaultdict(list)
        for row in fake.rows("case-events"):
            self.events[row["case_id"]["S"]].append(row)
        inbox = [_told(row) for row in fake.rows("inbox") if "case_id" in row]
        self.told = [one for one in inbox if one.member_id in happened.officials]
        self.held = {
            (row["member_id"]["S"], row["held_id"]["S"].removeprefix("held#")): row
            for row in fake.rows("digests")
            if "release_at" in row
        }
        self.outbox = fake.rows("outbox")
        self.by_notice = {(one.member_id, one.notice_id): one for one in self.told}

    def violations(self) -> Iterator[str]:
        """Every violation, in words that begin with its kind."""
        yield from self._budget()
        yield from self._twice()
        yield from self._grave()
        yield from self._lost()
        yield from self._withheld()
        if self.happened.is_calm:
            yield from self._late()

    def officer_days(self) -> int:
        """On how many days of how many officials there was something to tell."""
        return len({(one.member_id, one.at.astimezone(CHINA).date()) for one in self.told})

    def _budget(self) -> Iterator[str]:
        """Messages without urgency: five a day, a quarter of an hour apart, none at night."""
        for member_id, rings in _by_member(self.happened.rings).items():
            plain = [ring for ring in rings if not self._is_urgent(ring)]
            first: dict[str, Ring] = {}
            days: dict[date, int] = defaultdict(int)
            for ring in plain:
                here = ring.at.astimezone(CHINA)
                if not WAKES <= here.time() < SLEEPS:
                    yield f"quiet: {member_id} at {here:%H:%M}"
                if ring.key not in first:
                    first[ring.key] = ring
                    days[here.date()] += 1
            for day, count in days.items():
                if count > MOST_A_DAY:
                    yield f"budget: {member_id} {count} on {day}"
            for earlier, later in pairwise(plain):
                if earlier.key != later.key and later.at - earlier.at < APART:
                    yield f"apart: {member_id} {earlier.at} and {later.at}"

    def _twice(self) -> Iterator[str]:
        """A phone rings twice for one thing only if we could not know that it had rung."""
        for member_id, rings in _by_member(self.happened.rings).items():
            known: set[str] = set()
            for ring in rings:
                yield from (
                    f"twice: {member_id} {notice_id} at {ring.at}"
                    for notice_id in ring.notices
                    if notice_id in known
                )
                if ring.known and ring.at not in self.happened.deaths:
                    known.update(ring.notices)
        seen: set[tuple[str, str, str, str]] = set()
        for one in self.told:
            step = (one.member_id, one.case_id, one.kind, one.title)
            if step in seen:
                yield f"twice: two notices of {step}"
            seen.add(step)

    def _grave(self) -> Iterator[str]:
        """A case of severity A is told at once, and claimed or escalated."""
        for case_id, case in self.cases.items():
            if case["severity"]["S"] != "A":
                continue
            created = parse_utc(case["created_at"]["S"])
            claimed = self._first(case_id, "claim")
            alerts = [
                one for one in self.told if (one.case_id, one.kind) == (case_id, "case.submitted")
            ]
            if not alerts or any(one.way is None for one in alerts):
                yield f"grave: {case_id} was told to nobody"
            for step, times, posts in RUNGS:
                due = created + GRAVE_CLAIM * times
                if claimed is not None and claimed <= self._seen_by(due) + GRACE:
                    break
                taken = self._first(case_id, f"step:{step}") or self._first(case_id, step)
                if taken is None or taken > self._seen_by(due) + GRACE:
                    yield f"grave: {case_id} unclaimed and no step {step} by {due}, but {taken}"
                elif not self._reached(case_id, taken, posts):
                    yield f"grave: {case_id} step {step} told to none of {sorted(posts)}"

    def _reached(self, case_id: str, since: datetime, posts: set[str]) -> bool:
        return any(
            one.case_id == case_id
            and one.kind == "case.step"
            and one.at == since
            and one.way is not None
            and self.happened.officials[one.member_id].value in posts
            for one in self.told
        )

    def _seen_by(self, due: datetime) -> datetime:
        """When the schedules first ran after an instant: nothing can be taken before."""
        return next((tick for tick in self.happened.ticks if tick >= due), due)

    def _lost(self) -> Iterator[str]:
        """In the end everybody was told of everything, but for what waits for its hour."""
        for one in self.told:
            row = self.held.get((one.member_id, one.notice_id))
            waits = row is not None and parse_utc(row["release_at"]["S"]) > self.happened.ended_at
            if one.way is None and not waits:
                yield f"lost: {one.member_id} was never told of {one.kind} {one.case_id}"
        for row in self.outbox:
            if parse_utc(row["created_at"]["S"]) < self.happened.ended_at - timedelta(hours=1):
                yield f"lost: {row['topic']['S']} is still in the outbox"

    def _withheld(self) -> Iterator[str]:
        """Nobody is escalated for an alert that was withheld, within a day."""
        first_told = self._first_told()
        for case_id, case in self.cases.items():
            created = parse_utc(case["created_at"]["S"])
            for step, _, _ in RUNGS:
                taken = self._first(case_id, f"step:{step}") or self._first(case_id, step)
                if self._is_case_urgent(case_id) or taken is None:
                    continue
                told = first_told.get(case_id)
                if (told is None or told > taken) and taken < created + timedelta(hours=24):
                    yield f"withheld: {case_id} step {step} at {taken}, first told {told}"

    def _first_told(self) -> Mapping[str, datetime]:
        """When an official first had word of a case: by phone, or if no way led there by inbox."""
        found: dict[str, datetime] = {}
        for ring in self.happened.rings:
            for notice_id in ring.notices:
                one = self.by_notice.get((ring.member_id, notice_id))
                if one is not None and one.kind in TELLS:
                    found[one.case_id] = min(found.get(one.case_id, ring.at), ring.at)
        for one in self.told:
            told_at = self.cases[one.case_id].get("told_at")
            if told_at is not None and one.way in ("inbox", "digest"):
                at = parse_utc(told_at["S"])
                found[one.case_id] = min(found.get(one.case_id, at), at)
        return found

    def _late(self) -> Iterator[str]:
        """Without faults what is held is told by the next digest, and what is urgent at once."""
        rang: dict[tuple[str, str], datetime] = {}
        for ring in self.happened.rings:
            for notice_id in ring.notices:
                rang.setdefault((ring.member_id, notice_id), ring.at)
        for one in self.told:
            at = rang.get((one.member_id, one.notice_id))
            urgent = self._is_case_urgent(one.case_id)
            latest = (one.at if urgent else _next_digest(one.at + RUN)) + 2 * RUN
            if latest < self.happened.ended_at and (at is None or at > latest):
                yield f"late: {one.member_id} {one.kind} of {one.at} rang at {at}"

    def _is_urgent(self, ring: Ring) -> bool:
        told = [self.by_notice.get((ring.member_id, notice_id)) for notice_id in ring.notices]
        return any(one is not None and self._is_case_urgent(one.case_id) for one in told)

    def _is_case_urgent(self, case_id: str) -> bool:
        return self.cases[case_id]["severity"]["S"] in ("A", "B")

    def _first(self, case_id: str, action: str) -> datetime | None:
        at = [
            parse_utc(row["at"]["S"])
            for row in self.events[case_id]
            if row["action"]["S"] == action
        ]
        return min(at, default=None)


def _told(row: Mapping[str, Any]) -> Told:
    at, _, notice_id = row["message_id"]["S"].partition("_")
    return Told(
        notice_id=notice_id,
        member_id=row["member_id"]["S"],
        case_id=row["case_id"]["S"],
        kind=row["kind"]["S"],
        title=row["title"]["S"],
        at=parse_utc(at),
        way=row["delivered_by"]["S"] if "delivered_by" in row else None,
    )


def _by_member(rings: list[Ring]) -> Mapping[str, list[Ring]]:
    found: dict[str, list[Ring]] = defaultdict(list)
    for ring in sorted(rings, key=lambda ring: ring.at):
        found[ring.member_id].append(ring)
    return found


def _next_digest(at: datetime) -> datetime:
    here = at.astimezone(CHINA)
    days = (here.date(), here.date() + timedelta(days=1))
    moments = (datetime.combine(day, digest, tzinfo=CHINA) for day in days for digest in DIGESTS)
    return next(moment for moment in moments if moment > at)
