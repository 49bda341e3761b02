"""Which refusals would be right, at this moment, for a command that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from infra.prove.ledger import rulings
from infra.prove.ledger.days import MINUTE_MS, day_of
from infra.prove.ledger.moves import UNDO_MS
from infra.prove.ledger.tasks import Running, Taking

if TYPE_CHECKING:
    from infra.prove.ledger.judge import Judge

FINAL = ("points.insufficient", "reward.sold_out", "reward.limit_reached")
"""Refusals to redeem that must be written down, so that a late twin cannot succeed after them."""

_BY_STATE = {
    "reserved": "redemption.not_fulfilled",
    "fulfilled": "redemption.already_fulfilled",
    "cancelled": "redemption.cancelled",
    "expired": "redemption.expired",
    "refunded": "redemption.refunded",
    "queued": "redemption.queued",
    "declined": "redemption.declined",
}


def right_now(judge: Judge, running: Running) -> set[str]:
    """The refusals that the judge's model allows as things stand, in words."""
    task = running.task
    record = judge.done.get(task.ident)
    if record is not None:
        if record.content != task.content:
            return {"request.reused"}
        return {record.told[1:]} if record.told.startswith("!") else set()
    found = _BY_ACTION.get(task.action)
    return set(found(judge, running)) if found else set()


def _redeem(judge: Judge, running: Running) -> Iterator[str]:
    task = running.task
    price = judge.shelf[task.reward].price
    available = judge.purse(task.member).available(day_of(running.now))
    if available < price:
        yield f"points.insufficient missing={price - available}"
    offered = judge.shelf[task.reward]
    is_gone = not judge.left(task.reward, running.now)
    if offered.codes is not None:  # which codes are free is looked up in an index
        is_gone |= not judge.free_codes(task.reward) or judge.has_lagged(running)
    if is_gone and not offered.is_allotted:
        yield "reward.sold_out"
    if not judge.has_room(task.member, task.reward, running.now):
        yield "reward.limit_reached"
    if task.reward in judge.retired:
        yield "reward.not_found"
    if task.member in judge.frozen:
        yield "points.frozen"


def _cancel(judge: Judge, running: Running) -> Iterator[str]:
    taking = judge.takings.get(running.task.redemption)
    if taking is None or taking.member != running.task.member:
        yield "redemption.not_found"
    elif taking.state not in ("queued", "reserved"):
        yield f"{_BY_STATE[taking.state]} state={taking.state}"


def _reveal(judge: Judge, running: Running) -> Iterator[str]:
    taking = judge.takings.get(running.task.redemption)
    if taking is None or taking.member != running.task.member:
        yield "redemption.not_found"
    elif judge.shelf[taking.reward].codes is None:
        yield "redemption.not_pooled"
    elif taking.state not in ("reserved", "fulfilled"):
        yield f"{_BY_STATE[taking.state]} state={taking.state}"
    elif taking.state == "reserved" and running.now >= taking.expires:
        yield "redemption.expired state=reserved"


def _drop(judge: Judge, running: Running) -> Iterator[str]:
    taking = judge.takings[running.task.redemption]
    if taking.state not in ("queued", "declined"):
        yield f"{_BY_STATE[taking.state]} state={taking.state}"


def _fulfil(judge: Judge, running: Running) -> Iterator[str]:
    taking = _theirs(judge, running)
    if running.task.shown_at is None and judge.has_tried_enough(running.now):
        yield "redemption.too_many_tries"
    if taking is None or (running.task.shown_at is None and not taking.shard):
        yield "redemption.not_found"  # who waits has no code yet
    elif taking.member == running.task.member:
        yield "redemption.own"
    elif taking.state != "reserved":
        yield f"{_BY_STATE[taking.state]} state={taking.state}"
    elif running.now >= taking.expires:
        yield "redemption.expired state=reserved"
    elif not _is_fresh(running):
        yield "redemption.qr_stale"


def _undo(judge: Judge, running: Running) -> Iterator[str]:
    taking = _theirs(judge, running)
    if taking is None or taking.scope not in ("", running.task.scope):
        if taking is not None and taking.member == running.task.member:
            yield "redemption.own"
        yield "redemption.not_found"
    elif taking.member == running.task.member:
        yield "redemption.own"
    elif taking.state != "fulfilled":
        yield f"{_BY_STATE[taking.state]} state={taking.state}"
    elif taking.fulfilled is not None and running.now > taking.fulfilled + UNDO_MS:
        yield "redemption.undo_too_late state=fulfilled"


def _propose(judge: Judge, running: Running) -> Iterator[str]:
    taking = judge.takings[running.task.redemption]
    if taking.state != "fulfilled":
        yield f"{_BY_STATE[taking.state]} state={taking.state}"
    elif taking.proposed_by:
        yield "redemption.refund_proposed"


def _refund(judge: Judge, running: Running) -> Iterator[str]:
    taking = judge.takings[running.task.redemption]
    if taking.state != "fulfilled":
        yield f"{_BY_STATE[taking.state]} state={taking.state}"
    elif not taking.proposed_by:
        yield "redemption.refund_not_proposed"
    elif taking.proposed_by == running.task.member:
        yield "redemption.refund_own_proposal"


def _thaw(judge: Judge, running: Running) -> Iterator[str]:
    if running.task.member not in judge.frozen:
        yield "points.not_frozen"
    if not judge.purse(running.task.member).version:
        yield "not_found"


def _mature(judge: Judge, running: Running) -> Iterator[str]:
    if judge.posted.get(running.task.content) != running.task.member:
        yield "transfer.not_found"


def _is_fresh(running: Running) -> bool:
    """A QR payload is good in its minute, the one before and the one after."""
    shown = running.task.shown_at
    return shown is None or abs(shown // MINUTE_MS - running.now // MINUTE_MS) <= 1


def _theirs(judge: Judge, running: Running) -> Taking | None:
    """The taking, where the one who asks may hand such a reward over."""
    taking = judge.takings.get(running.task.redemption)
    if taking is None:
        return None
    offered = judge.shelf[taking.reward]
    return None if offered.codes is not None or offered.is_closing else taking


_BY_ACTION: Mapping[str, Callable[[Judge, Running], Iterator[str]]] = {
    "redeem": _redeem,
    "cancel": _cancel,
    "fulfil": _fulfil,
    "undo": _undo,
    "reveal": _reveal,
    "drop": _drop,
    "propose": _propose,
    "refund": _refund,
    "approve": rulings.refusals,
    "decline": rulings.refusals,
    "withdraw": rulings.refusals,
    "thaw": _thaw,
    "mature": _mature,
}
