"""What two people decide about points, by the judge's own rules: it follows, and blames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from infra.prove.ledger.days import DAY_MS, SKEW_MS, day_of
from infra.prove.ledger.lots import Taken
from infra.prove.ledger.rows import Change, Row, document, moment, text, whole
from infra.prove.ledger.tasks import Proposal, Running

if TYPE_CHECKING:
    from infra.prove.ledger.judge import Judge

Changes = Mapping[str, Sequence[Change]]
Counter = Mapping[str, int]

ACTS = ("hardship", "service_hours", "activity", "correction")
DECIDED_WITHIN_MS = 60 * DAY_MS
"""Of an act: as long as the caps of its day are surely known."""
LEADS_TO = {"approve": "posted", "decline": "declined", "withdraw": "withdrawn"}


def adjustment(judge: Judge, entry: Row, at: int, _: Changes) -> Counter:
    """Set something right."""
    proposal = _approved(judge, entry)
    if proposal is None:
        return {}
    purse, points = judge.purse(proposal.member), proposal.amount
    account = f"adj:{proposal.reason}"
    judge.moved = points
    if points > 0:
        purse.credit(points, repays=points // 2, day=day_of(at))
        return {account: -points}
    taken = purse.deduct(-points)
    judge.met["deducted into debt"] += taken.owed > 0
    return {account: -points, "wo:cap": -taken.lost}


def write_off(judge: Judge, entry: Row, at: int, _: Changes) -> Counter:
    """Forgive debt, as far as there is any left."""
    proposal = _approved(judge, entry)
    if proposal is None:
        return {}
    judge.moved = judge.purse(proposal.member).forgive(proposal.amount)
    judge.met["written off"] += judge.moved > 0
    return {f"wo:{proposal.reason}": -judge.moved}


def claw_back(judge: Judge, entry: Row, at: int, _: Changes) -> Counter:
    """Take points of an award back, once, and never more than it gave to keep."""
    proposal = _approved(judge, entry)
    if proposal is None:
        return {}
    award, points = proposal.reference, proposal.amount
    owner, net, rule = judge.credits.get(award, ("", 0, ""))
    if owner != proposal.member or not 0 < points <= net or award in judge.taken_back:
        judge.blame("I13", f"{points} of {award} are taken back, it gave {net} to {owner}")
    judge.taken_back.add(award)
    taken = judge.purse(proposal.member).claw_back(award, points)
    _count(judge, award, taken)
    judge.moved = points
    return {f"iss:{rule}": points, "wo:cap": -taken.lost}


def follow_proposals(judge: Judge, changes: Changes) -> None:
    """Proposals come from who makes them, and change once, by another."""
    for change in changes.get("point-proposals", ()):
        key = text(change.row, "proposal_id")
        if change.before is None:
            _proposed(judge, key, change.row)
        else:
            _decided(judge, key, change.row, changes)


def refusals(judge: Judge, running: Running) -> Iterator[str]:
    """The refusals of a decision that would be right now."""
    task = running.task
    proposal = judge.proposals.get(task.redemption)
    decision = task.action
    if proposal is None:
        yield "proposal.not_found"
    elif proposal.state != "proposed":
        yield f"proposal.decided_before state={proposal.state}"
    elif decision == "withdraw" and proposal.maker != task.member:
        yield "proposal.not_own"
    elif decision != "withdraw" and proposal.maker == task.member:
        yield "proposal.own"
    elif decision == "approve" and _is_too_old(proposal, judge.now()):
        yield "proposal.too_old"
    elif decision == "approve" and proposal.about in judge.settled:
        yield "proposal.reference_posted"


def _proposed(judge: Judge, key: str, row: Row) -> None:
    assert judge.running is not None
    wish, doer = judge.running.task.wish, judge.running.task.member
    proposal = Proposal(
        kind=text(row, "kind"),
        member=text(row, "member_id"),
        amount=whole(row, "amount"),
        reason=text(row, "reason"),
        reference=text(row, "reference"),
        maker=text(row, "maker"),
        at=moment(row, "proposed_at") or 0,
    )
    net = judge.credits.get(proposal.reference, ("", 0, ""))[1]
    if abs(proposal.at - judge.now()) > SKEW_MS:
        judge.blame("I12", f"{key} is dated {proposal.at}, it is {judge.now()}")
    if wish is None or proposal.maker != doer or proposal.about != wish.about:
        judge.blame("I15", f"{key} says {proposal}, {doer} wished {wish}")
    elif proposal.amount != (wish.amount or net):
        judge.blame("I15", f"{key} is about {proposal.amount}, not {wish.amount or net}")
    judge.proposals[key] = proposal
    judge.open.append(key)


def _decided(judge: Judge, key: str, row: Row, changes: Changes) -> None:
    assert judge.running is not None
    proposal, task = judge.proposals[key], judge.running.task
    state, checker = text(row, "state"), text(row, "checker")
    is_own = checker == proposal.maker
    if proposal.state != "proposed" or is_own != (state == "withdrawn"):
        judge.blame("I15", f"{key} of {proposal} became {state} by {checker}")
    if (checker, state) != (task.member, LEADS_TO.get(task.action, "")):
        judge.blame("I15", f"{key} became {state}, {task.member} wished to {task.action}")
    if state == "posted" and _is_too_old(proposal, judge.now()):
        judge.blame("I15", f"{key} of {proposal} was approved too late")
    if (state == "posted") != bool(changes.get("entries")):
        judge.blame("I6", f"{key} became {state} with {changes.get('entries')}")
    proposal.state, proposal.checker = state, checker
    points = None
    if state == "posted":
        judge.settled.add(proposal.about)
        points = judge.moved
        if points and not changes.get("outbox"):
            judge.blame("I17", f"nobody is told of {key}")
    judge.met[f"{proposal.kind} {state}"] += 1
    judge.did(f"{state} {points}", transfer=key)


def _is_too_old(proposal: Proposal, now: int) -> bool:
    return proposal.kind in ACTS and now - proposal.at > DECIDED_WITHIN_MS


def _approved(judge: Judge, entry: Row) -> Proposal | None:
    """The proposal that an entry names; that it is approved at this moment is seen on its row."""
    proposal = judge.proposals.get(str(document(entry, "source").get("proposal")))
    is_his = proposal is not None and proposal.member == text(entry, "member_id")
    if proposal is None or not is_his or proposal.state != "proposed":
        judge.blame("I15", f"{text(entry, 'transfer_id')} posts {proposal}")
        return None
    return proposal


def _count(judge: Judge, award: str, taken: Taken) -> None:
    met = judge.met
    met["claw-back of pending"] += taken.pending > 0
    met["claw-back of available"] += taken.available > 0
    met["claw-back into debt"] += taken.owed > 0
    met["claw-back beyond the cap of debt"] += taken.lost > 0
    met["claw-back after debt offset"] += award in judge.offset


FOLLOW: Mapping[str, Callable[[Judge, Row, int, Changes], Counter]] = {
    "adjustment": adjustment,
    "write_off": write_off,
    "claw_back": claw_back,
}
