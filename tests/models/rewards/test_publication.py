"""An admin's sheet of rewards: judged whole, written at once, paid for, and safe to repeat."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from models.base.clock import FixedClock, utc_text
from models.base.errors import Conflict, NotFound
from models.base.ids import new_id
from models.base.store import get
from models.base.tables import Database
from models.rewards import publishing, reward_sheets
from models.rewards.entities import Fund, Merchant, Reward, RewardState, Supply
from models.rewards.judging import Draft, Report
from models.rewards.life_rules import RewardAction
from models.rewards.publication import Publication
from models.rewards.solvency import Judgement
from models.rewards.solvency_entities import Broken, Clause, Verdict
from models.rewards.tables import FundRow, RewardRow
from tests.support.faults import lost_reply, never_sent
from tests.support.people import COUNTY

EAST = "411502"
DAY = timedelta(days=1)
DEAR = 317
"""A price that no other test asks."""


@dataclass
class Desk:
    """An admin with a merchant, a class and a fund of his own."""

    clock: FixedClock
    publication: Publication = field(default_factory=Publication)
    merchant_id: str = field(default_factory=lambda: new_id("mch"))
    class_id: str = field(default_factory=lambda: new_id("cls"))
    fund_id: str = field(default_factory=lambda: new_id("fnd"))
    reward_id: str = field(default_factory=lambda: new_id("rwd"))

    def opened(self, cap: int = 1000) -> Desk:
        publishing.put_merchants(
            [
                Merchant(
                    merchant_id=self.merchant_id,
                    county=COUNTY,
                    name="店",
                    address="街",
                    lon=114.0,
                    lat=32.0,
                )
            ]
        )
        report = self.publish(classes=[self.a_class()], funds=[self.a_fund(cap)])
        assert report.wrong == ()
        return self

    def a_class(self, **cells: str) -> dict[str, str]:
        names = {"name_zh": "体检", "name_en": "Health"}
        return {"class_id": self.class_id, **names, "position": "9", **cells}

    def a_fund(self, cap: int = 1000, **cells: str) -> dict[str, str]:
        names = {"name_zh": "资金", "name_en": "Fund"}
        row = {"fund_id": self.fund_id, "county": COUNTY, **names, "points_cap": str(cap)}
        return {**row, **cells}

    def a_row(self, **cells: str) -> dict[str, str]:
        """Ten vouchers at ten points a month, for three months from now on."""
        row = {
            "reward_id": self.reward_id,
            "class_id": self.class_id,
            "county": COUNTY,
            "name_zh": "理发",
            "name_en": "Haircut",
            "terms_zh": "到店",
            "terms_en": "In the shop",
            "price": "10",
            "valid_days": "30",
            "fulfillers": f"merchant:{self.merchant_id}",
            "fund_id": self.fund_id,
            "quotas": f"{COUNTY}=10",
            "funded_until": "2026-05",
        }
        return {name: cell for name, cell in {**row, **cells}.items() if cell}

    def publish(
        self,
        *rewards: dict[str, str],
        funds: Sequence[dict[str, str]] = (),
        classes: Sequence[dict[str, str]] = (),
        dry_run: bool = False,
    ) -> Report:
        draft = Draft(
            actor="district",
            rewards=rewards,
            funds=funds,
            classes=classes,
            counties=(COUNTY, EAST),
            stations=("stn_1",),
        )
        return self.publication.publish(draft, self.clock.now(), dry_run=dry_run)

    def change(self, action: RewardAction) -> RewardState:
        now = self.clock.now()
        return self.publication.change(self.reward_id, action, actor="district", now=now)

    def reward(self, reward_id: str | None = None) -> Reward:
        row = get(RewardRow, reward_id or self.reward_id)
        assert row is not None
        return row.entity()

    def fund(self) -> Fund:
        row = get(FundRow, self.fund_id)
        assert row is not None
        return row.entity()


@pytest.fixture
def desk(database: Database, clock: FixedClock) -> Desk:
    return Desk(clock=clock).opened()


def wrong(report: Report) -> list[tuple[int, str, str]]:
    return [(error.row, error.column, error.code) for error in report.wrong]


def test_a_published_reward_is_paid_for_and_its_price_is_locked(desk: Desk) -> None:
    report = desk.publish(desk.a_row())

    assert (report.added, report.states) == ((desk.reward_id,), {desk.reward_id: "published"})
    reward = desk.reward()
    assert reward.committed == desk.fund().committed == 10 * 10 * 3
    assert reward.published_at == desk.clock.now()
    assert reward.price_locked_until == desk.clock.now() + 90 * DAY


def test_the_same_sheet_again_changes_nothing(desk: Desk) -> None:
    desk.publish(desk.a_row())
    before = get(RewardRow, desk.reward_id)
    desk.clock.advance(DAY)

    again = desk.publish(desk.a_row())

    after = get(RewardRow, desk.reward_id)
    assert (again.added, again.changed) == ((), {})
    assert before is not None
    assert after is not None
    assert after.attribute_values == before.attribute_values


@pytest.mark.parametrize("fault", [lost_reply, never_sent])
def test_a_lost_reply_publishes_once_and_tells_it(desk: Desk, fault: Any) -> None:
    with fault():
        report = desk.publish(desk.a_row())

    assert report.added == (desk.reward_id,)
    assert desk.fund().committed == 300


def test_a_dry_run_says_what_would_change_and_writes_nothing(desk: Desk) -> None:
    desk.publish(desk.a_row())

    report = desk.publish(desk.a_row(price="8", valid_days="60"), dry_run=True)

    assert set(report.changed[desk.reward_id]) >= {"price", "valid_days"}
    assert desk.reward().price == 10


def test_every_error_is_told_at_once_and_nothing_is_written(desk: Desk) -> None:
    bad = desk.a_row(
        reward_id=new_id("rwd"),
        class_id="none",
        fund_id="none",
        county="999999",
        quotas="999999=3 411503=1",
        fulfillers="merchant:none station:stn_1 station:stn_2",
        funded_until="2020-01",
    )

    report = desk.publish(desk.a_row(), bad, funds=[desk.a_fund(county="999999")])

    assert wrong(report) == [
        (2, "county", "county.unknown"),
        (3, "class_id", "class.unknown"),
        (3, "fund_id", "fund.unknown"),
        (3, "county", "county.unknown"),
        (3, "quotas", "county.unknown"),
        (3, "fulfillers", "fulfiller.unknown"),
        (3, "fulfillers", "fulfiller.unknown"),
        (3, "funded_until", "field.out_of_range"),
    ]
    assert get(RewardRow, desk.reward_id) is None


def test_a_fund_does_not_promise_more_than_it_has(desk: Desk) -> None:
    other = desk.a_row(reward_id=new_id("rwd"), quotas=f"{COUNTY}=24")

    report = desk.publish(desk.a_row(), other)

    assert wrong(report) == [(2, "fund_id", "fund.exhausted"), (3, "fund_id", "fund.exhausted")]
    assert [error.limit for error in report.wrong] == [1000, 1000]
    assert desk.publish(desk.a_row(), other, funds=[desk.a_fund(1020)]).wrong == ()
    assert wrong(desk.publish(funds=[desk.a_fund(1019)])) == [(2, "points_cap", "fund.promised")]


def test_two_publishers_do_not_promise_one_fund_twice(desk: Desk) -> None:
    rows = [desk.a_row(reward_id=new_id("rwd"), quotas=f"{COUNTY}=20") for _ in range(4)]

    with ThreadPoolExecutor(4) as threads:
        reports = list(threads.map(lambda row: desk.publish(row), rows))

    assert sorted(bool(report.wrong) for report in reports) == [False, True, True, True]
    assert desk.fund().committed == 600


def test_a_draft_becomes_funded_then_published_and_never_goes_back(desk: Desk) -> None:
    draft = desk.a_row(status="draft", fund_id="", quotas="", funded_until="")

    states = [
        desk.publish(row).states.get(desk.reward_id)
        for row in (draft, desk.a_row(status="funded"), desk.a_row(), draft)
    ]

    assert states == ["draft", "funded", "published", None]
    assert desk.reward().state is RewardState.PUBLISHED


def test_a_price_rises_only_after_ninety_days_and_falls_at_once(desk: Desk) -> None:
    desk.publish(desk.a_row())
    first_until = desk.clock.now() + 90 * DAY

    report = desk.publish(desk.a_row(price="11"))

    assert wrong(report) == [(2, "price", "reward.price_locked")]
    assert report.wrong[0].limit == utc_text(first_until)
    desk.clock.advance(10 * DAY)
    assert desk.publish(desk.a_row(price="8")).wrong == ()
    assert desk.reward().price_locked_until == first_until + 10 * DAY
    assert wrong(desk.publish(desk.a_row(price="10"))) == [(2, "price", "reward.price_locked")]
    desk.clock.advance(90 * DAY)
    assert desk.publish(desk.a_row(price="11", funded_until="2026-07")).wrong == ()


def test_a_new_quota_waits_for_the_next_month(desk: Desk) -> None:
    desk.publish(desk.a_row())

    desk.publish(desk.a_row(quotas=f"{COUNTY}=20 {EAST}=1", shards="4"))

    assert desk.reward().supply == Supply(
        quotas={COUNTY: 10},
        following=Supply(quotas={COUNTY: 20, EAST: 1}, shards=4),
        following_from="2026-04",
        funded_until="2026-05",
    )
    assert desk.fund().committed == 10 * (10 + 21 + 21)
    desk.clock.advance(30 * DAY)
    desk.publish(desk.a_row(quotas=f"{COUNTY}=5"))
    assert desk.reward().supply.quotas == {COUNTY: 20, EAST: 1}


def test_while_a_month_turns_the_quota_that_is_about_to_count_stays(desk: Desk) -> None:
    desk.publish(desk.a_row())
    desk.publish(desk.a_row(quotas=f"{COUNTY}=20"))
    desk.clock.set(datetime.fromisoformat("2026-03-31T23:30:00+08:00"))

    report = desk.publish(desk.a_row(quotas=f"{COUNTY}=1"))

    assert wrong(report) == [(2, "quotas", "reward.month_turns")]


def test_county_and_fund_of_a_reward_on_offer_stay(desk: Desk) -> None:
    desk.publish(desk.a_row())
    other = Desk(clock=desk.clock).opened()

    report = desk.publish(desk.a_row(county=EAST, fund_id=other.fund_id))

    assert wrong(report) == [
        (2, "county", "reward.county_fixed"),
        (2, "fund_id", "reward.fund_fixed"),
    ]


def test_a_reward_is_paused_resumed_and_retired_as_often_as_it_is_told(desk: Desk) -> None:
    desk.publish(desk.a_row())

    told = [
        desk.change(action)
        for action in (
            RewardAction.PAUSE,
            RewardAction.PAUSE,
            RewardAction.RESUME,
            RewardAction.RETIRE,
            RewardAction.RETIRE,
        )
    ]

    assert told == ["paused", "paused", "published", "retired", "retired"]
    assert desk.fund().committed == desk.reward().committed == 100
    with pytest.raises(Conflict, match=r"reward\.not_possible"):
        desk.change(RewardAction.PAUSE)
    assert wrong(desk.publish(desk.a_row())) == [(2, "status", "reward.not_possible")]
    with pytest.raises(NotFound, match=r"reward\.not_found"):
        desk.publication.change("none", RewardAction.PAUSE, actor="district", now=desk.clock.now())


def test_retiring_while_another_is_published_loses_no_points_of_the_fund(desk: Desk) -> None:
    desk.publish(desk.a_row())
    other = desk.a_row(reward_id=new_id("rwd"))

    with ThreadPoolExecutor(2) as threads:
        retired = threads.submit(desk.change, RewardAction.RETIRE)
        added = threads.submit(desk.publish, other)
    retired.result()

    assert added.result().wrong == ()
    assert desk.fund().committed == 100 + 300


def test_what_was_funded_to_a_month_that_is_over_is_sold_out_until_it_is_funded_again(
    desk: Desk,
) -> None:
    desk.publish(desk.a_row())
    desk.clock.set(datetime.fromisoformat("2026-06-01T00:00:00+08:00"))

    assert desk.publication.sell_out(desk.clock.now()) >= 1
    assert desk.reward().state is RewardState.SOLD_OUT
    desk.publish(desk.a_row(funded_until="2026-07"))
    assert desk.reward().state is RewardState.PUBLISHED
    assert desk.fund().committed == 300 + 200


@dataclass
class Strict:
    """A guard that refuses one price, and remembers what it was shown: strangers' rewards, too."""

    shown: list[tuple[Sequence[Reward], Sequence[Fund]]] = field(default_factory=list)

    def of_rewards(
        self, rewards: Sequence[Reward], funds: Sequence[Fund], now: datetime
    ) -> Judgement:
        self.shown.append((rewards, funds))
        is_dear = any(reward.price == DEAR for reward in rewards)
        clause = Clause(code=Broken.EMPTY, county=None, lack=1, figures={})
        return Judgement(
            verdict=Verdict(clauses=(), months=(), reaches=()),
            violated=(clause,) if is_dear else (),
        )


def test_the_guard_sees_the_shelf_as_it_would_stand_and_its_word_is_final(
    database: Database, clock: FixedClock
) -> None:
    guard = Strict()
    desk = Desk(clock=clock, publication=Publication(guard)).opened()
    assert guard.shown == []

    report = desk.publish(desk.a_row(price=str(DEAR), quotas=f"{COUNTY}=1"))

    rewards, funds = guard.shown[0]
    assert desk.reward_id in {reward.reward_id for reward in rewards}
    assert 3 * DEAR in {fund.committed for fund in funds if fund.fund_id == desk.fund_id}
    assert wrong(report) == [(0, "price", "solvency.refused")]
    assert report.clauses == ({"code": "solvency.empty", "county": None},)
    assert get(RewardRow, desk.reward_id) is None


def test_the_guard_is_not_asked_for_what_changes_no_value(
    database: Database, clock: FixedClock
) -> None:
    guard = Strict()
    desk = Desk(clock=clock, publication=Publication(guard)).opened()
    desk.publish(desk.a_row(status="draft"))
    desk.publish(desk.a_row())
    asked = len(guard.shown)

    desk.publish(desk.a_row(valid_days="60"))

    assert len(guard.shown) == asked
    # Once, but for a publication that met another's transaction and was judged again as it was.
    assert [shown for shown in guard.shown if shown != guard.shown[0]] == []
    assert asked > 0


def test_classes_are_rows_that_an_admin_adds_and_renames(desk: Desk) -> None:
    report = desk.publish(classes=[desk.a_class(name_zh="心理咨询", position="3")])

    assert report.wrong == ()
    desk.publish(desk.a_row())
    assert desk.reward().class_id == desk.class_id


def test_what_is_written_out_reads_in_as_the_same(desk: Desk) -> None:
    full = desk.a_row(
        occupations="courier rider",
        member_days="30",
        limit_count="2",
        limit_days="30",
        needs_approval="yes",
        codes="pool",
        standing="phone",
        shards="3",
        terms_zh="=1+1",
        fulfillers=f"merchant:{desk.merchant_id} station:stn_1",
    )
    desk.publish(full)

    written = reward_sheets.write([desk.reward()])

    assert "'=1+1" in written
    report = desk.publish(*reward_sheets.read(written))
    assert (report.wrong, report.changed) == ((), {})
