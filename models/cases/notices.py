"""What follows from a change of a case: who is told, whose points move, what WeChat is asked.

Each method handles one topic of the outbox and may run more than once: notices, points and checks
all have ids of their own. An error leaves the row in the outbox, to be tried again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from models.alerts import desk, outbox
from models.alerts.delivery import Messenger
from models.alerts.desk import AlertDesk
from models.alerts.entities import Event
from models.base.clock import Clock, parse_utc
from models.base.errors import Unavailable
from models.base.store import get, put_if_absent
from models.calendar.rules import WorkingTime
from models.cases import crediting, wording
from models.cases.categories import Categories
from models.cases.entities import Severity, Status, Step
from models.cases.evidence import Evidence
from models.cases.followers import followers_of
from models.cases.gateways import OpenidOf, TextChecker
from models.cases.judging import CHECK_ATTEMPTS, Judging
from models.cases.paced import Paced
from models.cases.rearranged import Rearranged
from models.cases.tables import ReportRow
from models.cases.telling import Telling, case_of
from models.cases.told import first_told
from models.people.roster import Roster
from models.points.ledger import Ledger

log = logging.getLogger(__name__)


class Notices:
    """Handles the topics of cases."""

    def __init__(
        self,
        *,
        clock: Clock,
        roster: Roster,
        ledger: Ledger,
        messenger: Messenger,
        alert_desk: AlertDesk,
        working: WorkingTime,
        categories: Categories,
        evidence: Evidence,
        text_checker: TextChecker,
        openid_of: OpenidOf,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._working = working
        self._telling = Telling(
            messenger=messenger, desk=alert_desk, roster=roster, categories=categories
        )
        self._rearranged = Rearranged(clock=clock, ledger=ledger, telling=self._telling)
        self._paced = Paced(clock=clock, telling=self._telling)
        self._judging = Judging(text_checker=text_checker, openid_of=openid_of)
        self._evidence = evidence

    def handlers(self) -> Mapping[str, Callable[[Event], None]]:
        """The topics of cases, each with what handles it."""
        return {
            **self._rearranged.handlers(),
            **self._paced.handlers(),
            **self._judging.handlers(),
            "case.submitted": self.submitted,
            "case.joined": self.joined,
            "case.claimed": self.claimed,
            "case.assigned": self.assigned,
            "case.returned": self.returned,
            "case.resolved": self.resolved,
            "case.closed": self.closed,
            "case.reopened": self.reopened,
            "case.disputed": self.disputed,
            "case.contested": self.contested,
            "case.step": self.stepped,
            desk.TOLD: self.told,
            "media.check": self.check_media,
            "trust.appealed": self.trust_appealed,
        }

    def submitted(self, event: Event) -> None:
        """Alert first; what WeChat thinks of the text is asked in a row of its own.

        Who reported it himself, or is close to who did, may not handle it: the next one is told.
        """
        case = case_of(event)
        on_duty = self._telling.on_duty(case)
        told = on_duty or self._telling.first_of(case, Step.LEAD)
        if case.severity == Severity.A or not on_duty:
            self._telling.alert(event, case, told, wording.NEW)
        else:
            self._telling.alert_first(event, case, on_duty, wording.NEW)
            told = on_duty[:1]
        self._telling.inform_neighbour(event, case, told)
        self._ask_about_text(event)

    def joined(self, event: Event) -> None:
        """Tell both reporters of the one case, and pay the joiner if it was accepted before."""
        case, report = case_of(event), _report(event)
        if case.claimed_at is not None and report is not None:
            crediting.award_joined(self._ledger, case, report, self._clock.now())
        self._ask_about_text(event)
        first = get(ReportRow, case.member_id, case.report_id)
        self._telling.progress(event, case, [first] if first else [], wording.JOINED_FIRST)
        self._telling.progress(event, case, [report] if report else [], wording.JOINED)

    def claimed(self, event: Event) -> None:
        """Pay those who joined (the claim paid the first), then tell everybody."""
        case = case_of(event)
        reports = followers_of(case)
        crediting.award_others(self._ledger, case, self._clock.now())
        self._telling.progress(event, case, reports, wording.CLAIMED)

    def assigned(self, event: Event) -> None:
        case = case_of(event)
        self._telling.alert(event, case, [event.payload["officer_id"]], wording.ASSIGNED)

    def returned(self, event: Event) -> None:
        case = case_of(event)
        self._telling.alert(event, case, self._telling.first_of(case, Step.LEAD), wording.RETURNED)

    def resolved(self, event: Event) -> None:
        """Ask the reporters for their verdict; a part of a split case takes none."""
        case = case_of(event)
        words = wording.RESOLVED_PART if case.parent_id is not None else wording.RESOLVED
        self._telling.progress(event, case, followers_of(case), words)

    def closed(self, event: Event) -> None:
        """Tell every reporter; the joiners' points mature, the first one's did in the closing."""
        case = case_of(event)
        status = Status(event.payload["status"])
        reports, now = followers_of(case), self._clock.now()
        if status is Status.CLOSED:
            crediting.award_others(self._ledger, case, now)
            crediting.mature_others(self._ledger, case, now)
        self._telling.progress(event, case, reports, wording.CLOSED[status])

    def reopened(self, event: Event) -> None:
        case = case_of(event)
        told = [case.claimer_id] if case.claimer_id else self._telling.first_of(case, Step.LEAD)
        self._telling.alert(event, case, told, wording.REOPENED)
        self._telling.progress(event, case, followers_of(case), wording.BACK)

    def disputed(self, event: Event) -> None:
        case = case_of(event)
        self._telling.warn(event, case, self._telling.first_of(case, Step.LEAD), wording.DISPUTED)

    def contested(self, event: Event) -> None:
        case = case_of(event)
        self._telling.warn(event, case, self._telling.first_of(case, Step.LEAD), wording.CONTESTED)

    def trust_appealed(self, event: Event) -> None:
        """Whoever decides an appeal is above the grid."""
        case = case_of(event)
        told = self._telling.first_of(case, Step.COMMUNITY)
        self._telling.warn(event, case, told, wording.TRUST_APPEALED)

    def stepped(self, event: Event) -> None:
        """A step of the ladder; one whose post is vacant is told to the next one up."""
        case, step = case_of(event), Step(event.payload["step"])
        told = self._telling.workers(case) if step is Step.REMIND else []
        told = told or self._telling.first_of(case, _LOWEST.get(step, step))
        self._telling.warn(event, case, told, wording.STEP[step])

    def told(self, event: Event) -> None:
        """An official was told for the first time: from here on his own clock runs."""
        member_id, at = event.payload["member_id"], event.payload["at"]
        since = event.payload.get("since", {})
        for case_id in event.payload["case_ids"]:
            first_told(
                case_id,
                member_id,
                parse_utc(at),
                self._working,
                since=parse_utc(since.get(case_id, at)),
            )

    def check_media(self, event: Event) -> None:
        """Away, WeChat is asked again; in the end the photo stays behind its badge."""
        upload_id = event.payload["upload_id"]
        try:
            self._evidence.ask(upload_id)
        except Unavailable:
            if event.attempts < CHECK_ATTEMPTS:
                raise
            self._evidence.give_up(upload_id)

    def _ask_about_text(self, event: Event) -> None:
        report = _report(event)
        if report is None or report.text is None:
            return
        now = self._clock.now()
        # WeChat has its own time for texts, however urgent the case is.
        payload = {**event.payload, outbox.URGENT: False}
        put_if_absent(outbox.row("text.check", report.report_id, event.county, payload, now))


_LOWEST = {
    Step.REMIND: Step.LEAD,
    Step.UNCLAIMED: Step.LEAD,
    Step.UNCLAIMED_COMMUNITY: Step.COMMUNITY,
    Step.UNCLAIMED_DUTY: Step.DISTRICT,
}
"""Whose post a step is for, where it is not named after it."""


def _report(event: Event) -> ReportRow | None:
    """The report an event is about; None once its sender has been erased."""
    return get(ReportRow, event.payload["member_id"], event.payload["report_id"])
