"""What must hold when a history has ended: the tables say what the judge's model says, no more."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from infra.prove.fake.service import Fake
from infra.prove.ledger.days import MINUTE_MS
from infra.prove.ledger.judge import Judge
from infra.prove.ledger.rows import text, whole

PASSING = frozenset({"code-tries"})
"""Rows of a minute, with random marks: no two runs need have the same."""


def check_ended(judge: Judge, fake: Fake) -> None:
    """In the end the tables say what the judge's model says, and nothing more."""
    late = 15 * MINUTE_MS
    for taking in judge.takings.values():
        if taking.state == "reserved" and taking.expires + late < judge.now():
            judge.blame("I17", f"{taking.redemption} is open, over at {taking.expires}")
        if taking.state == "reserved" and taking.reward in judge.retired:
            judge.blame("I17", f"{taking.redemption} is open, its merchant has closed")
        row = fake.database.tables["redemptions"].rows.get((taking.redemption, ""))
        if row is None or text(row, "state") != taking.state:
            judge.blame("I7", f"{taking.redemption} is {row}, it must be {taking.state}")
    counts = {
        "redemptions": len(judge.takings),
        "redemption-codes": len(judge.codes),
        "entries": len(judge.posted),
        "transfers": len(judge.posted)
        + sum(record.told.startswith("!") for record in judge.done.values()),
        "wallets": sum(purse.version > 0 for purse in judge.purses.values()),
    }
    for name, expected in counts.items():
        found = len(fake.database.tables[name].rows)
        if found != expected:
            judge.blame("I5", f"{name} has {found} rows, not {expected}")
    for row in fake.database.tables["wallets"].rows.values():
        held = sum(
            taking.points
            for taking in judge.takings.values()
            if taking.state in ("queued", "reserved") and taking.member == text(row, "member_id")
        )
        if whole(row, "held") != held:
            judge.blame("I8", f"{text(row, 'member_id')} holds {row['held']}, open are {held}")
    for row in fake.database.tables["stock"].rows.values():
        out = sum(
            taking.state in ("reserved", "fulfilled", "refunded")
            for taking in judge.takings.values()
            if (taking.reward, taking.shard) == (text(row, "reward_id"), text(row, "shard"))
        )
        if whole(row, "cap") - whole(row, "rem") != out:
            judge.blame("I9", f"{out} of {text(row, 'reward_id')} are out, says {row}")


def digest(tables: Mapping[str, Any]) -> str:
    """One hash over all rows of all tables, for two runs of a seed to be compared."""
    sha = hashlib.sha256()
    for name in sorted(tables.keys() - PASSING):
        for key, row in sorted(tables[name].rows.items()):
            sha.update(f"{name}|{key}|{_spelled(row)}\n".encode())
    return sha.hexdigest()


def _spelled(value: Any) -> str:
    if isinstance(value, dict):
        names = sorted(value.keys() - {"sealed"})  # under a nonce of its own in each run
        return "{" + ",".join(f"{name}:{_spelled(value[name])}" for name in names) + "}"
    return str(value)
