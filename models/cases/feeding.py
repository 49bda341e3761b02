"""Log each change of a case for everybody it concerns, so that their apps can follow it.

It concerns every reporter, also of what was merged into it (as a change of his report), and every
official in whose scope the case lies (as a change of the case). What is logged is an event of the
case's history: with it, whatever of the history has not been logged for that person is logged
first, so that nobody sees a case closed before it was claimed, however late or in whatever order
the outbox delivers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from models.alerts import feed
from models.alerts.entities import Event
from models.alerts.feed import Change
from models.base.clock import Clock
from models.base.store import get
from models.cases import binding, changes
from models.cases.entities import Action
from models.cases.followers import whole_of
from models.cases.parallel import together
from models.cases.tables import CaseEventRow, CaseRow
from models.people.covering import OFFICIALS
from models.people.roster import Roster

REPORT, CASE, PHOTO = "report", "case", "photo"
ONLY_LOGGED = ("case.noted", "case.judged", "case.changed", "case.started")
"""Topics that nobody is told of: a note, a joiner who is satisfied, a case that changes by what is
done to another, and work that begins."""

_TOPICS = "case."

LOOKED_BACK = feed.KEPT - timedelta(days=1)
"""What is older was logged or given up: its guards may have expired."""
_OFFICIALS_ONLY = frozenset({Action.NOTE.value})

Handle = Callable[[Event], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """Whom a case concerns: as which of his things, and from when on."""

    member_id: str
    kind: str
    thing_id: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Happening:
    """Something that happened to a case; ``key`` tells it from everything else."""

    change: str
    at: datetime
    key: str


class Feeding:
    """Logs what happens to cases."""

    def __init__(self, *, clock: Clock, roster: Roster) -> None:
        self._clock = clock
        self._roster = roster

    def around(self, handlers: Mapping[str, Handle]) -> Mapping[str, Handle]:
        """The topics of cases, each logged before it is handled; and those that are only logged.

        Logged first, so that who opens the app from an alert finds there what it is about. That
        the log fails keeps no alert back: the event is handled, and both are tried again.
        """
        around = {
            topic: partial(self._logged, handle) if topic.startswith(_TOPICS) else handle
            for topic, handle in handlers.items()
        }
        return {**around, **dict.fromkeys(ONLY_LOGGED, self.log)}

    def log(self, event: Event) -> None:
        """Log an event for everybody it concerns; safe to repeat and to run beside itself.

        Reads of case, history and reports, then per person a read and a transaction of 6 write
        units, all persons at once. Raises ``Unavailable`` while the index of joiners lags behind.
        """
        case_id = event.payload["case_id"]
        case, events = get(CaseRow, case_id), changes.history(case_id)
        if case is None:
            raise LookupError("a case is never deleted")
        now = self._clock.now()
        happened = _until(event, events, now)
        followers = [*_reporters(case, events), *self._officials(case)]
        together([partial(_append, who, case, happened, now) for who in followers])

    def _logged(self, handle: Handle, event: Event) -> None:
        try:
            self.log(event)
        finally:
            handle(event)

    def _officials(self, case: CaseRow) -> Iterator[Follower]:
        """Whoever has a bound phone and a post in a scope that holds the case; each once."""
        since_by_member: dict[str, datetime] = {}
        for scope in changes.scopes_of(case):
            for role in OFFICIALS:
                for entry in self._roster.holders(role, scope):
                    if entry.member_id is not None and entry.county == case.county:
                        earlier = since_by_member.get(entry.member_id, entry.starts_at)
                        since_by_member[entry.member_id] = min(earlier, entry.starts_at)
        for member_id, since in since_by_member.items():
            yield Follower(member_id=member_id, kind=CASE, thing_id=case.case_id, since=since)


def _until(event: Event, events: Sequence[CaseEventRow], now: datetime) -> list[_Happening]:
    """The case's history up to an event, oldest first.

    A photo's is no part of it and stands alone; nothing else that is not is logged: it is only
    another word to somebody of something that is.
    """
    happened = []
    for row in sorted(events, key=_place):
        if row.at > now - LOOKED_BACK:
            key = f"{row.case_id}:{row.event_id}"
            happened.append(_Happening(change=changes.name_of(row), at=row.at, key=key))
        if row.event_id == event.payload.get("event_id"):
            return happened
    if event.topic != binding.TOPIC:
        return []
    return [_Happening(change=PHOTO, at=event.at, key=event.outbox_id)]


def _place(row: CaseEventRow) -> tuple[datetime, bool, str]:
    """By time; what happened at one instant by version, and notes and steps after it."""
    return row.at, not row.event_id.startswith("v"), row.event_id


def _append(who: Follower, case: CaseRow, happened: Sequence[_Happening], now: datetime) -> None:
    """Log the last of what happened, unless it was before his time or is not for him."""
    concerning = [each for each in happened if _concerns(who, each)]
    if not concerning or concerning[-1] is not happened[-1]:
        return
    *before, last = (
        Change(
            member_id=who.member_id,
            county=case.county,
            kind=who.kind,
            thing_id=who.thing_id,
            change=each.change,
            at=each.at,
            key=f"{who.kind}:{each.key}",
        )
        for each in concerning
    )
    feed.append(last, now, before=before)


def _concerns(who: Follower, happening: _Happening) -> bool:
    is_for_him = who.kind == CASE or happening.change not in _OFFICIALS_ONLY
    return is_for_him and happening.at >= who.since


def _reporters(case: CaseRow, events: Sequence[CaseEventRow]) -> Iterator[Follower]:
    """Who reported the case, from then on; and who reported what was merged into it, from the
    merging on. Raises ``Unavailable`` while not all of them are known."""
    merged_at = {row.text: row.at for row in events if row.action == Action.MERGE}
    for share in whole_of(case):
        for report in share.reports:
            since = max(report.submitted_at, merged_at.get(share.case.number, case.created_at))
            yield Follower(
                member_id=report.member_id, kind=REPORT, thing_id=report.report_id, since=since
            )
