"""An entry that nobody approved, or one person alone, is found by the audit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.base.clock import FixedClock
from models.base.store import change
from models.base.tables import Database
from models.points import approvals
from models.points.checking import check_all
from models.points.proposal_tables import ProposalRow
from models.points.tables import EntryRow, TransferRow
from tests.support.points import award
from tests.support.proposals import Office, proposal


@pytest.fixture
def office(database: Database, clock: FixedClock) -> Office:
    return Office(clock)


@pytest.fixture
def rider(office: Office) -> Iterator[str]:
    """A member with an award, its claw-back, an act and an adjustment, all as they should be."""
    member_id = office.rider().member_id
    paid = award(member_id, 10).transfer_id
    office.post(member_id, kind="claw_back", reason="staged", reference=paid, points=6)
    office.post(member_id, kind="activity", reason="meeting")
    office.post(member_id, kind="adjustment", points=4, reason="missing")
    assert faults(member_id) == []
    yield member_id
    for row in EntryRow.query(member_id, page_size=100):  # other tests' audits see none of it
        row.delete()


def faults(member_id: str) -> list[tuple[int, str]]:
    rows = list(EntryRow.query(member_id, page_size=100))
    return [(found.seq, found.code) for found in approvals.unapproved(rows)]


def proposed(member_id: str, seq: int) -> ProposalRow:
    rows = {int(row.seq): row for row in EntryRow.query(member_id, page_size=100)}
    return proposal(rows[seq].source["proposal"])


def test_an_entry_without_its_proposal_is_found(rider: str) -> None:
    proposed(rider, 2).delete()
    change(proposed(rider, 3), [ProposalRow.state.set("declined")])
    change(proposed(rider, 4), [ProposalRow.transfer_id.set("trf_other")])

    assert faults(rider) == [(2, "entry.proposal"), (3, "entry.proposal"), (4, "entry.proposal")]


def test_an_entry_that_one_person_made_alone_is_found(rider: str) -> None:
    row = proposed(rider, 4)
    change(row, [ProposalRow.checker.set(row.maker)])

    assert faults(rider) == [(4, "entry.one_person")]


def test_a_proposal_that_was_edited_is_found_with_its_entry(rider: str) -> None:
    change(proposed(rider, 4), [ProposalRow.amount.set(40)])
    change(proposed(rider, 2), [ProposalRow.amount.set(11)])

    assert faults(rider) == [
        (2, "entry.content"),
        (2, "entry.amount"),
        (2, "entry.beyond"),
        (4, "entry.content"),
        (4, "entry.amount"),
    ]


def test_a_proposal_that_says_it_posted_though_nothing_did_is_found_by_the_audit(
    rider: str,
) -> None:
    row = proposed(rider, 4)
    TransferRow(row.transfer_id or "").delete()

    found = {(one.member_id, one.code) for one in check_all().faults}

    assert (rider, "proposal.transfer") in found
    row.delete()
