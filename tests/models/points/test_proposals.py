"""Proposing: what stands is what was said, twice said is once, and every bad line is named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base.clock import FixedClock
from models.base.errors import Invalid
from models.base.tables import Database
from models.points.ledger import transfer
from models.points.proposal_rules import read_draft
from models.points.proposal_tables import ProposalRow
from models.points.proposals import Proposed
from tests.support.faults import Killed, counting, killed_at, lost_reply
from tests.support.people import PSEUDONYMS, a_phone
from tests.support.points import COUNTY, award
from tests.support.proposals import MAKER, Office, a_reference, proposal


@pytest.fixture
def office(database: Database, clock: FixedClock) -> Office:
    return Office(clock)


def refused(proposed: Proposed) -> list[tuple[int, str, str]]:
    return [(bad.line, bad.error.field, bad.error.code) for bad in proposed.refused]


def test_what_is_proposed_waits_and_moves_nothing(office: Office) -> None:
    rider = office.rider().member_id

    proposal_id = office.propose(rider, kind="adjustment", points=7, reason="missing")

    row = proposal(proposal_id)
    assert (row.state, row.maker, row.amount, row.open_county) == ("proposed", MAKER, 7, COUNTY)
    assert transfer(row.transfer_id or "none") is None


def test_the_same_said_twice_is_one_proposal_also_by_another_and_after_a_lost_reply(
    office: Office,
) -> None:
    rider, reference = office.rider().member_id, a_reference()
    said = {"kind": "adjustment", "points": 7, "reason": "missing", "reference": reference}

    with lost_reply("PutItem"):
        first = office.propose(rider, **said)
    again = office.propose(rider, maker="somebody-else", **said)
    other = office.propose(rider, **{**said, "points": 8})

    assert first == again != other
    assert proposal(first).maker == MAKER


def test_a_file_with_bad_lines_names_all_of_them_and_writes_nothing(office: Office) -> None:
    rider = office.rider().member_id
    good = {
        "member_id": rider,
        "kind": "activity",
        "reason": "meeting",
        "reference": a_reference(),
    }
    lines = [
        good,
        {**good, "member_id": "mbr_nobody", "reason": "party", "day": "2026-02-30"},
        good,
        {**good, "kind": "lottery", "reference": "13812345678"},
        {**good, "reference": a_reference(), "day": "2026-03-19"},
        {**good, "reference": "会议", "quantity": "2"},
    ]

    proposed = office.proposals.propose_all(lines, county=COUNTY, actor=MAKER)

    assert refused(proposed) == [
        (3, "member_id", "proposal.unknown_member"),
        (3, "reason", "field.not_allowed"),
        (3, "day", "field.invalid"),
        (4, "reference", "proposal.duplicate"),
        (5, "kind", "field.not_allowed"),
        (5, "reference", "proposal.personal_reference"),
        (6, "day", "field.not_allowed"),
        (7, "quantity", "field.too_large"),
        (7, "reference", "field.invalid"),
    ]
    assert [row for row in ProposalRow.scan(page_size=500) if row.member_id == rider] == []


def test_a_reference_typed_in_other_letters_pays_nothing_twice(office: Office) -> None:
    rider, said = office.rider().member_id, {"kind": "activity", "reason": "meeting"}
    office.post(rider, **said, reference="Meeting-2026-11")
    lines = [
        {**said, "member_id": rider, "reference": "meeting-2026-11"},
        {**said, "member_id": rider, "reference": "MEETING-7"},
        {**said, "member_id": rider, "reference": "Meeting-7"},
    ]

    proposed = office.proposals.propose_all(lines, county=COUNTY, actor=MAKER)

    assert refused(proposed) == [
        (2, "reference", "proposal.reference_posted"),
        (4, "reference", "proposal.duplicate"),
    ]


@pytest.mark.parametrize("personal", ["13812345678", "8613812345678", "tel-8613812345678"])
def test_a_phone_is_no_reference_however_it_is_written(office: Office, personal: str) -> None:
    line = {"kind": "activity", "reason": "meeting", "reference": personal}
    line["member_id"] = office.rider().member_id

    proposed = office.proposals.propose(line, county=COUNTY, actor=MAKER)

    assert refused(proposed) == [(0, "reference", "proposal.personal_reference")]


def test_a_file_is_one_batch_and_finds_members_by_their_phones(office: Office) -> None:
    phone, openid = a_phone(), "o-attendance"
    rider = office.people.sign_in(openid).actor
    office.people.bind(rider, openid, phone)
    other = office.rider().member_id
    activity = {"kind": "activity", "reason": "meeting", "reference": a_reference()}
    lines = [
        {**activity, "phone_key": PSEUDONYMS.phone(phone), "day": "2026-03-17"},
        {**activity, "member_id": other, "phone_key": "", "day": ""},
    ]

    proposed = office.proposals.propose_all(lines, county=COUNTY, actor=MAKER)
    again = office.proposals.propose_all(lines, county=COUNTY, actor=MAKER)

    assert proposed == again
    assert proposed.batch is not None
    assert [(one["member_id"], one["day"]) for one in proposed.proposals] == [
        (rider.member_id, "2026-03-17"),
        (other, "2026-03-18"),
    ]
    waiting = office.proposals.open(COUNTY, batch=proposed.batch)
    assert {one["member_id"] for one in waiting} == {rider.member_id, other}


@pytest.mark.parametrize(
    ("columns", "wrong"),
    [
        ({"kind": "adjustment", "points": 0}, ("points", "field.not_allowed")),
        ({"kind": "adjustment", "points": -3}, ("points", "field.not_allowed")),
        (
            {"kind": "adjustment", "points": 3, "reason": "doubled"},
            ("points", "field.not_allowed"),
        ),
        ({"kind": "adjustment", "points": 1001}, ("points", "field.too_large")),
        ({"kind": "adjustment", "points": True}, ("points", "field.wrong_type")),
        ({"kind": "adjustment", "points": "1.5"}, ("points", "field.wrong_type")),
        ({"kind": "adjustment", "points": "１０"}, ("points", "field.wrong_type")),
        ({"kind": "adjustment"}, ("points", "field.missing")),
        ({"kind": "write_off", "points": -5, "reason": "old"}, ("points", "field.too_small")),
        ({"kind": "service_hours", "reason": "patrol"}, ("quantity", "field.missing")),
        ({"points": 5}, ("kind", "field.missing")),
        ({"kind": "adjustment", "points": 5, "reason": ""}, ("reason", "field.missing")),
        (
            {"kind": "adjustment", "points": 5, "reason": "appeal_upheld"},
            ("reason", "field.not_allowed"),
        ),
        ({"kind": "adjustment", "points": 5, "reference": ""}, ("reference", "field.missing")),
        ({"kind": "activity", "reason": "event", "grid": "a b"}, ("grid", "field.invalid")),
        (
            {"kind": "activity", "reason": "event", "day": "2026-01-01"},
            ("day", "field.not_allowed"),
        ),
        ({"kind": "adjustment", "points": 5, "attempt": 0}, ("attempt", "field.too_small")),
    ],
)
def test_a_bad_column_is_named(
    office: Office, columns: dict[str, object], wrong: tuple[str, str]
) -> None:
    line = {
        "member_id": office.rider().member_id,
        "reason": "missing",
        "reference": a_reference(),
        **columns,
    }

    proposed = office.proposals.propose(line, county=COUNTY, actor=MAKER)

    assert refused(proposed) == [(0, *wrong)]


@pytest.mark.parametrize("actor", ["", " ", "two words", "x" * 257, None, 7, "13812345678"])
def test_nobody_acts_without_a_name_or_under_his_phone(office: Office, actor: object) -> None:
    with pytest.raises(Invalid) as bad:
        office.proposals.propose({}, county=COUNTY, actor=actor)  # type: ignore[arg-type]

    assert [error.field for error in bad.value.fields] == ["actor"]


@pytest.mark.parametrize("count", [0, 1001])
def test_a_file_of_nothing_or_of_too_much_is_refused(office: Office, count: int) -> None:
    proposed = office.proposals.propose_all([{}] * count, county=COUNTY, actor=MAKER)

    code = "field.too_long" if count else "field.missing"
    assert refused(proposed) == [(0, "csv", code)]


def test_a_file_whose_proposing_died_is_finished_by_proposing_it_again(office: Office) -> None:
    riders = [office.rider().member_id for _ in range(2)]

    def lines() -> list[dict[str, object]]:
        said = {"kind": "adjustment", "points": 5, "reason": "missing", "reference": a_reference()}
        return [{**said, "member_id": rider} for rider in riders]

    with counting() as calls:
        office.proposals.propose_all(lines(), county=COUNTY, actor=MAKER)
    first = calls.index("PutItem")
    for number in range(first, len(calls)):
        for applied in (False, True):
            file = lines()
            with pytest.raises(Killed), killed_at(number, applied=applied):
                office.proposals.propose_all(file, county=COUNTY, actor=MAKER)
            again = office.proposals.propose_all(file, county=COUNTY, actor=MAKER)
            waiting = office.proposals.open(COUNTY, batch=again.batch)
            assert sorted(str(one["member_id"]) for one in waiting) == sorted(riders)


_typed = st.one_of(
    st.none(), st.text(max_size=20), st.integers(), st.booleans(), st.floats(), st.just("activity")
)
_columns = ("kind", "reason", "reference", "points", "quantity", "day", "grid", "attempt")


@given(st.dictionaries(st.sampled_from(_columns), _typed))
def test_whatever_is_typed_is_read_or_refused_by_its_column(columns: dict[str, object]) -> None:
    named: set[str] = set()

    try:
        draft = read_draft(columns, county=COUNTY, member_id="mbr_1", today="2026-03-18")
    except Invalid as bad:
        named = {error.field for error in bad.fields}
    else:
        assert draft.proposal_id.startswith("prp_")

    assert named <= set(_columns)


@given(st.dictionaries(st.sampled_from(["amount", "reference", "attempt"]), st.integers(1, 9)))
def test_a_proposals_id_changes_with_everything_in_it(change: dict[str, int]) -> None:
    said = {"kind": "activity", "reason": "meeting", "reference": "act-0"}
    draft = read_draft(said, county=COUNTY, member_id="mbr_1", today="2026-03-18")

    other = replace(draft, **{**change, "reference": f"act-{change.get('reference', 0)}"})

    assert (other.proposal_id == draft.proposal_id) == (other == draft)


def test_a_desk_credits_no_member_of_another_county(office: Office) -> None:
    keeper = office.people.with_roles().actor
    line = {
        "member_id": keeper.member_id,
        "kind": "hardship",
        "reason": "applied",
        "reference": a_reference(),
    }

    elsewhere = office.proposals.propose(line, county="411702", actor=MAKER)

    assert keeper.county not in (None, "411702")
    assert refused(elsewhere) == [(0, "member_id", "proposal.unknown_member")]


def test_a_member_proposes_nothing_for_himself(office: Office) -> None:
    phone, openid = a_phone(), "o-own-account"
    rider = office.people.sign_in(openid).actor
    office.people.bind(rider, openid, phone)
    line = {
        "member_id": rider.member_id,
        "kind": "hardship",
        "reason": "applied",
        "reference": a_reference(),
    }

    by_id = office.proposals.propose(line, county=COUNTY, actor=rider.member_id)
    by_phone = office.proposals.propose(line, county=COUNTY, actor=PSEUDONYMS.phone(phone))

    assert refused(by_id) == refused(by_phone) == [(0, "member_id", "proposal.own_account")]


def test_a_claw_back_names_an_award_of_his_and_takes_no_more_than_it_left(office: Office) -> None:
    rider, other = office.rider().member_id, office.rider().member_id
    paid = award(rider, 10).transfer_id
    nothing = award(rider, 0).transfer_id
    foreign = award(other, 10).transfer_id

    def proposed(reference: str, **columns: object) -> list[tuple[int, str, str]]:
        line = {
            "member_id": rider,
            "kind": "claw_back",
            "reason": "staged",
            "reference": reference,
            **columns,
        }
        return refused(office.proposals.propose(line, county=COUNTY, actor=MAKER))

    assert proposed(foreign) == [(0, "reference", "proposal.unknown_award")]
    elsewhere = office.proposals.propose(
        {"member_id": rider, "kind": "claw_back", "reason": "staged", "reference": paid},
        county="411503",
        actor=MAKER,
    )
    assert refused(elsewhere) == [(0, "reference", "proposal.unknown_award")]
    assert proposed("trf_none") == [(0, "reference", "proposal.unknown_award")]
    assert proposed(nothing) == [(0, "reference", "proposal.nothing_left")]
    assert proposed(paid, points=11) == [(0, "points", "field.too_large")]
    all_of_it = office.propose(rider, kind="claw_back", reason="staged", reference=paid)
    assert proposal(all_of_it).amount == 10
    waiting = {one["proposal_id"]: one["award"] for one in office.proposals.open(COUNTY)}
    assert waiting[all_of_it] == {
        "rule": "report.first@1",
        "points": 10,
        "seq": 1,
        "at": "2026-03-18T02:00:00.000Z",
    }


def test_what_has_posted_is_not_proposed_again_with_other_words(office: Office) -> None:
    rider, reference = office.rider().member_id, a_reference()
    said = {"kind": "adjustment", "points": 7, "reason": "missing", "reference": reference}
    office.post(rider, **said)
    said["member_id"] = rider

    same = office.proposals.propose(said, county=COUNTY, actor=MAKER)
    other = office.proposals.propose({**said, "points": 9}, county=COUNTY, actor=MAKER)

    assert [one["state"] for one in same.proposals] == ["posted"]
    assert refused(other) == [(0, "reference", "proposal.reference_posted")]
