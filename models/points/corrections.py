"""Legs of what two people decide: taking back, setting right, writing off. Pure.

Taking never fails: what is not there is owed, and what goes beyond the cap of debt is written off
at once (``rules.owe``). Held points are promised to a reward and are never touched.
"""

from __future__ import annotations

from collections.abc import Iterable

from models.points import rules
from models.points.entities import Accounts, Legs


def net_credit(awarded: Legs) -> int:
    """What an award gave its member to keep: without what repaid his debt at once.

    ``awarded`` are the award's own legs. It is the most that can be taken back.

    >>> net_credit({"iss:report.first@1": -10, "d": 3, "a:2028-03": 7})
    7
    """
    return rules.total(awarded, rules.AVAILABLE) + rules.total(awarded, rules.PENDING)


def rule_of(awarded: Legs) -> str:
    """The rule, with its version, under which an award was given.

    >>> rule_of({"iss:report.first@1": -10, "a:2028-03": 10})
    'report.first@1'
    """
    prefix = rules.issued("")
    return next(name.removeprefix(prefix) for name in awarded if name.startswith(prefix))


def claw_back(accounts: Accounts, awarded: Legs, *, points: int) -> Legs:
    """Take points of an award back: its own pending part first, then other pending points from the
    newest, then available ones from those that expire first, then debt.

    ``awarded`` are the award's own legs; ``points`` is above 0 and at most ``net_credit``.
    *Source:* the ledger's policy of claw-backs, 2026-11-23: order 2, limit 3.
    """
    if not 0 < points <= net_credit(awarded):
        raise ValueError("a claw-back takes what its award gave, and no more")
    own = [
        (account, min(given, accounts.get(account, 0)))
        for account, given in sorted(awarded.items())
        if account.startswith(rules.PENDING)
    ]
    taken = _drained([*own, *_pending(accounts, but=dict(own)), *_available(accounts)], points)
    owed = rules.owe(accounts, points + sum(taken.values()))
    return rules.merge({rules.issued(rule_of(awarded)): points}, taken, owed)


def deduct(accounts: Accounts, *, points: int, reason: str) -> Legs:
    """Take points away to set something right: available ones first, then debt."""
    taken = _drained(_available(accounts), points)
    owed = rules.owe(accounts, points + sum(taken.values()))
    return rules.merge({rules.adjusted(reason): points}, taken, owed)


def credit(accounts: Accounts, *, points: int, repays: int, reason: str, month: str) -> Legs:
    """Give points to set something right; at most ``repays`` of them go into debt.

    ``month`` (``YYYY-MM``) is the last in which the rest is valid.
    """
    repaid = min(-accounts.get(rules.DEBT, 0), repays, points)
    target = f"{rules.AVAILABLE}{month}"
    return rules.merge(
        {rules.adjusted(reason): -points}, {rules.DEBT: repaid}, {target: points - repaid}
    )


def write_off(accounts: Accounts, *, points: int, reason: str, keeps: int = 0) -> Legs:
    """Forgive debt, as far as there is any left beyond what he ``keeps``: it may have been repaid
    since it was asked for."""
    forgiven = max(0, min(points, -accounts.get(rules.DEBT, 0) - keeps))
    return rules.merge({rules.DEBT: forgiven}, {rules.written_off(reason): -forgiven})


def incurred(entries: Iterable[Legs]) -> int:
    """The debt that entries made, whatever was repaid: repayment goes to the oldest debt first.

    >>> incurred([{"d": -9, "iss:r@1": 9}, {"d": 4, "a:2028-03": 4, "iss:r@1": -8}])
    9
    """
    return sum(max(0, -legs.get(rules.DEBT, 0)) for legs in entries)


def restores(taken: Legs) -> tuple[int, int]:
    """What giving back a taking credits: points, and how many of them repay the debt it made.

    ``taken`` are the taking's own legs. What was written off was never paid by the member.

    >>> restores({"adj:doubled": 9, "a:2028-03": -4, "d": -3, "wo:cap": -2})
    (7, 3)
    """
    own = -sum(points for account, points in taken.items() if rules.is_own(account))
    return own, -taken.get(rules.DEBT, 0)


def _pending(accounts: Accounts, *, but: Accounts) -> list[tuple[str, int]]:
    """Other pending points, those that mature last first; of an account shared with what was taken
    before, the rest."""
    return [
        (account, accounts[account] - but.get(account, 0))
        for account in sorted(accounts, reverse=True)
        if account.startswith(rules.PENDING)
    ]


def _available(accounts: Accounts) -> list[tuple[str, int]]:
    return [
        (account, accounts[account])
        for account in sorted(accounts)
        if account.startswith(rules.AVAILABLE)
    ]


def _drained(sources: Iterable[tuple[str, int]], points: int) -> Legs:
    """Take up to ``points`` out of accounts, in their order."""
    taken: list[Legs] = []
    for account, there in sources:
        part = min(points, there)
        taken.append({account: -part})
        points -= part
    return rules.merge(*taken)
