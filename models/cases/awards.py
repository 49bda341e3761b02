"""What a case gives its reporters, and when.

Which rule pays a report is decided by ``rules.award_for``; what that gives, by the version of the
rule that held when the report was sent, and by the caps of that day.

Points are pending from the claim (acceptance) and mature when the case closes or after 7 days,
whichever is first; the ledger lets the days pass by itself. A case that was once claimed cannot be
refused or withdrawn any more, so nothing given here is ever taken back.
"""

from __future__ import annotations

from datetime import datetime

from models.base.ids import derived_id
from models.base.store import Transaction
from models.cases import rules
from models.cases.tables import CaseRow, ReportRow
from models.points.entities import Act
from models.points.ledger import Ledger
from models.points.posting import Posting


def award_id(report_id: str) -> str:
    """The transfer that pays a report, once."""
    return derived_id("trf", "report", report_id)


def maturity_id(report_id: str) -> str:
    """The transfer that makes a report's points available, once."""
    return derived_id("trf", "report.maturity", report_id)


def act_of(case: CaseRow, rule: str, units: int, *, at: datetime) -> Act:
    """A report of a case as the rules of points see it; ``at`` is when it was sent."""
    return Act(
        rule=rule,
        at=at,
        grid_id=case.grid_id,
        quantity=units,
        severity=case.severity,
    )


def add_first_award(tx: Transaction, ledger: Ledger, case: CaseRow, now: datetime) -> None:
    """Let the first reporter's pending points join the claim; nothing on a second claim.

    A part of a split case shares its origin's report, which is paid there.
    """
    if case.parent_id is not None:
        return
    rule, units = rules.award_for(
        ordinal=1, waited=now - now, echo=0, is_moving=bool(case.is_moving)
    )
    posting = ledger.plan_award(
        member_id=case.member_id,
        county=case.county,
        transfer_id=award_id(case.report_id),
        act=act_of(case, rule, units, at=case.created_at),
        now=now,
        matures_at=now + rules.MATURES_AFTER,
        source={"case": case.case_id, "report": case.report_id},
    )
    posting.add_to(tx)


def add_first_maturity(tx: Transaction, ledger: Ledger, case: CaseRow, now: datetime) -> None:
    """Let the first reporter's points become available together with the closing."""
    if case.parent_id is not None:
        return
    _maturity(ledger, case.member_id, case.report_id, now).add_to(tx)


def award_joiner(ledger: Ledger, case: CaseRow, report: ReportRow, now: datetime) -> None:
    """Pay one who joined, in a transaction of its own; safe to repeat."""
    rule, units = rules.award_for(
        ordinal=report.ordinal,
        waited=report.submitted_at - case.created_at,
        # Reports from before echoes were counted know only how many joined before them.
        echo=report.ordinal - 1 if report.echo is None else report.echo,
        is_moving=rules.is_moving(report.speed_mps),
    )
    ledger.post(
        lambda: ledger.plan_award(
            member_id=report.member_id,
            county=case.county,
            transfer_id=award_id(report.report_id),
            act=act_of(case, rule, units, at=report.submitted_at),
            now=now,
            matures_at=now + rules.MATURES_AFTER if case.closed_at is None else None,
            source={"case": case.case_id, "report": report.report_id},
        )
    )


def mature_joiner(ledger: Ledger, report: ReportRow, now: datetime) -> None:
    """Make the points of one who joined available; safe to repeat."""
    ledger.post(lambda: _maturity(ledger, report.member_id, report.report_id, now))


def _maturity(ledger: Ledger, member_id: str, report_id: str, now: datetime) -> Posting:
    return ledger.plan_maturity(
        member_id=member_id,
        award_transfer_id=award_id(report_id),
        transfer_id=maturity_id(report_id),
        now=now,
    )
