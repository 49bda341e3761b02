"""Follow a member's entries from a point that is proven: the one way in which a chain is checked.

Pure. The audit, the nightly reconciliation and the benchmark follow chains by this function alone;
the hash itself is ``rules.chain``, which posting uses too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from models.base.clock import utc_text
from models.points import rules
from models.points.entities import Accounts, Entry, Legs


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a member's ledger: a stable ``code``, and at which entry."""

    member_id: str
    code: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What entries 1 to ``version`` amount to: the last hash, and every account they touched.

    ``accounts`` holds the counter-accounts too, so it sums to zero.
    """

    version: int
    head: str
    accounts: Accounts

    @property
    def own(self) -> Accounts:
        """The accounts that the member's wallet stores."""
        return {account: n for account, n in self.accounts.items() if rules.is_own(account)}


START = Point(version=0, head=rules.GENESIS, accounts={})
"""Before the first entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """How far the entries led, and what was wrong on the way.

    ``is_broken``: an entry is missing or cannot be posted, so nothing after it was looked at.
    """

    point: Point
    faults: tuple[Fault, ...]
    is_broken: bool


def follow(member_id: str, start: Point, entries: Iterable[Entry]) -> Followed:
    """Fold and hash entries in order, each once: linear in the legs, whatever the balances hold.

    Codes: ``entry.gap`` (a number is missing), ``entry.owner``, ``entry.hash`` (something in it, or
    before it, was changed), ``entry.legs`` (they do not sum to zero, or they overdraw).
    """
    held = dict(start.accounts)
    version, head = start.version, start.head
    faults: list[Fault] = []
    is_broken = False
    for entry in entries:
        seq = version + 1
        if entry.seq != seq:
            faults.append(Fault(member_id=member_id, code="entry.gap", seq=seq))
            is_broken = True
            break
        if entry.member_id != member_id:
            faults.append(Fault(member_id=member_id, code="entry.owner", seq=seq))
        if rules.chain(head, entry, posted_at=utc_text(entry.posted_at)) != entry.hash:
            faults.append(Fault(member_id=member_id, code="entry.hash", seq=seq))
        if not _post(held, entry.legs):
            faults.append(Fault(member_id=member_id, code="entry.legs", seq=seq))
            is_broken = True
            break
        version, head = seq, entry.hash
    accounts = {account: held[account] for account in sorted(held) if held[account]}
    point = Point(version=version, head=head, accounts=accounts)
    return Followed(point=point, faults=tuple(faults), is_broken=is_broken)


def differences(
    member_id: str, point: Point, *, version: int, head: str, own: Mapping[str, int]
) -> tuple[Fault, ...]:
    """Where a wallet is not what its entries amount to.

    Codes: ``wallet.version``, ``wallet.balance``, ``wallet.head``.
    """
    wrong = {
        "wallet.version": point.version != version,
        "wallet.balance": point.own != own,
        "wallet.head": point.head != head,
    }
    return tuple(
        Fault(member_id=member_id, code=code, seq=version) for code, found in wrong.items() if found
    )


def _post(held: dict[str, int], legs: Legs) -> bool:
    """Add legs to the accounts in place; False, and nothing added, when ``rules.apply`` would
    refuse them."""
    if sum(legs.values()):
        return False
    after = {account: held.get(account, 0) + n for account, n in legs.items()}
    for account, points in after.items():
        if points > 0 if account == rules.DEBT else points < 0 and rules.is_own(account):
            return False
    held.update(after)
    return True
