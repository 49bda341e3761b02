"""Find who must hear of a case, and tell each of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from models.alerts import messages
from models.alerts.delivery import Messenger
from models.alerts.entities import Event, Notice, RoleOrder, Template, Text
from models.base.errors import Unavailable
from models.cases import wording
from models.cases.categories import Categories
from models.cases.entities import Category, Status, Step
from models.cases.tables import CaseRow, ReportRow
from models.cases.wording import Told
from models.people.entities import RoleName, RosterEntry
from models.people.roster import Roster

log = logging.getLogger(__name__)

_Fields = Mapping[str, str]


class Telling:
    """Makes the notices of an event and hands them to the messenger.

    Each method raises ``Unavailable`` after everybody was tried, when somebody was not reached.
    """

    def __init__(self, *, messenger: Messenger, roster: Roster, categories: Categories) -> None:
        self._messenger = messenger
        self._roster = roster
        self._categories = categories

    def on_duty(self, case: CaseRow) -> list[str]:
        """Who looks after the case's grid, first choice first."""
        return bound(self._roster.on_duty(case.grid_id))

    def workers(self, case: CaseRow) -> list[str]:
        """Who works on a case, or would have to: its claimer, its assignee, who is on duty."""
        named = [who for who in (case.claimer_id, case.assigned_to) if who is not None]
        return named[:1] or self.on_duty(case)[:1]

    def first_of(self, case: CaseRow, lowest: Step) -> list[str]:
        """Who holds the lowest post from ``lowest`` up that is not vacant."""
        posts = [
            (Step.LEAD, RoleName.GRID_LEAD, f"grid:{case.grid_id}"),
            (Step.LEAD, RoleName.GRID_LEAD, f"community:{case.community_id}"),
            (Step.COMMUNITY, RoleName.COMMUNITY, f"community:{case.community_id}"),
            (Step.DISTRICT, RoleName.DISTRICT, f"county:{case.county}"),
        ]
        start = next(index for index, (step, _, _) in enumerate(posts) if step is lowest)
        for _, role, scope in posts[start:]:
            held = bound(self._roster.holders(role, scope))
            if held:
                return held
        log.error("alert.nobody_to_tell", extra={"case_id": case.case_id, "grid": case.grid_id})
        return []

    def alert(self, event: Event, case: CaseRow, member_ids: Iterable[str], said: Text) -> None:
        """Tell officials that a case waits for them."""
        category = self._category(case)
        template, fields = messages.officer_alert(
            what=f"{case.severity} {category.zh}",
            where=case.place,
            due_at=case.claim_due_at if case.status == Status.ASSIGNED else case.due_at,
            number=case.number,
        )
        self._tell_officials(event, case, member_ids, template, fields, ("待处理", said))

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
        self._tell_officials(event, case, member_ids, template, fields, told)

    def _tell_officials(
        self,
        event: Event,
        case: CaseRow,
        member_ids: Iterable[str],
        template: Template,
        fields: _Fields,
        told: Told,
    ) -> None:
        category = self._category(case)
        page = f"pages/case/detail?id={case.case_id}"
        self._tell_each(
            [
                wording.notice(event, case, category, member_id, template, fields, told, page=page)
                for member_id in member_ids
            ],
            role_order="officer",
        )

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
        self._tell_each(
            [
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
            ],
            role_order="rider",
        )

    def _category(self, case: CaseRow) -> Category:
        return self._categories.of(case.category, case.category_version)

    def _tell_each(self, notices: Iterable[Notice], *, role_order: RoleOrder) -> None:
        """Everybody is tried, even when a channel fails for one of them."""
        failed: Unavailable | None = None
        for notice in notices:
            try:
                self._messenger.tell(notice, role_order=role_order)
            except Unavailable as error:
                failed = error
        if failed is not None:
            raise failed


def bound(entries: Iterable[RosterEntry]) -> list[str]:
    """Those who can be told, each once: an entry has a member once its phone is bound."""
    return list(dict.fromkeys(entry.member_id for entry in entries if entry.member_id is not None))
