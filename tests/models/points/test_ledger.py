"""The ledger on a real engine: posting once, in any transaction, under races and lost replies."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from infra.local.meter import Meter
from models.base.errors import Conflict, NotFound
from models.base.store import Refused, Transaction, change, get
from models.base.tables import Database, connection
from models.points.checking import check_member
from models.points.entities import Act, EntryKind
from models.points.ledger import HoldStep, Ledger, claw_back_id, transfer
from models.points.posting import Event, Posting, accounts_of
from models.points.reading import balances
from models.points.tables import EntryRow, WalletRow
from tests.support.faults import lost_reply, never_sent
from tests.support.points import COUNTY, NOW, a_member_id, a_step, award, hold, mature

WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
def _tables(database: Database) -> None:
    pass


@pytest.fixture
def member() -> Iterator[str]:
    """A member whose ledger must be sound whatever the test did."""
    member_id = a_member_id()
    yield member_id
    assert check_member(member_id) == ()


def _kinds(member_id: str) -> list[str]:
    return [row.kind for row in EntryRow.query(member_id, page_size=100)]


def _settle(step: HoldStep) -> Posting:
    ledger = Ledger()
    return ledger.post(lambda: ledger.plan_settle(step, reward_id="haircut"))


def test_an_award_without_a_day_is_available_at_once(member: str) -> None:
    award(member, 10)

    found = balances(member, NOW)
    assert (found.available, found.pending, found.held, found.debt) == (10, 0, 0, 0)
    assert [(b.last_day, b.points) for b in found.buckets] == [("2028-03-31", 10)]


def test_an_award_posts_once_however_often_it_is_asked_for(member: str) -> None:
    first = award(member, 10, transfer_id=f"{member}-a")
    again = award(member, 10, transfer_id=f"{member}-a", now=NOW + timedelta(days=40))

    assert (first.already, again.already, again.points) == (False, True, 10)
    assert balances(member, NOW).available == 10


def test_eight_at_once_with_one_transfer_post_once(member: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        postings = list(
            threads.map(lambda _: award(member, 10, transfer_id=f"{member}-a"), range(8))
        )

    assert sorted(posting.already for posting in postings) == [False] + [True] * 7
    assert balances(member, NOW).available == 10


def test_sixteen_at_once_with_transfers_of_their_own_all_post(member: str) -> None:
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda n: award(member, n), range(1, 17)))

    assert balances(member, NOW).available == sum(range(1, 17))
    assert len(_kinds(member)) == 16


def test_an_award_whose_reply_was_lost_posts_once(member: str) -> None:
    with lost_reply():
        posting = award(member, 10)

    assert posting.points == 10
    assert balances(member, NOW).available == 10


def test_an_award_that_did_not_arrive_is_sent_again(member: str) -> None:
    with never_sent(times=3):
        award(member, 10)

    assert balances(member, NOW).available == 10


def test_a_transfer_of_one_member_is_not_taken_for_anothers(member: str) -> None:
    award(member, 10, transfer_id=f"{member}-a")

    with pytest.raises(Conflict, match=r"request\.reused"):
        award(a_member_id(), 10, transfer_id=f"{member}-a")


def test_an_award_of_nothing_is_an_entry_too(member: str) -> None:
    posting = award(member, 0, transfer_id=f"{member}-a")

    assert not posting.already
    assert award(member, 0, transfer_id=f"{member}-a").already
    assert _kinds(member) == ["award"]


def test_a_pending_award_becomes_available_by_itself_on_its_day(member: str) -> None:
    award(member, 10, matures_at=NOW + WEEK)

    before, after = balances(member, NOW + timedelta(days=6)), balances(member, NOW + WEEK)
    assert (before.available, before.pending) == (0, 10)
    assert [(m.day, m.points) for m in before.maturing] == [("2026-03-25", 10)]
    assert (after.available, after.pending) == (10, 0)


def test_an_award_whose_day_has_come_is_available_at_once(member: str) -> None:
    award(member, 10, matures_at=NOW)

    assert balances(member, NOW).available == 10
    assert get(WalletRow, member).pending == {}  # type: ignore[union-attr]


def test_an_award_can_mature_before_its_day_and_only_once(member: str) -> None:
    award(member, 10, transfer_id=f"{member}-a", matures_at=NOW + WEEK)
    award(member, 2, transfer_id=f"{member}-b", matures_at=NOW + WEEK)

    first, again = mature(member, f"{member}-a"), mature(member, f"{member}-a")

    assert (first.already, again.already) == (False, True)
    found = balances(member, NOW)
    assert (found.available, found.pending) == (10, 2)


def test_an_award_that_matured_by_itself_is_not_matured_twice(member: str) -> None:
    award(member, 10, transfer_id=f"{member}-a", matures_at=NOW + WEEK)

    mature(member, f"{member}-a", now=NOW + timedelta(days=8))

    found = balances(member, NOW + timedelta(days=8))
    assert (found.available, found.pending) == (10, 0)


def test_an_award_that_has_not_posted_cannot_mature(member: str) -> None:
    with pytest.raises(NotFound, match=r"transfer\.not_found"):
        mature(member, f"{member}-a")


def test_an_award_of_another_member_cannot_mature(member: str) -> None:
    award(member, 10, transfer_id=f"{member}-a", matures_at=NOW + WEEK)

    with pytest.raises(NotFound, match=r"transfer\.not_found"):
        mature(a_member_id(), f"{member}-a")


def test_old_points_expire_and_the_next_entry_says_so(member: str) -> None:
    award(member, 10)
    later = NOW + timedelta(days=800)

    assert balances(member, later).available == 0
    award(member, 3, now=later)

    assert balances(member, later).available == 3
    last = list(EntryRow.query(member, page_size=10))[-1]
    assert last.legs == {
        "a:2028-03": -10,
        "exp": 10,
        "iss:report.first@1": -3,
        "a:2030-05": 3,
    }


def test_held_points_are_neither_available_nor_gone(member: str) -> None:
    award(member, 25)

    hold(member, 10)

    found = balances(member, NOW)
    assert (found.available, found.held) == (15, 10)


def test_a_hold_beyond_the_balance_writes_nothing(member: str) -> None:
    award(member, 9)

    with pytest.raises(Conflict) as refusal:
        hold(member, 10, transfer_id=f"{member}-h")

    assert refusal.value.details["missing"] == 1
    assert transfer(f"{member}-h") is None
    assert _kinds(member) == ["award"]


def test_who_never_had_points_has_nothing_to_hold(member: str) -> None:
    with pytest.raises(Conflict, match=r"points\.insufficient"):
        hold(member, 1)

    assert get(WalletRow, member) is None


def test_of_two_holds_at_once_beyond_the_balance_one_wins(member: str) -> None:
    award(member, 10)

    def attempt(_: int) -> str:
        try:
            hold(member, 10)
        except Conflict as refused:
            return refused.code
        return "held"

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(attempt, range(8)))

    assert sorted(outcomes) == ["held"] + ["points.insufficient"] * 7
    assert balances(member, NOW).held == 10


def test_a_repeated_hold_is_not_told_that_its_own_points_are_missing(member: str) -> None:
    award(member, 10)

    with ThreadPoolExecutor(8) as threads:
        postings = list(
            threads.map(lambda _: hold(member, 10, transfer_id=f"{member}-h"), range(8))
        )

    assert sum(not posting.already for posting in postings) == 1
    assert balances(member, NOW).held == 10


def test_a_frozen_wallet_spends_nothing_but_goes_on_earning_and_settling(member: str) -> None:
    award(member, 30)
    hold(member, 10, transfer_id=f"{member}-h")
    change(WalletRow(member), [WalletRow.frozen_at.set(NOW)])

    with pytest.raises(Conflict, match=r"points\.frozen"):
        hold(member, 10)
    again = hold(member, 10, transfer_id=f"{member}-h")
    award(member, 5)
    _settle(a_step(member, f"{member}-h"))

    assert again.already
    found = balances(member, NOW)
    assert (found.available, found.held) == (25, 0)
    assert get(WalletRow, member).frozen_at == NOW  # type: ignore[union-attr]


def test_a_hold_that_was_planned_before_the_freeze_is_refused_after_it(member: str) -> None:
    award(member, 30)
    ledger, tx = Ledger(), Transaction()
    ledger.plan_hold(
        member_id=member, county=COUNTY, transfer_id=f"{member}-h", points=10, now=NOW, source={}
    ).add_to(tx)
    change(WalletRow(member), [WalletRow.frozen_at.set(NOW)])

    with pytest.raises(Refused) as refused:
        tx.commit()

    assert Posting.lost(refused.value)
    assert balances(member, NOW).available == 30


def test_an_award_matures_early_only_as_far_as_its_claw_back_left_it(member: str) -> None:
    award(member, 10, transfer_id=f"{member}-a", matures_at=NOW + WEEK)
    award(member, 3, transfer_id=f"{member}-b", matures_at=NOW + WEEK)
    event = Event(
        member_id=member,
        county=COUNTY,
        transfer_id=claw_back_id(f"{member}-a"),
        kind=EntryKind.CLAW_BACK,
        points=10,
        source={},
        now=NOW,
    )
    bucket = "p:2026-03-25:2028-03"
    ledger = Ledger()
    ledger.post(lambda: ledger.plan(event, lambda _, __: {"iss:report.first@1": 10, bucket: -10}))

    mature(member, f"{member}-a")

    found = balances(member, NOW)
    assert (found.available, found.pending) == (0, 3)


def test_a_settled_hold_is_spent(member: str) -> None:
    award(member, 25)
    hold(member, 10, transfer_id=f"{member}-h")

    _settle(a_step(member, f"{member}-h"))

    found = balances(member, NOW)
    assert (found.available, found.held) == (15, 0)


def test_a_released_hold_goes_back_to_its_bucket(member: str) -> None:
    award(member, 10, now=NOW - timedelta(days=60))
    award(member, 10)
    hold(member, 15, transfer_id=f"{member}-h")
    ledger = Ledger()

    step = a_step(member, f"{member}-h")
    ledger.post(lambda: ledger.plan_release(step))

    assert [(b.last_day, b.points) for b in balances(member, NOW).buckets] == [
        ("2028-01-31", 10),
        ("2028-03-31", 10),
    ]


def test_a_settled_hold_can_be_held_again_or_refunded(member: str) -> None:
    award(member, 10)
    hold(member, 10, transfer_id=f"{member}-h")
    ledger = Ledger()
    _settle(a_step(member, f"{member}-h"))

    back = a_step(member, f"{member}-h")
    ledger.post(lambda: ledger.plan_reinstate(back, reward_id="haircut"))
    assert balances(member, NOW).held == 10
    _settle(a_step(member, f"{member}-h"))
    refund = a_step(member, f"{member}-h")
    ledger.post(lambda: ledger.plan_refund(refund, reward_id="haircut"))

    found = balances(member, NOW)
    assert (found.available, found.held) == (10, 0)


def test_a_command_repeated_with_other_content_is_refused(member: str) -> None:
    ledger = Ledger()
    award(member, 10)
    hold(member, 10, transfer_id=f"{member}-h")
    step = a_step(member, f"{member}-h")
    _settle(step)
    other = HoldStep(
        member_id=member,
        hold_transfer_id=f"{member}-h",
        transfer_id=step.transfer_id,
        now=NOW,
        source={},
        request_hash="other",
    )

    with pytest.raises(Conflict, match=r"request\.reused"):
        ledger.plan_settle(other, reward_id="haircut")


def test_two_members_share_one_transaction_or_neither_posts(member: str) -> None:
    ledger, other = Ledger(), a_member_id()

    def plan(who: str) -> Posting:
        return ledger.plan_award(
            member_id=who,
            county=COUNTY,
            transfer_id=f"{who}-a",
            act=Act(rule="report.first", at=NOW),
            now=NOW,
            matures_at=None,
            source={},
        )

    tx = Transaction()
    plan(member).add_to(tx, "first")
    plan(other).add_to(tx, "second")
    late = Transaction()
    plan(member).add_to(late, "first")
    tx.commit()

    with pytest.raises(Refused) as refused:
        late.commit()

    assert Posting.lost(refused.value)
    assert refused.value.names == {
        "points.first.wallet",
        "points.first.entry",
        "points.first.transfer",
        "points.first.caps",
    }
    assert balances(other, NOW).available == 10


def test_a_refusal_of_somebody_elses_write_is_not_lost_points() -> None:
    assert not Posting.lost(Refused({"case": None}))


def test_what_has_posted_before_adds_nothing_to_a_transaction(member: str) -> None:
    award(member, 10, transfer_id=f"{member}-a")

    posting = award(member, 10, transfer_id=f"{member}-a")
    posting.add_to(Transaction())

    assert posting.writes is None


def test_an_award_costs_six_units_one_read_and_one_transaction(member: str) -> None:
    award(member, 1)
    meter = Meter().watch(connection())

    award(member, 10)

    cost = meter.read()
    assert cost.operations == ("TransactGetItems", "TransactWriteItems")
    assert cost.write_units == 6


def test_a_full_wallet_stays_below_one_kilobyte(member: str) -> None:
    months = [NOW.replace(year=2026 + n // 12, month=n % 12 + 1) for n in range(2, 27)]
    for month in months:
        award(member, 600, now=month)
    for day in range(8):
        award(member, 60, now=months[-1], matures_at=months[-1] + timedelta(days=day))
    change(WalletRow(member), [WalletRow.frozen_at.set(months[-1])])

    row = get(WalletRow, member)

    assert row is not None
    assert len(row.available) == 25
    assert len(row.pending) == 7
    assert _size_bytes(row) <= 1024
    assert accounts_of(row)["a:2028-03"] == 600


def _size_bytes(row: WalletRow) -> int:
    """As DynamoDB counts: names, text, 21 bytes at most per number, 1 per map member, 3 per map."""
    size = 0
    for name, value in row.serialize().items():
        size += len(name)
        for kind, content in value.items():
            if kind == "M":
                size += 3 + sum(len(key) + 1 + len(n["N"]) // 2 + 2 for key, n in content.items())
            else:
                size += len(content)
    return size
