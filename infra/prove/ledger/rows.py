"""Rows as they travel, read without the product: what a judge needs of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.prove.ledger.days import ms_of

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One write of a commit: what stood there (None: nothing), and what stands there now."""

    table: str
    before: Row | None
    after: Row | None

    @property
    def row(self) -> Row:
        """What stands there, or stood there if it is gone."""
        row = self.after if self.after is not None else self.before
        assert row is not None
        return row


def text(row: Row, name: str) -> str:
    """A text; "" where there is none."""
    return str(row[name]["S"]) if name in row else ""


def whole(row: Row, name: str) -> int:
    """A whole number; 0 where there is none."""
    return int(row[name]["N"]) if name in row else 0


def moment(row: Row, name: str) -> int | None:
    """An instant in milliseconds."""
    return ms_of(row[name]["S"]) if name in row else None


def amounts(row: Row, name: str) -> dict[str, int]:
    """Points by account."""
    return {account: int(points["N"]) for account, points in row[name]["M"].items()}


def document(row: Row, name: str) -> Any:
    """What a column of JSON holds."""
    return json.loads(row[name]["S"])


def wallet_accounts(row: Row) -> dict[str, int]:
    """A wallet's balances by account, without those that are empty."""
    sums = {f"a:{name}": points for name, points in amounts(row, "available").items()}
    sums |= {f"p:{name}": points for name, points in amounts(row, "pending").items()}
    sums |= {"h": whole(row, "held"), "d": -whole(row, "debt")}
    return {account: points for account, points in sums.items() if points}


def chained(head: str, entry: Row) -> str:
    """The hash that an entry must have behind ``head``: of all it says, in one spelling."""
    body = {
        "member_id": text(entry, "member_id"),
        "seq": int(text(entry, "seq")),
        "transfer_id": text(entry, "transfer_id"),
        "kind": text(entry, "kind"),
        "rule": text(entry, "rule"),
        "county": text(entry, "county"),
        "legs": amounts(entry, "legs"),
        "source": document(entry, "source"),
        "posted_at": text(entry, "posted_at"),
    }
    spelled = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{head}|{spelled}".encode()).hexdigest()


def by_table(changes: Sequence[Change]) -> dict[str, list[Change]]:
    """The writes of a commit by table."""
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(change.table, []).append(change)
    return found
