"""A line of the statement in plain words: what it was for, which limit was met, what else it did.

Pure. Each sentence follows from the entry alone, so it can be written again from what was hashed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from models.points import rules
from models.points.entities import Entry, EntryKind
from models.points.proposal_rules import ACTS, Kind
from models.points.proposal_rules import REASONS as WHY

REASONS: Mapping[str, tuple[str, str]] = {
    "report.first": ("首次上报问题被受理", "First report of a problem accepted"),
    "report.early": ("与首报同时发现问题", "Found the problem at the same time"),
    "report.joiner": ("共同上报同一问题", "Joined the report of a problem"),
    "report.moving": ("行驶中拍摄，不计积分", "Captured while moving: no points"),
    "recheck.passed": ("复拍核实", "Looked at a fix again"),
    "station.check_in": ("驿站打卡", "Checked in at a station"),
    "correction.accepted": ("纠错被采纳", "Correction accepted"),
    "service.hour": ("志愿服务时长", "Hours of voluntary service"),
    "activity.attended": ("参加活动", "Took part in an activity"),
    "hardship.grant": ("关爱补助", "Hardship grant"),
    "maturity": ("问题办结，积分到账", "Case closed, points available"),
    "hold": ("兑换权益，积分暂扣", "Reward reserved, points held"),
    "settle": ("权益已核销", "Reward fulfilled"),
    "reinstate": ("核销已撤销，积分恢复暂扣", "Fulfilment undone, points held again"),
    "release": ("兑换已取消或过期，积分退回", "Reservation ended, points returned"),
    "refund": ("核销已撤销，积分退回", "Fulfilment undone, points returned"),
    "award": ("获得积分", "Points awarded"),
    "adjustment": ("积分更正", "Points corrected"),
    "write_off": ("欠分核销", "Debt written off"),
    "claw_back": ("积分收回", "Points taken back"),
}
"""What for, in Chinese and English: an award by its rule without the version, others by kind."""

LIMITS: Mapping[str, tuple[str, str]] = {
    "act_day": ("当日此项已达上限", "this act's limit of the day was reached"),
    "act_week": ("当周此项已达上限", "this act's limit of the week was reached"),
    "act_month": ("当月此项已达上限", "this act's limit of the month was reached"),
    "total_day": ("当日积分已达上限", "the day's limit of points was reached"),
    "total_month": ("当月积分已达上限", "the month's limit of points was reached"),
    "budget": ("此处当日积分预算已用完", "the day's budget of this place was used up"),
}
"""Which limit kept an award below what the act is worth."""

_DECIDED: Mapping[str, Kind] = {rule: kind for kind, rule in ACTS.items()} | {
    kind.value: kind for kind in (Kind.ADJUSTMENT, Kind.WRITE_OFF, Kind.CLAW_BACK)
}
_LIMIT = ("已达上限", "a limit was reached")
_ZH, _EN = 0, 1


def sentence(entry: Entry, language: str = "zh") -> str:
    """Say in one sentence what an entry did and why; ``en``, or else Chinese."""
    spoken = _EN if language == "en" else _ZH
    what = _what(entry)[spoken]
    return ("; " if spoken == _EN else "；").join([what, *(c[spoken] for c in _clauses(entry))])


def limit_of(entry: Entry) -> str | None:
    """The limit that an award met; None: it was given in full."""
    limit = _inputs(entry).get("limit")
    return str(limit) if limit else None


def gross_of(entry: Entry) -> int | None:
    """What an award would have been without limits; None for what is no award under a rule."""
    gross = _inputs(entry).get("gross")
    return gross if isinstance(gross, int) else None


def _what(entry: Entry) -> tuple[str, str]:
    found = REASONS.get(entry.rule.partition("@")[0]) or REASONS[entry.kind.value]
    taken = REASONS.get(str(entry.source.get("rule", "")).partition("@")[0])
    if entry.kind is EntryKind.CLAW_BACK and taken:
        found = (f"{found[_ZH]}（{taken[_ZH]}）", f"{found[_EN]} ({taken[_EN]})")
    why = _why(entry)
    return (f"{found[_ZH]}：{why[_ZH]}", f"{found[_EN]}: {why[_EN]}") if why else found


def _why(entry: Entry) -> tuple[str, str] | None:
    """Why two people decided so, by the code of their reason; None where nobody had to."""
    kind = _DECIDED.get(entry.rule.partition("@")[0]) or _DECIDED.get(entry.kind.value)
    return WHY[kind].get(str(entry.source.get("reason"))) if kind else None


def _clauses(entry: Entry) -> Iterator[tuple[str, str]]:
    yield from _limited(entry)
    legs = entry.legs
    debt = legs.get(rules.DEBT, 0)
    if debt > 0 and entry.kind is not EntryKind.WRITE_OFF:
        yield f"其中 {debt} 分归还欠分", f"{debt} of them repaid debt"
    if debt < 0:
        yield f"其中 {-debt} 分记为欠分", f"{-debt} of them became debt"
    spared = legs.get(rules.written_off("cap"), 0)
    if spared:
        text = f"超出欠分上限的 {abs(spared)} 分免除"
        yield text, f"{abs(spared)} points beyond the most that can be owed were dropped"
    matured = _matured(entry)
    if matured:
        yield f"此前待到账的 {matured} 分已到账", f"{matured} pending points became available"
    expired = legs.get(rules.EXPIRED, 0)
    if expired:
        yield f"到期积分清除 {expired}", f"{expired} expired points removed"


def _limited(entry: Entry) -> Iterator[tuple[str, str]]:
    limit, gross = limit_of(entry), gross_of(entry)
    if limit is None or gross is None:
        return
    granted = int(_inputs(entry).get("granted", 0))
    zh, en = LIMITS.get(limit, _LIMIT)
    if granted:
        yield f"{zh}，少得 {gross - granted} 分", f"{en}: {gross - granted} points fewer"
    else:
        yield f"{zh}，本次不计分", f"{en}: no points this time"


def _matured(entry: Entry) -> int:
    """Points whose day had come before this entry and that became available with it."""
    if entry.kind in (EntryKind.MATURITY, EntryKind.CLAW_BACK, EntryKind.ADJUSTMENT):
        return 0  # these move pending points themselves
    return -sum(n for account, n in entry.legs.items() if n < 0 and _is_pending(account))


def _is_pending(account: str) -> bool:
    return account.startswith(rules.PENDING)


def _inputs(entry: Entry) -> Mapping[str, Any]:
    found = entry.source.get("inputs")
    return found if isinstance(found, Mapping) else {}
