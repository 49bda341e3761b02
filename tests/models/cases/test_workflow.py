"""The transition table decides; nothing else does."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.base.errors import Conflict
from models.cases import workflow
from models.cases.entities import Action, Facts, Party, Status

facts = st.builds(
    Facts,
    is_reporter=st.booleans(),
    is_claimer=st.booleans(),
    was_claimed=st.booleans(),
    reporter_count=st.integers(1, 9),
    reopened=st.integers(0, 4),
    photo_count=st.integers(0, 9),
    is_verdict_open=st.booleans(),
)
states, parties, actions = (st.sampled_from(list(kind)) for kind in (Status, Party, Action))


@given(state=states, party=parties, facts=facts)
def test_what_is_offered_is_exactly_what_is_accepted(
    state: Status, party: Party, facts: Facts
) -> None:
    offered = {row.action for row in workflow.allowed(state, [party], facts)}

    for action in Action:
        try:
            row = workflow.judge(state, [party], action, facts)
        except Conflict:
            assert action not in offered
        else:
            assert action in offered
            assert (row.source, row.party, row.action) == (state, party, action)


@given(state=states, party=parties, action=actions, facts=facts)
def test_a_refusal_names_the_guard_or_that_it_is_not_possible(
    state: Status, party: Party, action: Action, facts: Facts
) -> None:
    row = workflow.find(state, [party], action)
    codes = {guard.code for guard in row.guards} if row else {"case.not_possible"}

    assume(action not in {row.action for row in workflow.allowed(state, [party], facts)})
    with pytest.raises(Conflict) as refusal:
        workflow.judge(state, [party], action, facts)

    assert refusal.value.code in codes


def test_no_pair_of_rows_answers_the_same_question() -> None:
    keys = [(row.source, row.party, row.action) for row in workflow.TRANSITIONS]

    assert len(keys) == len(set(keys))


def test_ended_cases_only_take_notes() -> None:
    ended = {Status.CLOSED, Status.REJECTED, Status.WITHDRAWN, Status.NO_EVIDENCE}

    found = {row.action for row in workflow.TRANSITIONS if row.source in ended}

    assert found == {Action.NOTE}


def test_every_state_is_reached_and_every_open_one_left() -> None:
    reached = {row.target for row in workflow.TRANSITIONS} | {Status.ASSIGNED}
    moving = [row for row in workflow.TRANSITIONS if row.source is not row.target]

    assert reached == set(Status)
    assert {row.source for row in moving} == {
        Status.ASSIGNED,
        Status.CLAIMED,
        Status.RESOLVED,
        Status.DISPUTED,
    }


@pytest.mark.parametrize("action", [Action.REJECT, Action.RETURN, Action.REOPEN])
def test_what_goes_backwards_needs_a_reason_from_its_list(action: Action) -> None:
    rows = [row for row in workflow.TRANSITIONS if row.action is action]

    assert rows
    assert all(row.needs == ("reason",) for row in rows)
    assert workflow.REASONS_BY_ACTION[action.value]


def test_points_once_given_are_safe_because_an_accepted_case_is_never_refused() -> None:
    ways_out = {Status.REJECTED, Status.WITHDRAWN, Status.NO_EVIDENCE}
    accepted = Facts(
        is_reporter=False,
        is_claimer=True,
        was_claimed=True,
        reporter_count=1,
        reopened=0,
        photo_count=0,
        is_verdict_open=True,
    )

    reached = {
        row.target
        for state, party in itertools.product(Status, Party)
        for row in workflow.allowed(state, [party], accepted)
        if row.action is not Action.NOTE
    }

    assert not reached & ways_out


def test_the_diagram_shows_every_change_of_state() -> None:
    drawn = workflow.diagram()

    for row in workflow.TRANSITIONS:
        if row.action is not Action.NOTE:
            assert f"{row.source} --> {row.target}" in drawn
            assert row.action in drawn
    assert "note" not in drawn


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_shows_the_diagram_of_the_table(name: str) -> None:
    text = (Path(__file__).resolve().parents[3] / name).read_text(encoding="utf-8")

    assert f"```mermaid\n{workflow.diagram()}```" in text
