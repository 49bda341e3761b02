"""What the reporters of merged cases are paid: what they would have been, had they joined.

The rule, for a case together with what was merged into it (the whole):

* The whole is as old as its earliest report. The claim of the case that goes on freezes that
  instant: nothing that is merged later makes anybody's report later than it was.
* Whoever reported before it or within ten minutes after it found the thing himself: first points.
* Whoever came later is an echo: joiner's points. One who had filed a case of his own always has
  them, because he found it by himself; of those who joined, the first three of each case.
* Who was riding when he captured it is paid nothing, and takes nobody's place.
* Nobody is paid twice for one whole: of several reports of one member the best counts.
* Nothing paid is taken back. Where a case is told apart again and more is due, the rest is paid.

So neither the order of merging, nor which of two cases goes on, nor the order of arrival within
the ten minutes changes what anybody has in the end; only a claim, which is a promise, does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from models.base.ids import derived_id
from models.base.store import Stale, Transaction
from models.cases import awards, rules
from models.cases.followers import Share, reports_of, whole_of
from models.cases.tables import CaseRow, ReportRow
from models.points import corrections
from models.points.entities import Act
from models.points.ledger import Ledger, transfer
from models.points.posting import Posting
from models.points.tables import TransferRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One report of a whole. ``case_id`` is where it was sent, ``is_own`` whether it made it."""

    report_id: str
    member_id: str
    case_id: str
    is_own: bool
    at: datetime
    is_moving: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """The rule that pays a report by itself, and how many units of it: 0 for who is not paid."""

    rule: str
    units: int


def credits_of(findings: Iterable[Finding], first_at: datetime) -> Mapping[str, Credit]:
    """The worth of each report of a whole that is as old as ``first_at``, by report id.

    Pure, and the same for any order of ``findings``.
    """
    worth: dict[str, Credit] = {}
    echoes: dict[str, int] = {}
    for found in sorted(findings, key=lambda found: (found.at, found.report_id)):
        if found.is_moving:
            worth[found.report_id] = Credit(rule=rules.MOVING_RULE, units=0)
            continue
        if found.at <= first_at + rules.CO_DISCOVERY:
            rule = rules.FIRST_RULE if found.is_own else rules.CO_DISCOVERY_RULE
            worth[found.report_id] = Credit(rule=rule, units=1)
            continue
        joined = 0 if found.is_own else echoes.get(found.case_id, 0) + 1
        echoes[found.case_id] = max(joined, echoes.get(found.case_id, 0))
        units = 1 if joined <= rules.PAID_JOINERS else 0
        worth[found.report_id] = Credit(rule=rules.JOINER_RULE, units=units)
    return worth


def is_whole(case: CaseRow) -> bool:
    """Whether a case was ever part of a merge, so that this module decides what it pays."""
    return bool(case.merged) or case.first_at is not None


def first_at_of(parent: CaseRow, shares: Iterable[Share]) -> datetime:
    """How old a whole is: frozen once it was claimed."""
    if parent.claimed_at is not None:
        return parent.first_at or parent.created_at
    return min(share.case.created_at for share in shares)


def award_whole(ledger: Ledger, parent: CaseRow, now: datetime) -> None:
    """Pay every report of a whole what is still due to it; safe to repeat.

    Each in a transaction of its own. Raises ``Unavailable`` while the index of joiners lags.
    """
    shares = whole_of(parent)
    first_at, findings = first_at_of(parent, shares), _findings(shares)
    worth = credits_of(findings, first_at)
    for found in findings:
        paying = _Paying(ledger, parent, found, worth[found.report_id], findings, now)
        ledger.post(paying.plan)


def add_first_award(
    tx: Transaction, ledger: Ledger, case: CaseRow, now: datetime
) -> Mapping[str, datetime]:
    """Let what the first reporter is due join the claim; nothing for a part of a split case.

    Answers what the claim writes on the case besides: how old the whole is from now on.
    """
    if not is_whole(case) or case.parent_id is not None:
        awards.add_first_award(tx, ledger, case, now)
        return {}
    shares = whole_of(case)
    first_at, findings = first_at_of(case, shares), _findings(shares)
    worth = credits_of(findings, first_at)[case.report_id]
    own = next(found for found in findings if found.report_id == case.report_id)
    _Paying(ledger, case, own, worth, findings, now).plan().add_to(tx)
    return {"first_at": first_at}


def award_others(ledger: Ledger, case: CaseRow, now: datetime) -> None:
    """Pay everybody whom the claim did not pay; safe to repeat. Raises ``Unavailable``."""
    if is_whole(case):
        award_whole(ledger, case, now)
        return
    for report in reports_of(case):
        if report.ordinal > 1:
            awards.award_joiner(ledger, case, report, now)


def award_joined(ledger: Ledger, case: CaseRow, report: ReportRow, now: datetime) -> None:
    """Pay one who joined a case that had been claimed; safe to repeat."""
    if is_whole(case):
        award_whole(ledger, case, now)
    else:
        awards.award_joiner(ledger, case, report, now)


def mature_others(ledger: Ledger, case: CaseRow, now: datetime) -> None:
    """Make available what everybody got but the first reporter, whose points the closing matured;
    after ``award_others``."""
    for share in whole_of(case):
        for report in share.reports:
            if report.report_id not in (case.report_id, _report_paid_elsewhere(share.case)):
                awards.mature_joiner(ledger, report, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """What was due for the same thing before, and the rules whose caps saw it then."""

    gross: int = 0
    rules: frozenset[str] = frozenset()

    def and_(self, paid: Paid) -> _Before:
        return _Before(gross=self.gross + paid.gross, rules=self.rules | paid.rules)


@dataclass(frozen=True, slots=True)
class _Paying:
    """One report's payment, planned anew for as long as others are quicker."""

    ledger: Ledger
    parent: CaseRow
    found: Finding
    worth: Credit
    findings: Sequence[Finding]
    now: datetime

    def plan(self) -> Posting:
        """Award it, or what is still missing of it; what was paid is looked at twice, so that a
        payment in between, which the wallet's version does not show, is not overlooked. What
        limits kept back counts as paid: it is not due again."""
        others = self._due_to_same_member()
        transfer_id, before = self._missing(others)
        posting = self.ledger.plan_award(
            member_id=self.found.member_id,
            county=self.parent.county,
            transfer_id=transfer_id,
            act=self._act(before),
            now=self.now,
            matures_at=self.now + rules.MATURES_AFTER if self.parent.closed_at is None else None,
            source={"case": self.parent.case_id, "report": self.found.report_id},
        )
        if self._due_to_same_member() != others:
            raise Stale
        return posting

    def _act(self, before: _Before) -> Act:
        """The act whose rest is due. What was paid as an echo is no report yet for the caps."""
        at, rule = self.found.at, self.worth.rule
        group = self.ledger.rule(rule, at).group
        counted = any(self.ledger.rule(name, at).group == group for name in before.rules)
        act = awards.act_of(self.parent, rule, self.worth.units, at=at)
        return replace(act, paid=before.gross, counted=counted)

    def _missing(self, others: _Before) -> tuple[str, _Before]:
        """The transfer that pays, and what was due before it; that of the award when that is all.

        ``others`` is what was due for the same member's other reports.
        """
        report_id = self.found.report_id
        award_id, due = awards.award_id(report_id), self.ledger.worth(self._act(others))
        award = transfer(award_id)
        if award is None or gross_of(award) >= due:
            return award_id, others
        paid = paid_with_rests(report_id, award, transfer(rest_id(report_id)))
        return (paid.next_id, others.and_(paid)) if paid.gross < due else (award_id, others)

    def _due_to_same_member(self) -> _Before:
        before = _Before()
        for other in self.findings:
            is_his = other.member_id == self.found.member_id
            award = transfer(awards.award_id(other.report_id)) if is_his else None
            if award is not None and other.report_id != self.found.report_id:
                rest = transfer(rest_id(other.report_id))
                before = before.and_(paid_with_rests(other.report_id, award, rest))
        return before


def rest_id(report_id: str) -> str:
    """The transfer that pays what was missing of a report's award, once."""
    return derived_id("trf", "report.rest", report_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """What a report was paid: ``points`` were granted of the ``gross`` that was due, the rest kept
    back by ``limit``; ``rules`` are those whose caps saw it, and ``next_id`` is the transfer that
    would pay what is missing now."""

    points: int
    gross: int
    limit: str | None
    rules: frozenset[str]
    next_id: str


def gross_of(row: TransferRow) -> int:
    """What an award would have been without limits."""
    return row.points if row.gross is None else row.gross


def paid_with_rests(report_id: str, award: TransferRow, rest: TransferRow | None) -> Paid:
    """All that a report was paid.

    A report that was merged and told apart again and again may have had several rests; each is
    known by what had been due before it.
    """
    points, gross, next_id = award.points, gross_of(award), rest_id(report_id)
    limit, gave = award.limit, _rule_of(award)
    while rest is not None:
        points, gross = points + rest.points, gross + gross_of(rest)
        limit, gave = rest.limit or limit, gave | _rule_of(rest)
        next_id = derived_id("trf", "report.rest", report_id, str(gross))
        rest = transfer(next_id)
    return Paid(points=points, gross=gross, limit=limit, rules=gave, next_id=next_id)


def _rule_of(row: TransferRow) -> frozenset[str]:
    """The rule whose caps saw the act with this award; none where nothing was given, or where
    another report's award had been counted: told apart, that one is no longer the same act."""
    if not row.points or row.counted:
        return frozenset()
    return frozenset({corrections.rule_of(row.own_legs).partition("@")[0]})


def _findings(shares: Iterable[Share]) -> list[Finding]:
    """All reports but those that a split shares with its origin, which pays for them."""
    return [
        Finding(
            report_id=report.report_id,
            member_id=report.member_id,
            case_id=share.case.case_id,
            is_own=report.ordinal == 1,
            at=report.submitted_at,
            is_moving=rules.is_moving(report.speed_mps),
        )
        for share in shares
        for report in share.reports
        if report.ordinal > 1 or share.case.parent_id is None
    ]


def _report_paid_elsewhere(case: CaseRow) -> str | None:
    return case.report_id if case.parent_id is not None else None
