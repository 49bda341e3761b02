"""Which state each action leads to from each state, at each instant that matters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from models.base.errors import Conflict, Forbidden
from models.people.entities import Occupation, Standing
from models.rewards import rules
from models.rewards.entities import (
    Action,
    Candidate,
    Eligibility,
    Missing,
    Name,
    Redemption,
    Reward,
    RewardState,
    State,
)

NOW = datetime(2026, 3, 18, 2, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NAME = Name(zh="理发", en="Haircut")


def a_redemption(state: State = State.RESERVED, **changes: object) -> Redemption:
    redemption = Redemption(
        redemption_id="red_1",
        member_id="m",
        county="c",
        reward_id="r",
        reward_name=NAME,
        points=10,
        fulfillers=("merchant:x",),
        state=state,
        version=1,
        reserved_at=NOW,
        expires_at=NOW + timedelta(days=30),
        fulfilled_at=NOW if state is State.FULFILLED else None,
    )
    return replace(redemption, **changes)  # type: ignore[arg-type]


def a_reward(price: int = 10) -> Reward:
    return Reward(
        reward_id="r",
        class_id="life",
        county="c",
        name=NAME,
        terms=NAME,
        price=price,
        valid_days=30,
        fulfillers=("merchant:x",),
    )


REFUSED = {
    State.QUEUED: "redemption.queued",
    State.DECLINED: "redemption.declined",
    State.RESERVED: "redemption.not_fulfilled",
    State.FULFILLED: "redemption.already_fulfilled",
    State.CANCELLED: "redemption.cancelled",
    State.EXPIRED: "redemption.expired",
    State.REFUNDED: "redemption.refunded",
}


@pytest.mark.parametrize(("state", "action"), list(product(State, Action)))
def test_every_pair_of_state_and_action_is_allowed_or_refused_by_name(
    state: State, action: Action
) -> None:
    redemption = a_redemption(state)
    now = redemption.expires_at + timedelta(days=1) if action is Action.EXPIRE else NOW
    target = rules.TRANSITIONS.get((state, action))

    if target is not None:
        assert rules.after(redemption, action, now=now) is target
        return
    with pytest.raises(Conflict) as refusal:
        rules.after(redemption, action, now=now)
    assert refusal.value.code == REFUSED[state]
    assert refusal.value.details == {"state": state.value}


def test_a_voucher_is_taken_until_the_last_moment_before_its_end() -> None:
    redemption = a_redemption()

    at_last = rules.after(redemption, Action.FULFIL, now=redemption.expires_at - SECOND)
    with pytest.raises(Conflict, match=r"redemption\.expired"):
        rules.after(redemption, Action.FULFIL, now=redemption.expires_at)

    assert at_last is State.FULFILLED
    assert rules.is_usable(redemption, now=redemption.expires_at - SECOND)
    assert not rules.is_usable(redemption, now=redemption.expires_at)
    assert not rules.is_usable(a_redemption(State.CANCELLED), now=NOW)


def test_the_schedule_waits_for_five_minutes_after_the_end() -> None:
    redemption = a_redemption()
    due = redemption.expires_at + timedelta(minutes=5)

    assert rules.after(redemption, Action.EXPIRE, now=due) is State.EXPIRED
    with pytest.raises(Conflict, match=r"redemption\.not_due"):
        rules.after(redemption, Action.EXPIRE, now=due - SECOND)
    assert not rules.is_due(a_redemption(State.FULFILLED), now=due)


def test_a_fulfilment_can_be_undone_for_five_minutes() -> None:
    redemption = a_redemption(State.FULFILLED)
    last = NOW + timedelta(minutes=5)

    assert rules.after(redemption, Action.UNDO, now=last) is State.RESERVED
    with pytest.raises(Conflict, match=r"redemption\.undo_too_late"):
        rules.after(redemption, Action.UNDO, now=last + SECOND)


def test_an_undo_past_the_end_ends_the_voucher() -> None:
    redemption = a_redemption(State.FULFILLED, expires_at=NOW + timedelta(minutes=2))

    just_before = rules.after(redemption, Action.UNDO, now=NOW + timedelta(seconds=119))
    at_the_end = rules.after(redemption, Action.UNDO, now=NOW + timedelta(seconds=120))

    assert (just_before, at_the_end) == (State.RESERVED, State.EXPIRED)


CONFIRMED, GUEST = Candidate(standing=Standing.CONFIRMED), Candidate(standing=Standing.GUEST)


def lacking(
    reward: Reward,
    candidate: Candidate = CONFIRMED,
    *,
    available: int = 10,
    stock_left: int = 1,
    has_room: bool = True,
) -> tuple[Missing, ...]:
    return rules.missing(
        reward,
        candidate,
        available=available,
        stock_left=stock_left,
        has_room=has_room,
        now=NOW,
    )


def test_what_is_missing_is_named_in_the_order_in_which_it_is_to_be_done() -> None:
    reward = a_reward(price=10)
    paused = replace(reward, state=RewardState.PAUSED)

    assert lacking(reward) == ()
    assert lacking(paused, GUEST, available=9, stock_left=0, has_room=False) == (
        Missing.OCCUPATION,
        Missing.LIMIT,
        Missing.POINTS,
        Missing.PAUSED,
        Missing.STOCK,
    )


def test_a_queue_takes_whoever_asks_in_stock_or_not() -> None:
    assert lacking(replace(a_reward(), needs_approval=True), stock_left=0) == ()


@pytest.mark.parametrize("wanted", Standing)
def test_each_standing_may_have_what_asks_for_no_higher_one(wanted: Standing) -> None:
    reward = replace(a_reward(), eligibility=Eligibility(standing=wanted))
    ranks = [Standing.GUEST, Standing.PHONE, Standing.CONFIRMED]

    for standing in Standing:
        lacks = lacking(reward, Candidate(standing=standing))
        assert (lacks == ()) is (ranks.index(standing) >= ranks.index(wanted))


def test_a_reward_for_couriers_is_not_a_riders_nor_his_whose_occupation_is_unknown() -> None:
    reward = replace(
        a_reward(), eligibility=Eligibility(occupations=frozenset({Occupation.COURIER}))
    )

    found = [
        lacking(reward, replace(CONFIRMED, occupation=occupation))
        for occupation in (Occupation.COURIER, Occupation.RIDER, None)
    ]

    assert found == [(), (Missing.KIND,), (Missing.KIND,)]
    with pytest.raises(Forbidden, match=r"reward\.not_eligible") as refusal:
        rules.require_eligible(reward, CONFIRMED, now=NOW)
    assert refusal.value.details == {"missing": ["kind"], "days": 0}


def test_days_of_membership_are_counted_up_to_the_full_day() -> None:
    reward = replace(a_reward(), eligibility=Eligibility(member_days=30))

    def days(since: datetime | None) -> int:
        return rules.days_to_wait(reward, replace(CONFIRMED, member_since=since), now=NOW)

    month = timedelta(days=30)
    assert [days(NOW - month), days(NOW - month + SECOND), days(NOW), days(None)] == [0, 1, 30, 30]
    for since in (NOW, NOW - month + SECOND):
        assert lacking(reward, replace(CONFIRMED, member_since=since)) == (Missing.MEMBER_DAYS,)


def test_a_voucher_lasts_as_many_days_as_its_reward_says() -> None:
    assert rules.expires_at(a_reward(), now=NOW) == NOW + timedelta(days=30)
