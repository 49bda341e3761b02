"""Five kinds of entitlement, a reward of each in both counties, and merchants to hand them over.

Names and prices are the demonstration's own, after domain.md §4.3; every row says `synthetic`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from handlers.wiring import Services
from infra.local.seed import geography, roster, stations
from models.rewards import life_rules, publishing, supply_rules
from models.rewards.entities import EntitlementClass, Fund, Merchant, Name, Reward, Supply

CLASSES = (
    EntitlementClass(class_id="health", name=Name(zh="体检", en="Health"), position=1),
    EntitlementClass(class_id="education", name=Name(zh="教育", en="Education"), position=2),
    EntitlementClass(class_id="protection", name=Name(zh="保障", en="Protection"), position=3),
    EntitlementClass(class_id="everyday", name=Name(zh="生活服务", en="Everyday"), position=4),
    EntitlementClass(class_id="culture", name=Name(zh="文化成长", en="Culture"), position=5),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """A reward as both counties have it; ``merchant`` numbers who hands it over."""

    key: str
    class_id: str
    name: Name
    terms: Name
    price: int
    valid_days: int
    stock: int
    merchant: int
    at_stations: bool = False


_ITEMS = (
    _Item(
        key="haircut",
        class_id="everyday",
        name=Name(zh="理发一次", en="Haircut"),
        terms=Name(zh="到店出示兑换码", en="Show the code in the shop"),
        price=10,
        valid_days=30,
        stock=200,
        merchant=1,
    ),
    _Item(
        key="health-check",
        class_id="health",
        name=Name(zh="基础体检一次", en="Basic health check"),
        terms=Name(zh="请提前一天预约", en="Book a day ahead"),
        price=200,
        valid_days=60,
        stock=50,
        merchant=2,
    ),
    _Item(
        key="children-class",
        class_id="education",
        name=Name(zh="子女托管课名额", en="A place in the children's class"),
        terms=Name(zh="限本人子女，一期有效", en="For one's own child, one term"),
        price=150,
        valid_days=30,
        stock=30,
        merchant=3,
    ),
    _Item(
        key="mutual-aid",
        class_id="protection",
        name=Name(zh="意外互助保障一年", en="Accident mutual aid for a year"),
        terms=Name(zh="核销次日起生效", en="Holds from the day after"),
        price=50,
        valid_days=30,
        stock=100,
        merchant=2,
    ),
    _Item(
        key="reading-card",
        class_id="culture",
        name=Name(zh="读书会活动一次", en="A reading session"),
        terms=Name(zh="到驿站或合作书屋参加", en="At a station or the reading room"),
        price=20,
        valid_days=30,
        stock=100,
        merchant=3,
        at_stations=True,
    ),
)

_MERCHANT_NAMES = ("街角理发店", "社区卫生服务点", "邻里书屋")
_PLACES = {geography.WEST_COUNTY: (114.075, 32.118), geography.EAST_COUNTY: (114.09, 32.14)}
_STATIONS_PER_REWARD = 5
MONTHS_FUNDED = 24


def merchants() -> tuple[Merchant, ...]:
    """The invented merchants of both counties."""
    return tuple(merchant for county in roster.COUNTIES for merchant in _merchants(county))


def rewards() -> tuple[Reward, ...]:
    """Every reward of both counties."""
    return tuple(_reward(item, county) for county in roster.COUNTIES for item in _ITEMS)


def plant(services: Services) -> int:
    """Put everything on the shelf; answers how many rows changed. Safe to repeat.

    ``services`` says where the tables are: making them has pointed this process there.
    """
    changed = publishing.put_classes(CLASSES) + publishing.put_merchants(merchants())
    funded = [_funded(reward, services.clock.now()) for reward in rewards()]
    changed += publishing.put_funds(_fund(county, funded) for county in roster.COUNTIES)
    return changed + publishing.publish(funded)


def _funded(reward: Reward, now: datetime) -> Reward:
    """The reward with a monthly quota, paid by its county's fund, at a price that is locked."""
    amounts = {item.key: item.stock for item in _ITEMS}
    month = supply_rules.month_of(now)
    plan = Supply(
        quotas={reward.county: amounts[reward.reward_id.partition("-")[2]]},
        funded_until=supply_rules.month_after(month, MONTHS_FUNDED - 1),
    )
    published = replace(
        reward,
        fund_id=f"{reward.county}-fund",
        supply=plan,
        published_at=now,
        price_locked_until=now + life_rules.PRICE_LOCKED_FOR,
    )
    return replace(published, committed=life_rules.committed(None, published, now=now))


def _fund(county: str, funded: list[Reward]) -> Fund:
    promised = sum(reward.committed for reward in funded if reward.county == county)
    return Fund(
        fund_id=f"{county}-fund",
        county=county,
        name=Name(zh="权益资金（演示）", en="Fund of the entitlements"),
        points_cap=2 * promised,
        committed=promised,
        synthetic=True,
    )


def _merchants(county: str) -> Iterator[Merchant]:
    lon, lat = _PLACES[county]
    for number, (merchant_id, name) in enumerate(
        zip(roster.merchant_ids(county), _MERCHANT_NAMES, strict=True), start=1
    ):
        yield Merchant(
            merchant_id=merchant_id,
            county=county,
            name=f"{name}（演示）",
            address=f"演示街 {number} 号",
            lon=lon + number / 1000,
            lat=lat,
            synthetic=True,
        )


def _reward(item: _Item, county: str) -> Reward:
    places = [f"merchant:{roster.merchant_ids(county)[item.merchant - 1]}"]
    if item.at_stations:
        own = [station for station in stations.stations() if station.county == county]
        places += [f"station:{station.station_id}" for station in own[:_STATIONS_PER_REWARD]]
    return Reward(
        reward_id=f"{county}-{item.key}",
        class_id=item.class_id,
        county=county,
        name=item.name,
        terms=item.terms,
        price=item.price,
        valid_days=item.valid_days,
        fulfillers=tuple(places),
        synthetic=True,
    )
