"""What follows when the reporter was asked, more time was wanted, or a case was corrected.

Each method handles one topic of the outbox and may run more than once, like those of ``notices``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from models.alerts import outbox
from models.alerts.entities import Event
from models.base.clock import Clock
from models.base.store import get, put_if_absent
from models.cases import wording
from models.cases.entities import Party, Severity, Step
from models.cases.followers import followers_of
from models.cases.judging import WORDS
from models.cases.states import is_urgent
from models.cases.tables import ReportRow
from models.cases.telling import Telling, case_of


class Paced:
    """Handles these topics."""

    def __init__(self, *, clock: Clock, telling: Telling) -> None:
        self._clock = clock
        self._telling = telling

    def handlers(self) -> Mapping[str, Callable[[Event], None]]:
        """The topics, each with what handles it."""
        return {
            "case.asked": self.asked,
            "case.replied": self.replied,
            "case.resumed": self.resumed,
            "case.proposed": self.proposed,
            "case.extended": self.extended,
            "case.deferred": self.deferred,
            "case.declined": self.declined,
            "case.corrected": self.corrected,
            "case.appealed": self.appealed,
        }

    def asked(self, event: Event) -> None:
        """A fixed sentence: the question itself is shown when WeChat has let it pass."""
        case = case_of(event)
        self._ask_about_words(event)
        first = get(ReportRow, case.member_id, case.report_id)
        self._telling.progress(event, case, [first] if first else [], wording.ASKED)

    def replied(self, event: Event) -> None:
        case = case_of(event)
        self._ask_about_words(event)
        self._telling.alert(event, case, self._telling.workers(case), wording.REPLIED)

    def resumed(self, event: Event) -> None:
        """The clocks go on: who works on it is told, and so are the reporters."""
        case = case_of(event)
        self._telling.alert(event, case, self._telling.workers(case), wording.RESUMED)
        self._telling.progress(event, case, followers_of(case), wording.GOES_ON)

    def proposed(self, event: Event) -> None:
        """The next step of the ladder decides, but never whoever asked."""
        case = case_of(event)
        lowest = Step.COMMUNITY if event.payload["party"] == Party.LEAD else Step.LEAD
        told = [
            who for who in self._telling.first_of(case, lowest) if who != event.payload["member_id"]
        ]
        self._telling.warn(event, case, told, wording.PROPOSED)

    def extended(self, event: Event) -> None:
        case = case_of(event)
        self._telling.alert(event, case, [event.payload["member_id"]], wording.APPROVED)
        self._telling.progress(event, case, followers_of(case), wording.EXTENDED)

    def deferred(self, event: Event) -> None:
        case = case_of(event)
        self._telling.alert(event, case, [event.payload["member_id"]], wording.APPROVED)
        self._telling.progress(event, case, followers_of(case), wording.DEFERRED)

    def declined(self, event: Event) -> None:
        case = case_of(event)
        self._telling.alert(event, case, [event.payload["member_id"]], wording.DECLINED)

    def corrected(self, event: Event) -> None:
        """What becomes a danger is told at once, to everybody on duty; the lead hears of the
        reverse, because it gives time."""
        case = case_of(event)
        is_grave = case.severity == Severity.A != event.payload["was_severity"]
        told = self._telling.on_duty(case) if is_grave else self._telling.workers(case)
        told = [who for who in told if who != case.member_id]
        self._telling.alert(
            event, case, told or self._telling.first_of(case, Step.LEAD), wording.CORRECTED
        )
        if event.payload["was_urgent"] and not is_urgent(case):
            lead = self._telling.first_of(case, Step.LEAD)
            self._telling.warn(event, case, set(lead) - set(told), wording.DOWNGRADED)
        self._telling.progress(event, case, followers_of(case), wording.RECATEGORISED)

    def appealed(self, event: Event) -> None:
        case = case_of(event)
        self._ask_about_words(event)
        lead = [who for who in self._telling.first_of(case, Step.LEAD) if who != case.rejecter_id]
        told = lead or self._telling.first_of(case, Step.COMMUNITY)
        self._telling.warn(event, case, told, wording.APPEALED)
        self._telling.progress(event, case, followers_of(case), wording.APPEAL_TAKEN)

    def _ask_about_words(self, event: Event) -> None:
        """WeChat has its own time for texts, however urgent the case is."""
        key = f"{event.payload['case_id']}:{event.payload['event_id']}"
        payload = {**event.payload, outbox.URGENT: False}
        put_if_absent(outbox.row(WORDS, key, event.county, payload, self._clock.now()))
