"""A rider takes a reward: points, stock and voucher go together, once, in every race."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from infra.local.meter import Meter
from models.base.clock import FixedClock
from models.base.errors import Conflict, DomainError, Forbidden, NotFound, Unavailable
from models.base.store import Refused, Transaction
from models.base.tables import Database, connection
from models.people.entities import Actor
from models.points.checking import check_member
from models.points.reading import balances
from models.rewards.catalogue import Catalogue
from models.rewards.codes import Codes
from models.rewards.entities import Missing, Offer, State
from models.rewards.tables import ClassRow
from tests.support.faults import lost_reply, never_sent
from tests.support.people import an_actor
from tests.support.points import award
from tests.support.rewards import Shop, a_request_id


@pytest.fixture
def shop(database: Database, clock: FixedClock) -> Shop:
    return Shop(clock=clock).opened()


@pytest.fixture
def rider(shop: Shop) -> Iterator[Actor]:
    """A confirmed rider with 25 points, whose ledger must be sound whatever the test did."""
    actor = shop.rider(25)
    yield actor
    assert check_member(actor.member_id) == ()


def _balance(shop: Shop, rider: Actor) -> tuple[int, int]:
    found = balances(rider.member_id, shop.now)
    return found.available, found.held


def test_redeeming_holds_the_points_takes_one_from_stock_and_gives_a_voucher(
    shop: Shop, rider: Actor
) -> None:
    voucher = shop.redeem(rider)

    assert voucher.redemption.state is State.RESERVED
    assert voucher.redemption.expires_at == shop.now + timedelta(days=30)
    assert voucher.code is not None
    assert len(voucher.code) == 10
    assert voucher.qr is not None
    assert _balance(shop, rider) == (15, 10)
    assert shop.left() == 4


def test_the_same_request_again_gives_the_same_voucher_and_takes_nothing(
    shop: Shop, rider: Actor
) -> None:
    request = a_request_id()

    first, again = shop.redeem(rider, request), shop.redeem(rider, request)

    assert first == again
    assert _balance(shop, rider) == (15, 10)
    assert shop.left() == 4


def test_the_first_answer_stands_after_the_voucher_was_used(shop: Shop, rider: Actor) -> None:
    request = a_request_id()
    first = shop.redeem(rider, request)
    shop.fulfil(shop.merchant(), first.code)

    assert shop.redeem(rider, request) == first
    assert shop.redemptions.voucher_by_key(rider, request).redemption.state is State.FULFILLED


def test_the_same_request_for_another_reward_is_refused(shop: Shop, rider: Actor) -> None:
    request, other = a_request_id(), Shop(clock=shop.clock).opened()
    shop.redeem(rider, request)

    with pytest.raises(Conflict, match=r"request\.reused"):
        other.redeem(rider, request)
    assert other.left() == 5


@pytest.mark.parametrize("fault", [lost_reply, never_sent])
def test_a_network_fault_is_not_a_refusal(shop: Shop, rider: Actor, fault: object) -> None:
    with fault():  # type: ignore[operator]
        voucher = shop.redeem(rider)

    assert voucher.redemption.state is State.RESERVED
    assert _balance(shop, rider) == (15, 10)
    assert shop.left() == 4


def test_a_lost_reply_for_the_last_one_is_not_told_sold_out(clock: FixedClock, shop: Shop) -> None:
    last = Shop(clock=clock, stock=1).opened()
    rider = last.rider(10)

    with lost_reply():
        voucher = last.redeem(rider)

    assert voucher.code is not None
    assert last.left() == 0


def test_eight_taps_at_once_take_one_voucher(shop: Shop, rider: Actor) -> None:
    request = a_request_id()

    with ThreadPoolExecutor(8) as threads:
        codes = set(threads.map(lambda _: shop.redeem(rider, request).code, range(8)))

    assert len(codes) == 1
    assert _balance(shop, rider) == (15, 10)
    assert shop.left() == 4


def test_sixteen_riders_after_five_get_exactly_five(shop: Shop) -> None:
    riders = [shop.rider(10) for _ in range(16)]

    def attempt(rider: Actor) -> str:
        try:
            return shop.redeem(rider).redemption.state.value
        except DomainError as refused:
            return refused.code

    with ThreadPoolExecutor(16) as threads:
        outcomes = list(threads.map(attempt, riders))

    assert sorted(outcomes) == ["reserved"] * 5 + ["reward.sold_out"] * 11
    assert shop.left() == 0
    spent = sorted(_balance(shop, rider) for rider in riders)
    assert spent == [(0, 10)] * 5 + [(10, 0)] * 11


def test_a_rider_with_points_for_two_gets_two_of_eight(shop: Shop, rider: Actor) -> None:
    def attempt(_: int) -> str:
        try:
            return shop.redeem(rider).redemption.state.value
        except DomainError as refused:
            return refused.code

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(attempt, range(8)))

    assert sorted(outcomes) == ["points.insufficient"] * 6 + ["reserved"] * 2
    assert _balance(shop, rider) == (5, 20)
    assert shop.left() == 3


def test_too_few_points_are_refused_with_what_is_missing(shop: Shop) -> None:
    rider = shop.rider(7)

    with pytest.raises(Conflict, match=r"points\.insufficient") as refusal:
        shop.redeem(rider)

    assert refusal.value.details["missing"] == 3
    assert shop.left() == 5


def test_pending_points_buy_nothing(shop: Shop) -> None:
    rider = shop.rider(0)
    award(rider.member_id, 10, now=shop.now, matures_at=shop.now + timedelta(days=7))

    with pytest.raises(Conflict, match=r"points\.insufficient"):
        shop.redeem(rider)


def test_who_is_not_confirmed_may_not_spend(shop: Shop) -> None:
    with pytest.raises(Forbidden, match=r"occupation\.unconfirmed"):
        shop.redeem(shop.rider(10, is_confirmed=False))
    assert shop.left() == 5


def test_a_reward_of_another_county_is_as_unknown_as_none(shop: Shop) -> None:
    foreigner = an_actor(county="411525", confirmed_until=shop.now + timedelta(days=1))

    with pytest.raises(NotFound, match=r"reward\.not_found"):
        shop.redeem(foreigner)
    with pytest.raises(NotFound, match=r"reward\.not_found"):
        shop.redemptions.redeem(shop.rider(), reward_id="none", client_request_id=a_request_id())


def test_a_retired_reward_is_not_given(shop: Shop) -> None:
    retired = Shop(clock=shop.clock, status="retired").opened()

    with pytest.raises(NotFound, match=r"reward\.not_found"):
        retired.redeem(retired.rider())


def test_cancelling_gives_points_and_stock_back(shop: Shop, rider: Actor) -> None:
    voucher = shop.redeem(rider)

    outcome = shop.cancel(rider, voucher)

    assert outcome.state is State.CANCELLED
    assert _balance(shop, rider) == (25, 0)
    assert shop.left() == 5
    assert shop.redemptions.voucher(rider, voucher.redemption.redemption_id).code is None


def test_cancelling_again_with_the_same_request_answers_the_same(shop: Shop, rider: Actor) -> None:
    voucher, request = shop.redeem(rider), a_request_id()
    with lost_reply():
        first = shop.cancel(rider, voucher, request)
    shop.clock.advance(timedelta(minutes=1))

    again = shop.cancel(rider, voucher, request)

    assert (again.state, again.at) == (first.state, first.at)
    assert _balance(shop, rider) == (25, 0)
    assert shop.left() == 5


def test_one_request_does_not_cancel_two_vouchers(shop: Shop, rider: Actor) -> None:
    first, second, request = shop.redeem(rider), shop.redeem(rider), a_request_id()
    shop.cancel(rider, first, request)

    with pytest.raises(Conflict, match=r"request\.reused"):
        shop.cancel(rider, second, request)


def test_what_is_cancelled_or_handed_over_cannot_be_cancelled(shop: Shop, rider: Actor) -> None:
    cancelled, handed_over = shop.redeem(rider), shop.redeem(rider)
    shop.cancel(rider, cancelled)
    shop.fulfil(shop.merchant(), handed_over.code)

    with pytest.raises(Conflict, match=r"redemption\.cancelled"):
        shop.cancel(rider, cancelled)
    with pytest.raises(Conflict, match=r"redemption\.already_fulfilled"):
        shop.cancel(rider, handed_over)
    assert _balance(shop, rider) == (15, 0)


def test_another_riders_redemption_is_as_unknown_as_none(shop: Shop, rider: Actor) -> None:
    request = a_request_id()
    voucher, stranger = shop.redeem(rider, request), shop.rider()

    with pytest.raises(NotFound, match=r"redemption\.not_found"):
        shop.redemptions.voucher(stranger, voucher.redemption.redemption_id)
    with pytest.raises(NotFound, match=r"redemption\.not_found"):
        shop.cancel(stranger, voucher)
    with pytest.raises(NotFound, match=r"redemption\.not_found"):
        shop.redemptions.voucher_by_key(stranger, request)
    assert shop.redemptions.page(stranger, limit=10).items == []


def test_cancelling_and_fulfilling_at_once_have_one_winner(shop: Shop) -> None:
    for _ in range(5):
        rider = shop.rider(10)
        voucher = shop.redeem(rider)
        with ThreadPoolExecutor(2) as threads:
            cancelled = threads.submit(shop.cancel, rider, voucher)
            fulfilled = threads.submit(shop.fulfil, shop.merchant(), voucher.code)
        lost = [future.exception() for future in (cancelled, fulfilled) if future.exception()]

        assert len(lost) == 1
        assert isinstance(lost[0], Conflict)
        assert lost[0].code in {"redemption.cancelled", "redemption.already_fulfilled"}
        assert _balance(shop, rider) in {(10, 0), (0, 0)}
        assert check_member(rider.member_id) == ()


def test_the_qr_changes_while_the_code_stays(shop: Shop, rider: Actor) -> None:
    voucher = shop.redeem(rider)
    shop.clock.advance(timedelta(minutes=1))

    later = shop.redemptions.voucher(rider, voucher.redemption.redemption_id)

    assert later.code == voucher.code
    assert later.qr != voucher.qr


def test_past_its_end_a_voucher_shows_no_code(shop: Shop, rider: Actor) -> None:
    voucher = shop.redeem(rider)
    shop.clock.advance(timedelta(days=30))

    assert shop.redemptions.voucher(rider, voucher.redemption.redemption_id).code is None


def test_own_redemptions_come_newest_first_in_pages(shop: Shop) -> None:
    rider, made = shop.rider(30), []
    for _ in range(3):
        made.append(shop.redeem(rider).redemption.redemption_id)
        shop.clock.advance(timedelta(minutes=1))

    first = shop.redemptions.page(rider, limit=2)
    second = shop.redemptions.page(rider, limit=2, cursor=first.next_cursor)

    listed = [v.redemption.redemption_id for page in (first, second) for v in page.items]
    assert listed == made[::-1]


def test_a_code_that_another_redemption_has_is_replaced(
    shop: Shop, rider: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Codes.code
    taken = shop.redeem(shop.rider()).code
    monkeypatch.setattr(
        Codes, "code", lambda self, rid, turn=0: taken if turn == 0 else real(self, rid, turn)
    )

    voucher = shop.redeem(rider)

    assert voucher.code != taken
    assert shop.row(voucher).code_turn == 1
    assert _balance(shop, rider) == (15, 10)
    assert shop.left() == 3


def test_redeeming_costs_at_most_eighteen_write_units(shop: Shop, rider: Actor) -> None:
    meter = Meter().watch(connection())

    shop.redeem(rider)

    assert meter.read().write_units <= 18


def test_the_offer_says_what_is_left_and_what_is_missing(shop: Shop) -> None:
    rider = shop.rider(7, is_confirmed=False)

    offer = shop.catalogue.offer(rider, shop.reward_id)

    assert offer.stock_left == 5
    assert offer.missing == (Missing.OCCUPATION, Missing.POINTS)
    assert offer.missing_points == 3


def _listed(catalogue: Catalogue, actor: Actor) -> list[Offer]:
    offers: list[Offer] = []
    cursor = None
    while True:
        page = catalogue.page(actor, limit=100, cursor=cursor)
        offers += page.items
        cursor = page.next_cursor
        if cursor is None:
            return offers


def test_the_catalogue_lists_the_county_by_class_cheapest_first(shop: Shop) -> None:
    dear = Shop(clock=shop.clock, class_id=shop.class_id, price=200).opened()
    hidden = Shop(clock=shop.clock, class_id=shop.class_id, status="retired").opened()

    offers = [
        offer
        for offer in _listed(shop.catalogue, shop.rider())
        if offer.entitlement.class_id == shop.class_id
    ]

    assert [offer.reward.reward_id for offer in offers] == [shop.reward_id, dear.reward_id]
    assert hidden.reward_id not in [offer.reward.reward_id for offer in offers]
    assert [offer.missing for offer in offers] == [(), (Missing.POINTS,)]


def test_pages_of_the_catalogue_join_without_gap(shop: Shop) -> None:
    for _ in range(3):
        Shop(clock=shop.clock).opened()
    rider, catalogue = shop.rider(), shop.catalogue
    everything = [offer.reward.reward_id for offer in _listed(catalogue, rider)]

    first = catalogue.page(rider, limit=2)
    second = catalogue.page(rider, limit=2, cursor=first.next_cursor)

    paged = [offer.reward.reward_id for page in (first, second) for offer in page.items]
    assert paged == everything[:4]


def test_another_countys_offers_are_not_shown(shop: Shop) -> None:
    foreigner = an_actor(county="411525")

    shown = [offer.reward.reward_id for offer in _listed(shop.catalogue, foreigner)]

    assert shop.reward_id not in shown
    with pytest.raises(NotFound, match=r"reward\.not_found"):
        shop.catalogue.offer(foreigner, shop.reward_id)


def test_a_reward_whose_class_has_no_row_is_still_offered(shop: Shop) -> None:
    ClassRow(shop.class_id).delete()

    offer = shop.catalogue.offer(shop.rider(), shop.reward_id)

    assert offer.entitlement.name.text("en") == shop.class_id


def test_a_new_reward_shows_after_half_a_minute(shop: Shop) -> None:
    catalogue, rider = shop.catalogue, shop.rider()
    catalogue.page(rider, limit=1)
    late = Shop(clock=shop.clock).opened()

    def is_shown() -> bool:
        return late.reward_id in [offer.reward.reward_id for offer in _listed(catalogue, rider)]

    before = is_shown()
    shop.clock.advance(timedelta(seconds=30))
    assert (before, is_shown()) == (False, True)


def test_a_twin_that_took_the_last_one_is_found_though_only_the_stock_was_named(
    clock: FixedClock, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = Shop(clock=clock, stock=1).opened()
    rider, commit = last.rider(10), Transaction.commit

    def committed_by_a_twin(self: Transaction) -> None:
        monkeypatch.undo()
        commit(self)
        raise Refused({"stock": None})

    monkeypatch.setattr(Transaction, "commit", committed_by_a_twin)

    voucher = last.redeem(rider)

    assert voucher.code is not None
    assert (last.left(), _balance(last, rider)) == (0, (0, 10))


def test_when_every_code_is_taken_nothing_is_taken(
    shop: Shop, rider: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = shop.redeem(shop.rider()).code
    monkeypatch.setattr(Codes, "code", lambda self, rid, turn=0: taken)

    with pytest.raises(Unavailable):
        shop.redeem(rider)

    assert _balance(shop, rider) == (25, 0)
    assert shop.left() == 4
