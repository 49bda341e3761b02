"""How points move: pure functions from balances to legs.

Every movement is legs that sum to zero. What matured or expired since a member's last entry is
found by ``roll`` and folded into his next one, so no schedule is needed for a balance to be right.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

from models.base.errors import Conflict
from models.points.entities import Accounts, Entry, Legs

LIFETIME_MONTHS = 24
GRACE = timedelta(days=30)
"""What goes back into an expired bucket stays valid for this long, to the end of that month."""

DEBT_CAP = 500
"""No member owes more: what is taken back beyond it is written off at once."""

AVAILABLE = "a:"
PENDING = "p:"
HELD = "h"
DEBT = "d"
EXPIRED = "exp"
GENESIS = "0" * 64

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


class Overdrawn(ValueError):
    """Legs that leave less than nothing in an account: what they were built on has moved."""


def is_own(account: str) -> bool:
    """Whether the account is the member's (its balance is stored) and not a counter-account."""
    return account in (HELD, DEBT) or account.startswith((AVAILABLE, PENDING))


def issued(rule: str) -> str:
    """The counter-account of what a rule gives."""
    return f"iss:{rule}"


def redeemed(reward_id: str) -> str:
    """The counter-account of what a reward takes."""
    return f"red:{reward_id}"


def adjusted(reason: str) -> str:
    """The counter-account of what two people set right."""
    return f"adj:{reason}"


def written_off(reason: str) -> str:
    """The counter-account of debt that nobody will repay."""
    return f"wo:{reason}"


def expiry_month(today: str, months: int = LIFETIME_MONTHS) -> str:
    """The month up to whose end points of ``today`` (``YYYY-MM-DD``, China) stay valid.

    *Source:* decision 4, points older than 24 months expire (rounded up to the month's end).

    >>> expiry_month("2026-11-23")
    '2028-11'
    """
    year, month = int(today[:4]), int(today[5:7])
    count = year * 12 + month - 1 + months
    return f"{count // 12:04d}-{count % 12 + 1:02d}"


def merge(*parts: Legs) -> Legs:
    """Add legs up, account by account; what cancels out is left away."""
    sums: Counter[str] = Counter()
    for part in parts:
        sums.update(part)
    return {account: sums[account] for account in sorted(sums) if sums[account]}


def apply(accounts: Accounts, legs: Legs) -> Accounts:
    """The member's accounts after the legs.

    Raises ``ValueError`` when the legs do not sum to zero, which is a bug; ``Overdrawn`` when they
    leave less than nothing in an account (more than nothing in debt).
    """
    if sum(legs.values()):
        raise ValueError(f"legs do not sum to zero: {dict(legs)}")
    after = merge(accounts, {account: n for account, n in legs.items() if is_own(account)})
    if any((points < 0) != (account == DEBT) for account, points in after.items()):
        raise Overdrawn(dict(after))
    return after


def roll(accounts: Accounts, *, today: str) -> Legs:
    """What matures and then expires by itself up to ``today`` (``YYYY-MM-DD``, China)."""
    matured = merge(
        *(
            {account: -points, _matures_into(account): points}
            for account, points in accounts.items()
            if account.startswith(PENDING) and _day(account) <= today
        )
    )
    expired = merge(
        *(
            {account: -points, EXPIRED: points}
            for account, points in apply(accounts, matured).items()
            if account.startswith(AVAILABLE) and _month(account) < today[:7]
        )
    )
    return merge(matured, expired)


def award(accounts: Accounts, *, points: int, rule: str, month: str, day: str | None) -> Legs:
    """Give points, pending until ``day`` (None: available at once); half of them repays debt."""
    if points < 0:
        raise ValueError("an award is never negative")
    repaid = min(-accounts.get(DEBT, 0), points // 2)
    target = f"{AVAILABLE}{month}" if day is None else f"{PENDING}{day}:{month}"
    return merge({issued(rule): -points}, {DEBT: repaid}, {target: points - repaid})


def owe(accounts: Accounts, points: int) -> Legs:
    """Owe points that are not there to be taken; what goes beyond the cap is written off at once.

    >>> owe({"d": -490}, 25)
    {'d': -10, 'wo:cap': -15}
    """
    owed = min(points, max(0, DEBT_CAP + accounts.get(DEBT, 0)))
    return merge({DEBT: -owed}, {written_off("cap"): owed - points})


def mature(accounts: Accounts, awarded: Legs, taken_back: Legs | None = None) -> Legs:
    """Make an award available before its day; nothing moves when its day has come already.

    ``awarded`` are the award's own legs, ``taken_back`` those of its claw-back. Awards of one day
    share an account: each takes out no more than it put in and than is left there, and the day
    empties the account as a whole.
    """
    left = merge(awarded, taken_back or {})
    moved = {
        account: min(left.get(account, 0), accounts.get(account, 0))
        for account in awarded
        if account.startswith(PENDING)
    }
    return merge(
        *(
            {account: -points, _matures_into(account): points}
            for account, points in moved.items()
            if points > 0
        )
    )


def hold(accounts: Accounts, *, points: int) -> Legs:
    """Set available points aside, those that expire first first.

    Raises ``Conflict("points.insufficient")`` with ``missing`` points.
    """
    legs = {HELD: points}
    left = points
    for account in sorted(account for account in accounts if account.startswith(AVAILABLE)):
        taken = min(left, accounts[account])
        if taken:
            legs[account] = -taken
        left -= taken
    if left:
        raise Conflict("points.insufficient", missing=left, price=points)
    return legs


def settle(held: Legs, *, reward_id: str) -> Legs:
    """Spend what a hold set aside; ``held`` are the hold's own legs."""
    return {HELD: -held[HELD], redeemed(reward_id): held[HELD]}


def reinstate(held: Legs, *, reward_id: str) -> Legs:
    """Hold again what was spent: a fulfilment is undone."""
    return {HELD: held[HELD], redeemed(reward_id): -held[HELD]}


def release(held: Legs, *, today: str) -> Legs:
    """Give a hold back, into the buckets it came from."""
    return merge({HELD: -held[HELD]}, _back(held, today))


def refund(held: Legs, *, reward_id: str, today: str) -> Legs:
    """Give back what was spent, into the buckets it came from."""
    return merge({redeemed(reward_id): -held[HELD]}, _back(held, today))


def fold(entries: Iterable[Entry]) -> Accounts:
    """The accounts that entries add up to."""
    return merge(
        *({account: n for account, n in e.legs.items() if is_own(account)} for e in entries)
    )


def body_text(entry: Entry, *, posted_at: str) -> str:
    """An entry as it is hashed and exported: JSON without spaces, keys sorted, as UTF-8.

    Everything in the entry counts; none of it is personal text, so erasing a person leaves the
    chain whole.
    """
    return _canonical(
        {
            "member_id": entry.member_id,
            "seq": entry.seq,
            "transfer_id": entry.transfer_id,
            "kind": entry.kind.value,
            "rule": entry.rule,
            "county": entry.county,
            "legs": dict(entry.legs),
            "source": dict(entry.source),
            "posted_at": posted_at,
        }
    )


def link(head: str, text: str) -> str:
    """The hash of a body that follows an entry with hash ``head`` (``GENESIS`` for the first)."""
    return hashlib.sha256(f"{head}|{text}".encode()).hexdigest()


def chain(head: str, entry: Entry, *, posted_at: str) -> str:
    """The hash of an entry that follows one with hash ``head``."""
    return link(head, body_text(entry, posted_at=posted_at))


def total(accounts: Accounts, prefix: str) -> int:
    """Points in all accounts whose name starts with ``prefix``."""
    return sum(points for account, points in accounts.items() if account.startswith(prefix))


def _back(held: Legs, today: str) -> Legs:
    """A bucket that is past would lose the points at once: they get a month of grace."""
    grace = (date.fromisoformat(today) + GRACE).isoformat()[:7]
    return merge(
        *(
            {account if _month(account) >= today[:7] else f"{AVAILABLE}{grace}": -points}
            for account, points in held.items()
            if account.startswith(AVAILABLE)
        )
    )


def _day(account: str) -> str:
    return account.split(":")[1]


def _month(account: str) -> str:
    return account.rsplit(":", 1)[1]


def _matures_into(account: str) -> str:
    return f"{AVAILABLE}{_month(account)}"
