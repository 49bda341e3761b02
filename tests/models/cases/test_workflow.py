"""The transition table decides; nothing else does."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.base.errors import Conflict
from models.cases import workflow
from models.cases.entities import Action, Facts, Party, Proposed, Status

facts = st.builds(
    Facts,
    is_reporter=st.booleans(),
    is_claimer=st.booleans(),
    was_claimed=st.booleans(),
    reporter_count=st.integers(1, 9),
    reopened=st.integers(0, 4),
    photo_count=st.integers(0, 9),
    is_verdict_open=st.booleans(),
    is_linked=st.booleans(),
    is_overdue=st.booleans(),
    is_reopen_open=st.booleans(),
    is_appeal_open=st.booleans(),
    was_appealed=st.booleans(),
    is_rejecter=st.booleans(),
    extensions=st.integers(0, 3),
    was_deferred=st.booleans(),
    proposed=st.none() | st.sampled_from(list(Proposed)),
    may_decide=st.booleans(),
    has_merged=st.booleans(),
    was_split=st.booleans(),
    is_part=st.booleans(),
    is_parent_open=st.booleans(),
    was_held=st.booleans(),
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
    rows = workflow.find(state, [party], action)
    codes = {guard.code for row in rows for guard in row.guards} or {"case.not_possible"}

    assume(action not in {row.action for row in workflow.allowed(state, [party], facts)})
    with pytest.raises(Conflict) as refusal:
        workflow.judge(state, [party], action, facts)

    assert refusal.value.code in codes


@given(state=states, party=parties, action=actions, facts=facts)
def test_at_most_one_row_answers_a_question(
    state: Status, party: Party, action: Action, facts: Facts
) -> None:
    rows = workflow.find(state, [party], action)

    holding = [row for row in rows if all(guard.holds(facts) for guard in row.guards)]

    assert len(holding) <= 1


def test_an_ended_case_comes_back_only_by_its_reporter() -> None:
    ended = {
        Status.CLOSED,
        Status.REJECTED,
        Status.WITHDRAWN,
        Status.NO_EVIDENCE,
    }

    found = {(row.party, row.action) for row in workflow.TRANSITIONS if row.source in ended}

    assert {one for one in found if one[1] is not Action.NOTE} == {
        (Party.REPORTER, Action.CONTEST),
        (Party.REPORTER, Action.DISPUTE),
        (Party.REPORTER, Action.APPEAL),
    }


def test_every_state_is_reached_and_every_one_but_two_can_be_left() -> None:
    reached = {row.target for row in workflow.TRANSITIONS} | {Status.ASSIGNED}
    left = {row.source for row in workflow.TRANSITIONS if row.source is not row.target}

    assert reached == set(Status)
    assert set(Status) - left == {Status.WITHDRAWN, Status.NO_EVIDENCE}


def test_who_proposes_more_time_does_not_grant_it() -> None:
    deciding = [
        row for row in workflow.TRANSITIONS if row.action in (Action.APPROVE, Action.DECLINE)
    ]

    assert all(
        "case.not_yours_to_decide" in {guard.code for guard in row.guards} for row in deciding
    )


@pytest.mark.parametrize(
    "action",
    [
        Action.REJECT,
        Action.RETURN,
        Action.REOPEN,
        Action.EXTEND,
        Action.DEFER,
        Action.DECLINE,
        Action.TRANSFER,
        Action.MERGE,
        Action.UNMERGE,
        Action.SPLIT,
        Action.CORRECT,
    ],
)
def test_what_goes_backwards_needs_a_reason_from_its_list(action: Action) -> None:
    rows = [row for row in workflow.TRANSITIONS if row.action is action]

    assert rows
    assert all("reason" in row.needs for row in rows)
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
        if row.action is not Action.NOTE and row.source is not row.target:
            assert f"{row.source} --> {row.target}" in drawn
            assert row.action in drawn
    assert "note" not in drawn


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_shows_the_diagram_of_the_table(name: str) -> None:
    text = (Path(__file__).resolve().parents[3] / name).read_text(encoding="utf-8")

    assert f"```mermaid\n{workflow.diagram()}```" in text
