"""What follows when cases were merged, told apart, split, handed over or left by their officer.

Each method handles one topic of the outbox and may run more than once, like those of ``notices``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from models.alerts.entities import Event
from models.base.clock import Clock
from models.base.store import get
from models.cases import crediting, wording
from models.cases.entities import Status, Step
from models.cases.followers import followers_of, reports_of
from models.cases.tables import CaseRow, ReportRow
from models.cases.telling import Telling, case_of
from models.points.ledger import Ledger


class Rearranged:
    """Handles these topics."""

    def __init__(self, *, clock: Clock, ledger: Ledger, telling: Telling) -> None:
        self._clock = clock
        self._ledger = ledger
        self._telling = telling

    def handlers(self) -> Mapping[str, Callable[[Event], None]]:
        """The topics, each with what handles it."""
        return {
            "case.merged": self.merged,
            "case.unmerged": self.unmerged,
            "case.split": self.split,
            "case.parted": self.parted,
            "case.transferred": self.transferred,
            "case.external": self.external,
            "case.released": self.released,
        }

    def merged(self, event: Event) -> None:
        """Its reporters now follow the parent, and are paid if that was accepted already.

        Should the parent have closed meanwhile, its own closing pays and matures them.
        """
        case, parent = case_of(event), case_of(event, "into")
        if case.merged_into == parent.case_id and parent.claimed_at is not None:
            crediting.award_whole(self._ledger, parent, self._clock.now())
        self._telling.progress(event, parent, reports_of(case), wording.MERGED)

    def unmerged(self, event: Event) -> None:
        """Each goes on by itself: what its reports are still due is paid, who holds it is told."""
        case, parent = case_of(event), case_of(event, "parent")
        for each in (case, parent):
            if each.claimed_at is not None and each.merged_into is None:
                crediting.award_whole(self._ledger, each, self._clock.now())
        if case.status in (Status.ASSIGNED, Status.CLAIMED):
            self._telling.alert(event, case, self._there(case), wording.UNMERGED_FOR_WORKER)
        self._telling.progress(event, case, reports_of(case), wording.UNMERGED)

    def split(self, event: Event) -> None:
        """Each part tells of itself; the case it came from is only logged."""

    def parted(self, event: Event) -> None:
        """A part waits to be claimed, and its reporter learns that his photo shows one more."""
        case = case_of(event)
        self._telling.alert(event, case, self._there(case), wording.NEW)
        report = get(ReportRow, case.member_id, case.report_id)
        self._telling.progress(event, case, [report] if report else [], wording.PARTED)

    def transferred(self, event: Event) -> None:
        """Handing it over accepted it, so everybody is paid; then they are told."""
        case = case_of(event)
        crediting.award_others(self._ledger, case, self._clock.now())
        self._telling.progress(event, case, followers_of(case), wording.TRANSFERRED)

    def external(self, event: Event) -> None:
        case = case_of(event)
        self._telling.progress(event, case, followers_of(case), wording.EXTERNAL)

    def released(self, event: Event) -> None:
        case = case_of(event)
        self._telling.alert(event, case, self._there(case), wording.RELEASED)

    def _there(self, case: CaseRow) -> list[str]:
        """Who works on a case, or would have to; is nobody there who may, then the lead."""
        return self._telling.workers(case) or self._telling.first_of(case, Step.LEAD)
