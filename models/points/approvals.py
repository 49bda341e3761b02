"""Prove that what two people decide was decided by two: once, as proposed, and within its bounds.

For audits, as ``checking`` is, and never for a request.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from models.base.store import get_many
from models.points import corrections
from models.points.chains import Fault
from models.points.entities import Entry, EntryKind
from models.points.proposal_rules import Draft, Kind, State
from models.points.proposal_tables import ProposalRow
from models.points.proposals import draft_of
from models.points.tables import EntryRow, TransferRow

DECIDED = (EntryKind.ADJUSTMENT, EntryKind.WRITE_OFF, EntryKind.CLAW_BACK)
AT_ONCE = 50


def unapproved(entries: Sequence[EntryRow | Entry]) -> Iterator[Fault]:
    """What is wrong with entries that somebody had to decide on; the others are passed over.

    Codes: ``entry.proposal`` (none that posted it), ``entry.one_person`` (maker and checker are not
    two), ``entry.content`` (the proposal is not what its id says), ``entry.amount`` (other points
    than proposed), ``entry.beyond`` (more taken back than the award left). Two reads for every
    fifty.
    """
    decided = [row for row in entries if row.kind in DECIDED or "proposal" in row.source]
    for start in range(0, len(decided), AT_ONCE):
        some = decided[start : start + AT_ONCE]
        made = get_many([(ProposalRow, (str(row.source.get("proposal", "-")),)) for row in some])
        moved = get_many([(TransferRow, (row.transfer_id,)) for row in some])
        given = get_many([(TransferRow, (str(row.source.get("reference", "-")),)) for row in some])
        for row, proposal, transfer, award in zip(some, made, moved, given, strict=True):
            for code in _faults(row, proposal, transfer, award):
                yield Fault(member_id=row.member_id, code=code, seq=int(row.seq))


def unposted(proposals: Sequence[ProposalRow]) -> Iterator[Fault]:
    """Proposals that say they posted, though there is no such transfer (``proposal.transfer``)."""
    posted = [row for row in proposals if row.state == State.POSTED]
    for start in range(0, len(posted), AT_ONCE):
        some = posted[start : start + AT_ONCE]
        found = get_many([(TransferRow, (row.transfer_id or "-",)) for row in some])
        for row, transfer in zip(some, found, strict=True):
            if not isinstance(transfer, TransferRow) or transfer.member_id != row.member_id:
                yield Fault(member_id=row.member_id, code="proposal.transfer", seq=0)


def _faults(
    entry: EntryRow | Entry, proposal: object, transfer: object, award: object
) -> Iterator[str]:
    if (
        not isinstance(proposal, ProposalRow)
        or proposal.state != State.POSTED
        or (proposal.transfer_id, proposal.member_id) != (entry.transfer_id, entry.member_id)
    ):
        yield "entry.proposal"
        return
    if proposal.checker is None or proposal.checker == proposal.maker:
        yield "entry.one_person"
    draft = draft_of(proposal)
    if draft.proposal_id != proposal.proposal_id:
        yield "entry.content"
    if entry.kind in DECIDED and _moved(transfer) != draft.amount:
        yield "entry.amount"
    if draft.kind is Kind.CLAW_BACK and draft.amount > _left_by(award, draft):
        yield "entry.beyond"


def _moved(transfer: object) -> int | None:
    return transfer.points if isinstance(transfer, TransferRow) else None


def _left_by(award: object, draft: Draft) -> int:
    """What the award left its member; nothing where it is another's."""
    if not isinstance(award, TransferRow) or award.member_id != draft.member_id:
        return 0
    return corrections.net_credit(award.own_legs)
