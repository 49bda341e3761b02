"""What each kind of entry must do, by the judge's own rules: it follows, and blames.

Each answers what counter-accounts the entry moves; lots and takings are changed on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from infra.prove.ledger import queues, rulings
from infra.prove.ledger.allowances import Granted
from infra.prove.ledger.days import (
    DAY_MS,
    MINUTE_MS,
    day_of,
    day_text,
    midnight,
    month_of,
    month_text,
)
from infra.prove.ledger.rows import Change, Row, amounts, document, moment, text, whole
from infra.prove.ledger.tasks import Act, Taking

if TYPE_CHECKING:
    from infra.prove.ledger.judge import Judge

Changes = Mapping[str, Sequence[Change]]
Counter = Mapping[str, int]

UNDO_MS = 5 * MINUTE_MS
GRACE_MS = 5 * MINUTE_MS
_DOERS = {
    "award": ("award", "approve"),
    "adjustment": ("approve",),
    "write_off": ("approve",),
    "claw_back": ("approve",),
    "maturity": ("mature",),
    "hold": ("redeem",),
    "settle": ("fulfil", "reveal"),
    "reinstate": ("undo",),
    "refund": ("undo", "refund"),
    "release": ("cancel", "sweep", "allot", "drop", "close"),
}


def follow(judge: Judge, entry: Row, at: int, changes: Changes) -> Counter:
    """Follow one entry. Raises ``Impossible`` where the lots do not allow it."""
    kind = text(entry, "kind")
    doer = judge.running.task.action if judge.running else ""
    if doer not in _DOERS.get(kind, ()):
        judge.blame("I6", f"{kind} {text(entry, 'transfer_id')} was posted by {doer or 'nobody'}")
    return _FOLLOW[kind](judge, entry, at, changes)


def _award(judge: Judge, entry: Row, at: int, changes: Changes) -> Counter:
    transfer, member = text(entry, "transfer_id"), text(entry, "member_id")
    reference = document(entry, "source").get("reference", transfer)
    act, purse = judge.acts.get(reference), judge.purse(member)
    if act is None:
        judge.blame("I14", f"{transfer} of {member} was never done")
        return {}
    granted = judge.allowances.grant(member, act)
    judge.allowances.use(member, act, granted)
    _check_inputs(judge, entry, act, granted)
    _check_caps(judge, member, act, changes)
    _count_act(judge, act, at, granted)
    judge.met["award in debt"] += purse.debt > 0
    points = granted.granted
    repaid = purse.award(points=points, day=day_of(at), ripe=act.ripe, award=transfer)
    judge.met["odd award"] += points % 2
    judge.met["debt repaid"] += repaid > 0
    judge.given[transfer] = judge.moved = points
    judge.credits[transfer] = (member, points - repaid, granted.rule)
    if repaid:
        judge.offset.add(transfer)
    if reference == transfer:
        judge.did(f"posted {points}", transfer=transfer)
    return {f"iss:{granted.rule}": -points}


def _check_inputs(judge: Judge, entry: Row, act: Act, granted: Granted) -> None:
    """What the entry says of its amount is what the judge finds."""
    said = document(entry, "source").get("inputs", {})
    told = (text(entry, "rule"), said.get("gross"), said.get("granted"))
    if told != (granted.rule, granted.gross, granted.granted):
        judge.blame("I14", f"{text(entry, 'transfer_id')} says {told}, it must be {granted}")
    before = (said.get("paid", 0), said.get("counted", False), said.get("units", act.quantity))
    if before != (act.paid, act.counted, granted.units):
        judge.blame("I14", f"{text(entry, 'transfer_id')} says {before} of {act}, {granted}")
    limit = said.get("limit")
    if (limit is None) != (not granted.limits) or (limit and limit not in granted.limits):
        judge.blame("I11", f"{text(entry, 'transfer_id')} met {limit}, it must be {granted}")


def _check_caps(judge: Judge, member: str, act: Act, changes: Changes) -> None:
    """Rows of caps and budgets say what the judge has counted."""
    day, month = day_of(act.at), month_of(day_of(act.at))
    for change in changes.get("point-caps", ()):
        row, allowances = change.row, judge.allowances
        points = {day_text(d)[8:]: n for d, n in allowances.points.get((member, month), {}).items()}
        units = {
            (group, day_text(d)[8:]): n
            for (group, d), n in allowances.units.get((member, month), {}).items()
        }
        said = {
            (group, d): int(n["N"])
            for group, tally in row["acts"]["M"].items()
            for d, n in tally["M"].items()
        }
        key = text(row, "member_id"), text(row, "month")
        if key != (member, month_text(month)) or amounts(row, "points") != points or said != units:
            judge.blame("I11", f"caps of {key}: {row}, it must be {points}, {units}")
    for change in changes.get("point-budgets", ()):
        row = change.row
        place = text(row, "campaign"), act.grid or "-", day
        left = whole(row, "cap") - judge.allowances.spent[place]
        if text(row, "place_day") != f"{place[1]}#{day_text(day)}" or whole(row, "rem") != left:
            judge.blame("I11", f"budget {row} must have {left} left of {place}")


def _count_act(judge: Judge, act: Act, at: int, granted: Granted) -> None:
    met = judge.met
    for name in granted.limits:
        met[f"met {name}"] += 1
    met_acts = any(name.startswith("act_") for name in granted.limits)
    met["a rest met a cap on acts"] += met_acts and act.paid > 0
    met["a rest that was counted"] += act.counted and granted.granted > 0
    met["verified on a later day"] += day_of(at) != day_of(act.at)
    version = judge.allowances.sheet(act.rule, at).version
    met["rule changed in between"] += not granted.rule.endswith(f"@{version}")
    close = abs(act.at - midnight(day_of(act.at + MINUTE_MS))) < MINUTE_MS
    met["cap at midnight"] += close and bool(granted.limits)
    met["zero award"] += not granted.granted


def _maturity(judge: Judge, entry: Row, at: int, _: Changes) -> Counter:
    award = str(document(entry, "source")["award"])
    if award not in judge.posted:
        judge.blame("I6", f"{award} matured before it was there")
    moved = judge.purse(text(entry, "member_id")).ripen(award)
    judge.met["matured early" if moved else "matured by itself"] += 1
    judge.did(f"posted {judge.given[award]}", transfer=text(entry, "transfer_id"))
    return {}


def _hold(judge: Judge, entry: Row, at: int, changes: Changes) -> Counter:
    row = _one(judge, changes, "redemptions", entry)
    if row is None or row.before is not None:
        judge.blame("I7", f"{text(entry, 'transfer_id')} holds for what is no new redemption")
        return {}
    reward = text(row.row, "reward_id")
    taking = Taking(
        redemption=text(row.row, "redemption_id"),
        member=text(entry, "member_id"),
        reward=reward,
        points=judge.shelf[reward].price,
        state="reserved",
        reserved=at,
        taken=at,
        born=judge.now(),
        expires=at + judge.shelf[reward].valid_days * DAY_MS,
        shard=text(row.row, "stock_shard"),
    )
    if not judge.has_room(taking.member, reward, at):
        judge.blame("I11", f"{taking.member} takes more of {reward} than he may")
    if taking.member in judge.frozen:
        judge.blame("I2", f"{taking.member} is frozen and spends")
    judge.took(taking)
    judge.purse(taking.member).hold(taking.redemption, taking.points)
    if judge.shelf[reward].is_allotted:
        taking.state, taking.expires = "queued", at + queues.WAIT_MS
        judge.waiting[taking.redemption] = taking
        queues.queue(judge, taking, row.row)
    else:
        take(judge, taking, changes)
    _check_row(judge, row.row, taking)
    told = f"{taking.state} {taking.redemption} {taking.expires}"
    judge.did(told, transfer=text(entry, "transfer_id"))
    return {}


def take(judge: Judge, taking: Taking, changes: Changes) -> None:
    """A taking becomes a voucher: one from stock, and one code."""
    judge.waiting.pop(taking.redemption, None)
    _stock(judge, taking, -1)
    if judge.shelf[taking.reward].codes is None:
        _give_code(judge, taking, changes)
    else:
        _give_unit(judge, taking, changes)


def _settle(judge: Judge, entry: Row, at: int, changes: Changes) -> Counter:
    taking = _flip(judge, entry, changes, before=("reserved",), after=("fulfilled",))
    if taking is None:
        return {}
    if at >= taking.expires:
        judge.blame("I7", f"{taking.redemption} was fulfilled at {at}, over at {taking.expires}")
    assert judge.running is not None
    taking.pieces = judge.purse(taking.member).let_go(taking.redemption)
    taking.fulfilled, taking.scope = at, judge.running.task.scope
    _check_place(judge, entry, taking)
    is_revealed = judge.running.task.action == "reveal"
    judge.met["revealed"] += is_revealed
    if is_revealed == (judge.shelf[taking.reward].codes is None):
        judge.blame("I7", f"{taking.redemption} was handed over by {judge.running.task.ident}")
    judge.did(f"fulfilled {taking.redemption} {at}", transfer=text(entry, "transfer_id"))
    return {f"red:{taking.reward}": taking.points}


def _undo(judge: Judge, entry: Row, at: int, changes: Changes) -> Counter:
    taking = _flip(
        judge, entry, changes, before=("fulfilled",), after=("reserved", "expired", "refunded")
    )
    if taking is None:
        return {}
    assert taking.fulfilled is not None
    _check_place(judge, entry, taking)
    if not changes.get("reversals"):
        judge.blame("I7", f"{taking.redemption} was taken back, and {taking.scope} has no reversal")
    if taking.state == "refunded":
        return _refund(judge, entry, at, taking, changes)
    if at > taking.fulfilled + UNDO_MS:
        judge.blame("I7", f"{taking.redemption} was undone {at - taking.fulfilled} ms later")
    if (at >= taking.expires) != (taking.state == "expired"):
        judge.blame("I7", f"{taking.redemption} became {taking.state} when undone")
    purse = judge.purse(taking.member)
    if taking.state == "expired":
        judge.met["undone past the end"] += 1
        _back(judge, taking, at)
        _give_up(judge, taking, changes)
    else:
        purse.held[taking.redemption] = taking.pieces
    taking.fulfilled, taking.scope, taking.pieces, taking.proposed_by = None, "", (), ""
    judge.did(f"{taking.state} {taking.redemption} {at}", transfer=text(entry, "transfer_id"))
    return {f"red:{taking.reward}": -taking.points}


def _refund(judge: Judge, entry: Row, at: int, taking: Taking, changes: Changes) -> Counter:
    assert judge.running is not None
    if not taking.proposed_by or taking.proposed_by == judge.running.task.member:
        judge.blame("I15", f"{taking.redemption} was refunded by {taking.proposed_by} alone")
    if not changes.get("outbox"):
        judge.blame("I17", f"nobody is told that {taking.redemption} was refunded")
    judge.met["refunded"] += 1
    _back(judge, taking, at)
    taking.pieces = ()
    judge.did(f"refunded {taking.redemption} {at}", transfer=text(entry, "transfer_id"))
    return {f"red:{taking.reward}": -taking.points}


def _check_place(judge: Judge, entry: Row, taking: Taking) -> None:
    place = document(entry, "source").get("place")
    if place != taking.scope:
        judge.blame("I7", f"{taking.redemption} is {taking.scope}'s, its entry says {place}")


def _release(judge: Judge, entry: Row, at: int, changes: Changes) -> Counter:
    ends = ("cancelled", "expired", "declined")
    taking = _flip(judge, entry, changes, before=("queued", "reserved"), after=ends)
    if taking is None:
        return {}
    is_waiting = judge.waiting.pop(taking.redemption, None) is not None
    taking.pieces = judge.purse(taking.member).let_go(taking.redemption)
    _back(judge, taking, at)
    taking.pieces = ()
    if not is_waiting:
        _give_up(judge, taking, changes)
    if (taking.state == "declined") != (is_waiting and _doer(judge) in ("allot", "drop")):
        judge.blame("I7", f"{taking.redemption} became {taking.state} by {_doer(judge)}")
    if taking.state == "declined" and _doer(judge) == "allot" and at < taking.expires:
        judge.blame("I7", f"{taking.redemption} was declined at {at}, it ends at {taking.expires}")
    if _doer(judge) == "close" and not judge.shelf[taking.reward].is_closing:
        judge.blame("I7", f"{taking.redemption} was cancelled, others hand it over, too")
    judge.met["let go by a merchant who closes"] += _doer(judge) == "close"
    judge.met["declined"] += taking.state == "declined"
    is_swept = judge.running is not None and judge.running.task.action == "sweep"
    if is_swept != (taking.state == "expired"):
        judge.blame("I7", f"{taking.redemption} became {taking.state}")
    if is_swept:
        if at < taking.expires + GRACE_MS:
            judge.blame("I7", f"{taking.redemption} ended at {at}, not due at {taking.expires}")
        if not changes.get("outbox"):
            judge.blame("I17", f"nobody is told that {taking.redemption} ended")
    if _doer(judge) in ("allot", "drop", "close") and not changes.get("outbox"):
        judge.blame("I17", f"nobody is told that {taking.redemption} is {taking.state}")
    judge.met["cancelled past the end"] += not is_swept and at >= taking.expires
    judge.did(f"{taking.state} {taking.redemption} {at}", transfer=text(entry, "transfer_id"))
    return {}


def _back(judge: Judge, taking: Taking, at: int) -> None:
    late = judge.purse(taking.member).give_back(taking.pieces, day_of(at))
    judge.met["back into a month of grace"] += late > 0


def _flip(
    judge: Judge, entry: Row, changes: Changes, *, before: Sequence[str], after: Sequence[str]
) -> Taking | None:
    """The taking that an entry is about, in its new state."""
    change = _one(judge, changes, "redemptions", entry)
    taking = judge.takings.get(text(change.row, "redemption_id")) if change else None
    if change is None or taking is None:
        judge.blame("I7", f"{text(entry, 'transfer_id')} came without its redemption")
        return None
    state = text(change.row, "state")
    if taking.state not in before or state not in after:
        what = f"{taking.redemption} went from {taking.state} to {state}"
        judge.blame("I7", f"{text(entry, 'kind')}: {what}")
        return None
    taking.state = state
    _check_row(judge, change.row, taking)
    return taking


def _check_row(judge: Judge, row: Row, taking: Taking) -> None:
    told = (
        text(row, "member_id"),
        text(row, "reward_id"),
        whole(row, "points"),
        text(row, "state"),
        moment(row, "expires_at"),
        bool(text(row, "due_shard")),
    )
    own = (
        taking.member,
        taking.reward,
        taking.points,
        taking.state,
        taking.expires,
        taking.state == "reserved",
    )
    if told != own:
        judge.blame("I7", f"{taking.redemption} says {told}, it must be {own}")


def _give_code(judge: Judge, taking: Taking, changes: Changes) -> None:
    codes = changes.get("redemption-codes", ())
    if len(codes) != 1 or text(codes[0].row, "redemption_id") != taking.redemption:
        judge.blame("I10", f"{taking.redemption} has {len(codes)} codes")
        return
    owner = judge.codes.setdefault(text(codes[0].row, "code_key"), taking.redemption)
    if owner != taking.redemption:
        judge.blame("I10", f"{owner} and {taking.redemption} have one code")


def _give_unit(judge: Judge, taking: Taking, changes: Changes) -> None:
    """An imported code goes to one voucher at a time."""
    found = changes.get("code-pools", ())
    if len(found) != 1 or text(found[0].row, "redemption_id") != taking.redemption:
        judge.blame("I10", f"{taking.redemption} has {len(found)} imported codes")
        return
    unit = text(found[0].row, "unit_id")
    if judge.units.get(unit) or text(found[0].row, "reward_id") != taking.reward:
        judge.blame("I10", f"{unit} is {judge.units.get(unit)}'s, and goes to {taking.redemption}")
    judge.units[unit] = taking.redemption
    judge.given_codes[taking.reward] += 1
    judge.met["an imported code"] += 1


def _give_up(judge: Judge, taking: Taking, changes: Changes) -> None:
    """Stock goes back, and an imported code that nobody saw."""
    _stock(judge, taking, 1)
    if judge.shelf[taking.reward].codes is None:
        return
    found = changes.get("code-pools", ())
    unit = text(found[0].row, "unit_id") if found else ""
    if judge.units.get(unit) != taking.redemption or text(found[0].row, "redemption_id"):
        judge.blame("I10", f"{taking.redemption} ends, its code {unit} does not come back")
        return
    judge.units[unit] = ""
    judge.given_codes[taking.reward] -= 1


def _doer(judge: Judge) -> str:
    return judge.running.task.action if judge.running else ""


def _stock(judge: Judge, taking: Taking, more: int) -> None:
    places = judge.places(taking.reward, taking.taken)
    if taking.shard not in places:
        judge.blame("I9", f"{taking.redemption} takes from {taking.shard}, there are {places}")
        return
    place = (taking.reward, taking.shard)
    left = judge.stock.get(place, places[taking.shard]) + more
    judge.stock[place] = left
    judge.met["the last one"] += more < 0 and not left
    judge.met["from another shard"] += more < 0 and any(
        not judge.stock.get((taking.reward, other), 1) for other in places if other != taking.shard
    )
    if not 0 <= left <= places[taking.shard]:
        judge.blame("I9", f"{left} of {places[taking.shard]} are left of {place}")


def _one(judge: Judge, changes: Changes, table: str, entry: Row) -> Change | None:
    wanted = document(entry, "source").get("redemption_id")
    for change in changes.get(table, ()):
        if text(change.row, "redemption_id") == wanted:
            return change
    return None


_FOLLOW: Mapping[str, Callable[[Judge, Row, int, Changes], Counter]] = {
    "award": _award,
    "maturity": _maturity,
    "hold": _hold,
    "settle": _settle,
    "reinstate": _undo,
    "refund": _undo,
    "release": _release,
    **rulings.FOLLOW,
}
