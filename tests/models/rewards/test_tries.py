"""Five wrong codes in any minute, for a session and for a place; right ones cost nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from models.base.clock import FixedClock
from models.base.errors import DomainError, Exhausted, NotFound
from models.base.ids import new_id
from models.base.store import scan
from models.base.tables import Database
from models.people.entities import Actor, RoleName
from models.rewards.entities import State
from models.rewards.tries import PER_MINUTE, Tries
from models.rewards.try_tables import TryRow
from tests.support.faults import lost_reply
from tests.support.people import a_role
from tests.support.rewards import Shop, a_request_id

SECOND = timedelta(seconds=1)


@pytest.fixture
def shop(database: Database, clock: FixedClock) -> Shop:
    return Shop(clock=clock, stock=20).opened()


def a_till(shop: Shop) -> Actor:
    """A merchant's device: a session of its own."""
    return replace(shop.merchant(), session_id=new_id("ses"))


def guess(shop: Shop, merchant: Actor, code: str = "0000000000") -> str:
    try:
        return shop.fulfilment.preview(merchant, code).state.value
    except DomainError as refused:
        return refused.code


def exhaust(shop: Shop, merchant: Actor) -> None:
    assert {guess(shop, merchant) for _ in range(PER_MINUTE)} == {"redemption.not_found"}


def test_the_sixth_wrong_code_in_a_minute_is_not_looked_up(shop: Shop) -> None:
    till, right = a_till(shop), shop.redeem(shop.rider()).code
    exhaust(shop, till)

    with pytest.raises(Exhausted, match=r"redemption\.too_many_tries") as refused:
        shop.fulfil(till, right)

    assert refused.value.retry_after_s == 60


def test_a_try_is_free_again_when_it_is_a_minute_old(shop: Shop) -> None:
    till = a_till(shop)
    for _ in range(PER_MINUTE):
        guess(shop, till)
        shop.clock.advance(10 * SECOND)

    with pytest.raises(Exhausted) as refused:
        shop.fulfilment.preview(till, "0000000000")
    shop.clock.advance(refused.value.retry_after_s * SECOND)

    assert guess(shop, till) == "redemption.not_found"
    assert guess(shop, till) == "redemption.too_many_tries"


def test_no_minute_holds_more_than_five_whenever_it_begins(shop: Shop) -> None:
    till = a_till(shop)
    shop.clock.advance(59 * SECOND)
    exhaust(shop, till)

    shop.clock.advance(2 * SECOND)

    assert guess(shop, till) == "redemption.too_many_tries"


def test_another_till_of_the_place_does_not_help(shop: Shop) -> None:
    exhaust(shop, a_till(shop))

    assert guess(shop, a_till(shop)) == "redemption.too_many_tries"


def test_another_place_does_not_help_the_same_session(shop: Shop) -> None:
    till, other = a_till(shop), Shop(clock=shop.clock).opened()
    exhaust(shop, till)

    moved = replace(till, roles=(a_role(RoleName.MERCHANT, other.merchant_id),))

    assert guess(other, moved) == "redemption.too_many_tries"


def test_who_is_refused_for_his_place_has_not_used_up_his_session(shop: Shop) -> None:
    exhaust(shop, a_till(shop))
    till = a_till(shop)
    for _ in range(PER_MINUTE):
        guess(shop, till)

    moved = replace(till, roles=(a_role(RoleName.MERCHANT, new_id("mch")),))

    assert guess(shop, moved) == "redemption.not_found"


def test_right_codes_do_not_count(shop: Shop) -> None:
    till, rider = a_till(shop), shop.rider(100)

    outcomes = [shop.fulfil(till, shop.redeem(rider).code).state for _ in range(PER_MINUTE + 1)]

    assert outcomes == [State.FULFILLED] * (PER_MINUTE + 1)


def test_a_code_of_another_place_is_a_wrong_one(shop: Shop) -> None:
    other = Shop(clock=shop.clock).opened()
    code = other.redeem(other.rider()).code or ""

    till = a_till(shop)

    told = {guess(shop, till, code) for _ in range(PER_MINUTE)}

    assert told == {"redemption.not_found"}
    assert guess(shop, till, code) == "redemption.too_many_tries"


def test_qr_payloads_do_not_count_and_are_taken_when_codes_are_not(shop: Shop) -> None:
    till, voucher = a_till(shop), shop.redeem(shop.rider())
    exhaust(shop, till)
    forged = f"{(voucher.qr or '')[:-1]}*"

    assert {guess(shop, till, forged) for _ in range(9)} == {"redemption.not_found"}
    assert guess(shop, till, voucher.qr or "") == "reserved"


def test_guesses_made_side_by_side_cannot_pass_together(shop: Shop) -> None:
    tills = [a_till(shop) for _ in range(4)]

    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda n: guess(shop, tills[n % 4]), range(16)))

    assert told.count("redemption.not_found") <= PER_MINUTE
    assert set(told) <= {"redemption.not_found", "redemption.too_many_tries", "store.busy"}


@pytest.mark.parametrize("operation", ["PutItem", "UpdateItem"])
def test_a_try_whose_reply_was_lost_counts_once(shop: Shop, operation: str) -> None:
    till = a_till(shop)
    if operation == "UpdateItem":
        guess(shop, till)
    with lost_reply(operation):
        guess(shop, till)

    left = [guess(shop, till) for _ in range(PER_MINUTE)]

    made = 2 if operation == "UpdateItem" else 1
    assert left.count("redemption.not_found") == PER_MINUTE - made


def test_a_repeated_fulfilment_is_told_the_same_though_tries_are_used_up(shop: Shop) -> None:
    till, voucher, request = a_till(shop), shop.redeem(shop.rider(20)), a_request_id()
    first = shop.fulfil(till, voucher.code, request)
    exhaust(shop, till)

    assert shop.fulfil(till, voucher.code, request).at == first.at
    with pytest.raises(Exhausted):  # a used id is no way to guess on
        shop.fulfil(till, "0000000000", request)
    with pytest.raises(Exhausted):
        shop.fulfil(till, voucher.code)


def test_rows_name_neither_session_nor_place_nor_code(shop: Shop) -> None:
    till = a_till(shop)
    guess(shop, till, "7777777777")

    kept = [str(row.attribute_values) for row in scan(TryRow)]

    for secret in (till.session_id, till.member_id, shop.merchant_id, "7777777777"):
        assert not any(secret in row for row in kept)


def test_giving_back_twice_or_after_the_row_has_gone_does_nothing(shop: Shop) -> None:
    counted = Tries().count([new_id("session")], shop.now)
    Tries().give_back(counted)
    TryRow(counted.who[0]).delete()

    Tries().give_back(counted)

    with pytest.raises(TryRow.DoesNotExist):
        TryRow.get(counted.who[0])


def test_a_text_that_can_be_no_code_is_unknown_without_being_counted(shop: Shop) -> None:
    till = a_till(shop)

    told = {guess(shop, till, "nonsense") for _ in range(9)}

    assert told == {"redemption.not_found"}
    with pytest.raises(NotFound):
        shop.fulfilment.preview(till, "0000000000")
