"""What receivers say is taken in line by line, once, and of one county."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base.clock import utc_text
from models.base.errors import Invalid
from models.base.ids import new_id
from models.cases.entities import Action, Receiver
from models.cases.tables import CaseRow
from models.cases.transfer_files import (
    COLUMNS,
    MAX_LINES,
    LineResult,
    TransferFiles,
    read_file,
    read_line,
)
from tests.conftest import NOW
from tests.support.cases import Town
from tests.support.faults import lost_reply


@pytest.fixture
def files(town: Town) -> TransferFiles:
    return TransferFiles(clock=town.clock, working=town.working)


def handed_over(town: Town, **values: Any) -> CaseRow:
    case = town.filed()
    values = {"reason": "other_department", "receiver": Receiver.HOTLINE_12345, **values}
    town.act(town.lead, case, Action.TRANSFER, **values)
    return town.case(case.case_id)


def a_line(town: Town, status: str, **values: str) -> str:
    row = {
        "receiver": "12345",
        "external_ref": "",
        "number": "",
        "status": status,
        "at": utc_text(town.clock.now()),
        "note": "",
        **values,
    }
    return ",".join(row[name] for name in COLUMNS)


def a_file(*lines: str) -> str:
    return "\n".join(["\ufeff" + ",".join(COLUMNS), *lines])


def said(results: list[LineResult]) -> list[tuple[str, str | None]]:
    return [(result.outcome, result.code) for result in results]


def test_accepted_by_our_number_then_fixed_by_their_reference(
    town: Town, files: TransferFiles
) -> None:
    case, reference = handed_over(town), new_id("WH")

    first = files.take_in(
        a_file(a_line(town, "accepted", number=case.number, external_ref=reference)), town.county
    )
    away = town.case(case.case_id)
    second = files.take_in(
        a_file(a_line(town, "resolved", external_ref=reference, note="已处理")), town.county
    )

    fixed = town.case(case.case_id)
    assert first == [LineResult(line=2, outcome="done", number=case.number)]
    assert (away.status, away.external_ref) == ("external", reference)
    assert said(second) == [("done", None)]
    assert fixed.status == "resolved"
    last = town.events(case.case_id)[-1]
    assert (last.party, last.display) == ("receiver", "12345 热线")
    assert (last.text or "").endswith("已处理")


def test_what_a_receiver_gives_back_is_ours_again(town: Town, files: TransferFiles) -> None:
    case = handed_over(town)

    results = files.take_in(a_file(a_line(town, "returned", number=case.number)), town.county)

    assert said(results) == [("done", None)]
    assert town.case(case.case_id).status == "assigned"


def test_a_file_may_come_twice_and_with_a_lost_reply(town: Town, files: TransferFiles) -> None:
    case = handed_over(town)
    text = a_file(a_line(town, "accepted", number=case.number, external_ref=new_id("WH")))

    with lost_reply() as lost:
        first = files.take_in(text, town.county)
    again = files.take_in(text, town.county)

    assert lost
    assert (said(first), said(again)) == ([("done", None)], [("unchanged", None)])
    assert town.case(case.case_id).version == case.version + 1


def test_a_bad_line_says_what_is_wrong_and_harms_no_other(town: Town, files: TransferFiles) -> None:
    case, other, reference = handed_over(town), handed_over(town), new_id("WH")
    future = utc_text(town.clock.now() + timedelta(minutes=6))
    number = case.number
    lines = [
        (a_line(town, "accepted", receiver="mayor"), "field.not_allowed"),
        (a_line(town, "sleeping", number=number), "field.not_allowed"),
        (a_line(town, "accepted", number=number), "field.missing"),
        (a_line(town, "resolved"), "field.missing"),
        (a_line(town, "returned", number="12"), "field.invalid"),
        (a_line(town, "returned", external_ref="a b"), "field.invalid"),
        (a_line(town, "returned", number=number, at="2026-03-18 10:00"), "field.invalid"),
        (a_line(town, "returned", number=number, at=future), "hand_over.from_the_future"),
        (a_line(town, "returned", number=number, note="字" * 201), "field.too_long"),
        (a_line(town, "returned", external_ref=new_id("WH")), "hand_over.not_found"),
        (a_line(town, "returned", number=number, receiver="police"), "hand_over.not_found"),
        (a_line(town, "resolved", number=number), "case.not_possible"),
        (a_line(town, "accepted", number=number, external_ref=reference), None),
        (
            a_line(town, "accepted", number=other.number, external_ref=reference),
            "hand_over.reference_taken",
        ),
    ]

    results = files.take_in(a_file(*(line for line, _ in lines)), town.county)

    assert [result.code for result in results] == [code for _, code in lines]
    assert [result.line for result in results] == list(range(2, 2 + len(lines)))
    assert town.case(case.case_id).status == "external"
    assert town.case(other.case_id).version == other.version


def test_another_countys_cases_are_unknown(town: Town, files: TransferFiles) -> None:
    case = handed_over(town)

    results = files.take_in(a_file(a_line(town, "returned", number=case.number)), "411502")

    assert said(results) == [("refused", "hand_over.not_found")]
    assert town.case(case.case_id).status == "transferred"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "hand_over.columns"),
        ("receiver,number\n", "hand_over.columns"),
        (a_file(*["12345,,,,,"] * (MAX_LINES + 1)), "hand_over.too_long"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(text: str, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_file(text)

    assert [bad.code for bad in refusal.value.fields] == [code]


@given(st.fixed_dictionaries({name: st.text(max_size=30) for name in COLUMNS}))
def test_whatever_a_line_holds_it_is_read_or_refused_by_its_column(row: dict[str, str]) -> None:
    try:
        line = read_line(row, NOW)
    except Invalid as refusal:
        assert refusal.fields[0].field in COLUMNS  # noqa: PT017
    else:
        assert line.external_ref or line.number
