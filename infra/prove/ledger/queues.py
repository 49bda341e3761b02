"""What is allotted rather than sold: who waits, who is served, by the judge's own order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from infra.prove.ledger.days import DAY_MS, MINUTE_MS, day_of, month_of
from infra.prove.ledger.rows import Change, Row, moment, text
from infra.prove.ledger.tasks import Taking

if TYPE_CHECKING:
    from infra.prove.ledger.judge import Judge

Changes = Mapping[str, Sequence[Change]]

WAIT_MS = 90 * DAY_MS
SETTLED_MS = MINUTE_MS
"""Who asked later than this is not served yet: an index may still miss who asked before him."""
GRANT = "hardship.grant"


def queue(judge: Judge, taking: Taking, row: Row) -> None:
    """Put a taking in its queue: hardship first, then days waited, points, and the instant."""
    at, member = taking.reserved, taking.member
    month = month_of(day_of(at))
    is_hardship = any(
        group == GRANT and units
        for each in (month, month - 1)
        for (group, _), units in judge.allowances.units.get((member, each), {}).items()
    )
    purse = judge.purse(member)
    points = purse.available(day_of(at)) + purse.holds()
    taking.rank = (0 if is_hardship else 1, day_of(at), -points, at)
    said = text(row, "queue_rank").split("|")
    if (said[1], int(said[3])) != (str(taking.rank[0]), 99_999_999 - points):
        judge.blame("I7", f"{taking.redemption} waits as {said}, it must be {taking.rank}")
    judge.met["queued in hardship" if is_hardship else "queued"] += 1


def allotted(judge: Judge, change: Change, changes: Changes) -> None:
    """One who waits is served: from stock, with a code, told, and before everybody behind him."""
    taking, row = judge.takings[text(change.row, "redemption_id")], change.row
    assert judge.running is not None
    at = judge.running.now
    if taking.state != "queued" or judge.running.task.action != "allot":
        judge.blame("I7", f"{taking.redemption} was allotted while {taking.state}")
        return
    if at < taking.reserved + SETTLED_MS or taking.expires <= at:
        judge.blame("I7", f"{taking.redemption} asked at {taking.reserved} and was served at {at}")
    if not judge.has_lagged(judge.running):
        _check_order(judge, taking)
    taking.state, taking.shard = "reserved", text(row, "stock_shard")
    taking.taken, taking.expires = at, at + judge.shelf[taking.reward].valid_days * DAY_MS
    if moment(row, "expires_at") != taking.expires or not text(row, "due_shard"):
        judge.blame("I7", f"{taking.redemption} was allotted until {row['expires_at']}")
    if not changes.get("outbox"):
        judge.blame("I17", f"nobody is told that {taking.redemption} was allotted")
    judge.met["allotted"] += 1


def _check_order(judge: Judge, taking: Taking) -> None:
    running = judge.running
    assert running is not None
    before = [
        other.redemption
        for other in judge.queued(taking.reward)
        if other.rank < taking.rank and other.born < running.began
    ]
    if before:
        judge.blame("I7", f"{taking.redemption} was served before {before}")
    judge.met["one overtaken"] += any(
        other.reserved < taking.reserved for other in judge.queued(taking.reward)
    )
