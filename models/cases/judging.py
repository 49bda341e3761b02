"""Have WeChat judge what members write; until it has let a text pass, the text is hidden.

Away, it is asked again; where it will not judge, the text stays hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from models.alerts.entities import Event
from models.base.errors import Unavailable
from models.base.store import get, update_if
from models.cases.entities import Verdict
from models.cases.gateways import JudgementRefused, OpenidOf, TextChecker
from models.cases.tables import CaseEventRow, ReportRow
from models.cases.trust_tables import SignalRow

CHECK_ATTEMPTS = 19
"""How often WeChat is asked about one text or photo before it stays hidden: with the outbox's
pauses that is as long as WeChat judges at all, nearly two hours after the member was here."""
WORDS = "text.words"
"""The topic of what officials and reporters write to one another."""
APPEAL = "text.appeal"
"""The topic of what a rider says of a signal."""


class Judging:
    """Handles these topics."""

    def __init__(self, *, text_checker: TextChecker, openid_of: OpenidOf) -> None:
        self._text_checker = text_checker
        self._openid_of = openid_of

    def handlers(self) -> Mapping[str, Callable[[Event], None]]:
        """The topics, each with what handles it."""
        return {"text.check": self.check_report, WORDS: self.check_words, APPEAL: self.check_appeal}

    def check_report(self, event: Event) -> None:
        """What a report says."""
        report = get(ReportRow, event.payload["member_id"], event.payload["report_id"])
        if report is None or report.text is None or report.text_verdict != Verdict.WAITING:
            return
        verdict = self._verdict(event, report.text)
        if verdict is not None:
            update_if(
                report,
                [ReportRow.text_verdict.set(verdict.value)],
                ReportRow.text_verdict == Verdict.WAITING.value,
            )

    def check_words(self, event: Event) -> None:
        """What was asked, replied or appealed, as it stands in the history."""
        words = get(CaseEventRow, event.payload["case_id"], event.payload["event_id"])
        if words is None or words.text is None or words.text_verdict != Verdict.WAITING:
            return
        verdict = self._verdict(event, words.text)
        if verdict is not None:
            update_if(
                words,
                [CaseEventRow.text_verdict.set(verdict.value)],
                CaseEventRow.text_verdict == Verdict.WAITING.value,
            )

    def check_appeal(self, event: Event) -> None:
        """What a rider says of a signal."""
        row = get(SignalRow, event.payload["member_id"], event.payload["signal_id"])
        if row is None or row.appeal is None or row.appeal_verdict != Verdict.WAITING:
            return
        verdict = self._verdict(event, row.appeal["text"])
        if verdict is not None:
            update_if(
                row,
                [SignalRow.appeal_verdict.set(verdict.value)],
                SignalRow.appeal_verdict == Verdict.WAITING.value,
            )

    def _verdict(self, event: Event, text: str) -> Verdict | None:
        """What WeChat says of a member's text; None when he is gone."""
        openid = self._openid_of(event.payload["member_id"])
        if openid is None:
            return None
        try:
            suggest = self._text_checker.check_text(openid, text)
        except JudgementRefused:
            suggest = Verdict.NONE.value
        except Unavailable:
            if event.attempts < CHECK_ATTEMPTS:
                raise
            suggest = Verdict.NONE.value
        known = suggest in (Verdict.PASS, Verdict.RISKY, Verdict.NONE)
        return Verdict(suggest) if known else Verdict.REVIEW
