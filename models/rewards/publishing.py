"""Put classes, rewards, merchants and stock on the shelf. Safe to repeat."""

from __future__ import annotations

from collections.abc import Iterable

from models.base.store import change, get, put_if_absent, update_if
from models.base.tables import Table
from models.rewards.entities import EntitlementClass, Fund, Merchant, Reward
from models.rewards.tables import ClassRow, FundRow, MerchantRow, RewardRow

LIFE = frozenset(
    {
        "status",
        "quotas",
        "shards",
        "funded_until",
        "price_locked_until",
        "published_at",
        "committed",
        "points_cap",
    }
)
"""What a reward's life changes; a seed that is planted again does not."""


def put_classes(classes: Iterable[EntitlementClass]) -> int:
    """Add classes or change what is said of them; answer how many differed."""
    return sum(_put(class_row(entitlement)) for entitlement in classes)


def put_merchants(merchants: Iterable[Merchant]) -> int:
    """Add merchants or change what is said of them; answer how many differed."""
    return sum(
        _put(
            MerchantRow(
                merchant.merchant_id,
                county=merchant.county,
                name=merchant.name,
                address=merchant.address,
                lon=merchant.lon,
                lat=merchant.lat,
                synthetic=merchant.synthetic,
            )
        )
        for merchant in merchants
    )


def put_funds(funds: Iterable[Fund]) -> int:
    """Add funds or change their names and caps; answer how many differed."""
    return sum(_put(fund_row(fund), once=LIFE) for fund in funds)


def publish(rewards: Iterable[Reward]) -> int:
    """Put rewards on the shelf as they are, or change what is said of them; answer how many
    differed. For a seed: it asks neither fund nor guard, and leaves the life of a standing one.

    Vouchers that were reserved before keep the price and the days they were reserved with.
    """
    return sum(_put(row_of(reward), once=LIFE) for reward in rewards)


def stock(reward: Reward, amount: int) -> bool:
    """Give the reward's county a quota of ``amount`` a month; False where it had one before."""
    return update_if(
        RewardRow(reward.reward_id),
        [RewardRow.quotas.set({reward.county: amount})],
        RewardRow.reward_id.exists() & RewardRow.quotas.does_not_exist(),
    )


def class_row(entitlement: EntitlementClass) -> ClassRow:
    """The row that holds a class of entitlement."""
    return ClassRow(
        entitlement.class_id,
        name_zh=entitlement.name.zh,
        name_en=entitlement.name.en,
        position=entitlement.position,
    )


def fund_row(fund: Fund) -> FundRow:
    """The row that holds a fund."""
    return FundRow(
        fund.fund_id,
        county=fund.county,
        name_zh=fund.name.zh,
        name_en=fund.name.en,
        points_cap=fund.points_cap,
        committed=fund.committed,
        synthetic=fund.synthetic,
    )


def row_of(reward: Reward) -> RewardRow:
    """The row that holds a reward."""
    following = reward.supply.following
    return RewardRow(
        reward.reward_id,
        county=reward.county,
        class_id=reward.class_id,
        status=reward.state.value,
        name_zh=reward.name.zh,
        name_en=reward.name.en,
        terms_zh=reward.terms.zh,
        terms_en=reward.terms.en,
        price=reward.price,
        valid_days=reward.valid_days,
        fulfillers=set(reward.fulfillers),
        synthetic=reward.synthetic,
        fund_id=reward.fund_id,
        committed=reward.committed or None,
        quotas=reward.supply.quotas or None,
        shards=reward.supply.shards,
        quotas_next=following.quotas if following else None,
        shards_next=following.shards if following else None,
        next_from=reward.supply.following_from,
        funded_until=reward.supply.funded_until,
        standing=reward.eligibility.standing.value,
        occupations={each.value for each in reward.eligibility.occupations} or None,
        member_days=reward.eligibility.member_days or None,
        limit_count=reward.limit.count if reward.limit else None,
        limit_days=reward.limit.days if reward.limit else None,
        needs_approval=reward.needs_approval or None,
        codes=reward.codes.value,
        published_at=reward.published_at,
        price_locked_until=reward.price_locked_until,
    )


def _put(
    row: ClassRow | FundRow | MerchantRow | RewardRow, once: frozenset[str] = frozenset()
) -> bool:
    """Make or change a row; ``once`` names what is written only when it is made."""
    table: type[Table] = type(row)
    key = table._hash_key_attribute().attr_name  # type: ignore[no-untyped-call]  # pynamodb
    standing = get(table, getattr(row, key))
    if standing is None:
        return put_if_absent(row)
    wanted = {
        name: value
        for name, value in row.attribute_values.items()
        if value is not None and name not in once
    }
    if all(standing.attribute_values.get(name) == value for name, value in wanted.items()):
        return False
    attributes = table.get_attributes()
    change(row, [attributes[name].set(value) for name, value in wanted.items() if name != key])
    return True
