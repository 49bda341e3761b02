"""The search for an order, on histories written by hand: what was possible, and what was not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from infra.prove.ledger.linearizable import NEVER, Operation, Stuck, explain
from infra.prove.ledger.sequential import Ask, World, step

START = World(free=(10,), held=(0,), left=(1,))
RESERVE = Ask(what="reserve", key="r")
OTHER = Ask(what="reserve", key="other")
BALANCE = Ask(what="balance", key="b")


def _judge(*told: tuple[Ask, str | None, float, float], start: World = START) -> Stuck | None:
    return explain(
        [
            Operation(action=ask, outcome=outcome, began=began, ended=ended)
            for ask, outcome, began, ended in told
        ],
        start,
        step,
    )


def _about(what: str, key: str = "c") -> Ask:
    return Ask(what=what, key=key, taking="r")


def test_the_last_piece_goes_to_one() -> None:
    refused = (OTHER, "points.insufficient", 2, 3)

    assert _judge((RESERVE, "reserved", 0, 1), refused) is None
    assert _judge((RESERVE, "reserved", 0, 1), (OTHER, "reserved", 2, 3)) is not None


def test_a_double_tap_is_told_the_same() -> None:
    assert _judge((RESERVE, "reserved", 0, 3), (RESERVE, "reserved", 1, 2)) is None


def test_a_double_tap_is_never_told_that_its_own_points_are_missing() -> None:
    """The bug that a reading of the transfer before the wallet makes."""
    stuck = _judge((RESERVE, "reserved", 0, 3), (RESERVE, "points.insufficient", 1, 2))

    assert stuck is not None
    assert "points.insufficient" in str(stuck)


@pytest.mark.parametrize(
    ("told", "start"),
    [
        ("points.insufficient", START),
        ("reward.sold_out", START),
        ("points.insufficient", World(free=(10,), held=(0,), left=(0,))),
        ("reward.sold_out", World(free=(9,), held=(0,), left=(1,))),
    ],
)
def test_a_refusal_without_its_reason_is_found(told: str, start: World) -> None:
    assert _judge((RESERVE, told, 0, 1), start=start) is not None


def test_a_refusal_may_stand_before_an_award_that_overlaps_it_but_not_after_one_that_ended() -> (
    None
):
    poor = World(free=(0,), held=(0,), left=(1,))
    award = Ask(what="award", key="a")

    overlapping = _judge((award, "+10", 0, 3), (RESERVE, "points.insufficient", 1, 2), start=poor)
    late = _judge((award, "+10", 0, 1), (RESERVE, "points.insufficient", 2, 3), start=poor)

    assert overlapping is None
    assert late is not None


def test_a_cap_lets_the_rest_through_and_then_nothing() -> None:
    told = ("+10", "+10", "+5", "+0")
    awards = [
        (Ask(what="award", key=f"a{turn}"), told[turn], 2.0 * turn, 2.0 * turn + 1)
        for turn in range(4)
    ]

    assert _judge(*awards, (BALANCE, "35+0", 9, 10)) is None
    assert _judge(*awards[:3], (Ask(what="award", key="a3"), "+5", 6, 7)) is not None


def test_a_common_budget_is_not_spent_twice() -> None:
    two = World(free=(0, 0), held=(0, 0), left=(1,), budget=10)
    awards = [(Ask(what="award", key=f"a{rider}", rider=rider), 0.0, 1.0) for rider in (0, 1)]
    (one, *when), (other, *_) = awards

    assert _judge((one, "+10", *when), (other, "+0", *when), start=two) is None
    assert _judge((one, "+10", *when), (other, "+10", *when), start=two) is not None


def test_who_was_told_no_is_told_no_again_under_that_key_and_not_under_another() -> None:
    poor = World(free=(0,), held=(0,), left=(1,))
    told = (
        (RESERVE, "points.insufficient", 0.0, 1.0),
        (Ask(what="award", key="a"), "+10", 2.0, 3.0),
    )

    same = _judge(*told, (RESERVE, "points.insufficient", 4, 5), start=poor)
    changed = _judge(*told, (RESERVE, "reserved", 4, 5), start=poor)
    another = _judge(*told, (OTHER, "reserved", 4, 5), start=poor)

    assert (same, another) == (None, None)
    assert changed is not None


@pytest.mark.parametrize("seen", ["10+0", "0+10"])
def test_what_is_unknown_may_have_happened_or_not(seen: str) -> None:
    assert _judge((RESERVE, None, 0, NEVER), (BALANCE, seen, 1, 2)) is None


def test_what_is_unknown_happens_at_most_once() -> None:
    rich = World(free=(20,), held=(0,), left=(5,))
    unknown = [(RESERVE, None, began, NEVER) for began in range(4)]

    assert _judge(*unknown, (BALANCE, "10+10", 5, 6), start=rich) is None
    assert _judge(*unknown, (BALANCE, "0+20", 5, 6), start=rich) is not None


def test_an_effect_does_not_go_away_again() -> None:
    reads: Sequence[tuple[Ask, str | None, float, float]] = (
        (BALANCE, "0+10", 1, 2),
        (BALANCE, "10+0", 3, 4),
    )

    assert _judge((RESERVE, None, 0, NEVER), *reads) is not None


@pytest.mark.parametrize(
    ("first", "second"),
    [("cancel", "fulfil"), ("fulfil", "cancel"), ("expire", "cancel"), ("expire", "fulfil")],
)
def test_of_two_ends_one_wins_and_the_other_is_told_which(first: str, second: str) -> None:
    ends = {"cancel": "cancelled", "fulfil": "fulfilled", "expire": "expired"}
    refusal = {"cancel": "cancelled", "fulfil": "already_fulfilled", "expire": "expired"}
    won = (_about(first, "1"), ends[first], 2.0, 5.0)

    told = (_about(second, "2"), f"redemption.{refusal[first]}", 3.0, 4.0)
    both = (_about(second, "2"), ends[second], 3.0, 4.0)

    assert _judge((RESERVE, "reserved", 0, 1), won, told) is None
    assert _judge((RESERVE, "reserved", 0, 1), won, both) is not None


def test_a_fulfilment_undone_is_held_again_and_can_be_repeated_by_its_key() -> None:
    fulfil, undo = _about("fulfil", "f"), _about("undo", "u")

    assert (
        _judge(
            (RESERVE, "reserved", 0, 1),
            (fulfil, "fulfilled", 2, 3),
            (BALANCE, "0+0", 4, 5),
            (undo, "reserved", 6, 7),
            (BALANCE, "0+10", 8, 9),
            (fulfil, "fulfilled", 10, 11),
            (BALANCE, "0+10", 12, 13),
            (_about("look"), "reserved", 14, 15),
        )
        is None
    )


def test_what_was_cancelled_gives_points_and_piece_back() -> None:
    assert (
        _judge(
            (RESERVE, "reserved", 0, 1),
            (_about("cancel"), "cancelled", 2, 3),
            (BALANCE, "10+0", 4, 5),
            (OTHER, "reserved", 6, 7),
            (_about("cancel", "late"), "redemption.cancelled", 8, 9),
            (Ask(what="cancel", key="x", taking="none"), "redemption.not_found", 10, 11),
        )
        is None
    )
