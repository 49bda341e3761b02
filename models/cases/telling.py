"""Find who must hear of a case, and tell each of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from models.alerts import messages
from models.alerts.delivery import Messenger
from models.alerts.desk import AlertDesk
from models.alerts.entities import Alert, Event, Notice, Template, Text
from models.base.clock import parse_utc
from models.base.errors import Unavailable
from models.base.store import get
from models.cases import wording
from models.cases.categories import Categories
from models.cases.entities import Category, Severity, Status, Step
from models.cases.routing import first_reachable, ladder
from models.cases.states import is_urgent
from models.cases.tables import CaseRow, ReportRow
from models.cases.wording import Told
from models.people import links
from models.people.entities import RosterEntry
from models.people.roster import Roster

log = logging.getLogger(__name__)

_Fields = Mapping[str, str]
_Thing = TypeVar("_Thing")


class Telling:
    """Makes the notices of an event: officials hear by the desk, riders by the messenger.

    Each method raises ``Unavailable`` after everybody was tried, when somebody was not reached.
    """

    def __init__(
        self, *, messenger: Messenger, desk: AlertDesk, roster: Roster, categories: Categories
    ) -> None:
        self._messenger = messenger
        self._desk = desk
        self._roster = roster
        self._categories = categories

    def on_duty(self, case: CaseRow) -> list[str]:
        """Who looks after the case's grid and may handle it, first choice first."""
        return _fit(case, bound(self._roster.on_duty(case.grid_id)))

    def workers(self, case: CaseRow) -> list[str]:
        """Who works on a case, or would have to: its claimer, its assignee, who is on duty."""
        named = [who for who in (case.claimer_id, case.assigned_to) if who is not None]
        return named[:1] or self.on_duty(case)[:1]

    def first_of(self, case: CaseRow, lowest: Step) -> list[str]:
        """Who holds the lowest post from ``lowest`` up that is not vacant."""
        posts = ladder(
            grid_id=case.grid_id,
            community_id=case.community_id,
            county=case.county,
            zone_id=case.zone_id,
        )
        start = next(index for index, (step, _, _) in enumerate(posts) if step is lowest)
        for _, role, scope in posts[start:]:
            held = bound(self._roster.holders(role, scope))
            if held:
                return held
        log.error("alert.nobody_to_tell", extra={"case_id": case.case_id, "grid": case.grid_id})
        return []

    def alert(self, event: Event, case: CaseRow, member_ids: Iterable[str], said: Text) -> None:
        """Tell officials that a case waits for them."""
        self._tell_officials(member_ids, self._alert_of(event, case, said))

    def alert_first(self, event: Event, case: CaseRow, on_duty: Sequence[str], said: Text) -> None:
        """Tell the first on duty that a case waits for him.

        When his phone may not ring and the limit ends before the next digest, the first deputy
        whose phone may ring hears of it too: the others on duty, then the lead. Handled again, the
        event finds the same deputy, because what was told stands in his inbox.
        """
        alert_of = self._alert_of(event, case, said)
        self._tell_officials([*self._deputy(case, on_duty, alert_of), on_duty[0]], alert_of)

    def inform_neighbour(self, event: Event, case: CaseRow, told: Sequence[str]) -> None:
        """Note to the officer next door, at the grid's edge, that the case may be his.

        In his inbox alone: nothing is asked of him, so his phone does not ring for it. Who was told
        of the case already, or reported it, knows.
        """
        if case.neighbour_grid_id is None:
            return
        there = self._roster.on_duty(case.neighbour_grid_id)
        first = first_reachable(there, (*told, case.member_id))
        if first is not None and first.member_id is not None:
            category = self._category(case)
            notice = wording.neighbour_notice(event, case, category, first.member_id)
            self._messenger.note(notice)

    def warn(self, event: Event, case: CaseRow, member_ids: Iterable[str], told: Told) -> None:
        """Tell officials that a case goes stale, or is disputed."""
        category = self._category(case)
        template, fields = messages.escalation(
            what=f"{case.severity} {category.zh}",
            where=case.place,
            due_at=case.due_at,
            number=case.number,
            status=told[0],
        )
        was_due = event.payload.get("due_at")
        since = parse_utc(was_due) if was_due else event.at
        notice_of = self._notices(event, case, template, fields, told)
        self._tell_officials(
            member_ids, lambda who: _alert(case, notice_of(who), case.due_at, since)
        )

    def _alert_of(self, event: Event, case: CaseRow, said: Text) -> Callable[[str], Alert]:
        category = self._category(case)
        due_at = case.claim_due_at if case.status == Status.ASSIGNED else case.due_at
        template, fields = messages.officer_alert(
            what=f"{case.severity} {category.zh}",
            where=case.place,
            due_at=due_at,
            number=case.number,
        )
        notice_of = self._notices(event, case, template, fields, ("待处理", said))
        # Danger to life is told by itself, however late.
        since = None if case.severity == Severity.A else event.at
        return lambda who: _alert(case, notice_of(who), due_at, since)

    def _deputy(
        self, case: CaseRow, on_duty: Sequence[str], alert_of: Callable[[str], Alert]
    ) -> list[str]:
        first = alert_of(on_duty[0])
        if first.urgent or case.status != Status.ASSIGNED:
            return []
        if not self._desk.must_wait(first) or self._desk.knows(first):
            return []
        others = dict.fromkeys([*on_duty[1:], *self.first_of(case, Step.LEAD)])
        others.pop(on_duty[0], None)
        for who in _fit(case, others):
            alert = alert_of(who)
            if self._desk.knows(alert) or self._desk.may_ring(who):
                return [who]
        return []

    def _notices(
        self, event: Event, case: CaseRow, template: Template, fields: _Fields, told: Told
    ) -> Callable[[str], Notice]:
        """The notice of an event, for each official."""
        category = self._category(case)
        page = f"pages/case/detail?id={case.case_id}"
        return lambda who: wording.notice(
            event, case, category, who, template, fields, told, page=page
        )

    def _tell_officials(self, member_ids: Iterable[str], alert_of: Callable[[str], Alert]) -> None:
        _each(member_ids, lambda who: self._desk.tell(alert_of(who)))

    def progress(
        self, event: Event, case: CaseRow, reports: Iterable[ReportRow], told: Told
    ) -> None:
        """Tell reporters how far their case is."""
        category = self._category(case)
        template, fields = messages.rider_progress(
            what=category.zh,
            status=told[0],
            note=told[1].zh,
            number=case.number,
        )
        page = "pages/report/detail?id="
        notices = [
            wording.notice(
                event,
                case,
                category,
                report.member_id,
                template,
                fields,
                told,
                page=page + report.report_id,
            )
            for report in reports
        ]
        _each(notices, lambda notice: self._messenger.tell(notice, role_order="rider"))

    def _category(self, case: CaseRow) -> Category:
        return self._categories.of(case.category, case.category_version)


def _fit(case: CaseRow, member_ids: Iterable[str]) -> list[str]:
    """Those who may handle a case: nobody who reported it first, or is close to who did."""
    unfit = {case.member_id, *links.linked_to(case.member_id)}
    return [who for who in member_ids if who not in unfit]


def _alert(case: CaseRow, notice: Notice, due_at: datetime, since: datetime | None) -> Alert:
    return Alert(
        notice=notice,
        due_at=due_at,
        urgent=is_urgent(case),
        since=since,
        first_told=case.told_at is None,
    )


def _each(things: Iterable[_Thing], tell: Callable[[_Thing], None]) -> None:
    """Everybody is tried, even when a channel fails for one of them."""
    failed: Unavailable | None = None
    for thing in things:
        try:
            tell(thing)
        except Unavailable as error:
            failed = error
    if failed is not None:
        raise failed


def case_of(event: Event, name: str = "case_id") -> CaseRow:
    """The case that an event names. Cases are never deleted, so ``LookupError`` is a mistake."""
    case = get(CaseRow, event.payload[name])
    if case is None:
        raise LookupError("a case is never deleted")
    return case


def bound(entries: Iterable[RosterEntry]) -> list[str]:
    """Those who can be told, each once: an entry has a member once its phone is bound."""
    return list(dict.fromkeys(entry.member_id for entry in entries if entry.member_id is not None))
