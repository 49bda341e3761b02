"""Put classes, rewards, merchants and stock on the shelf. Safe to repeat."""

from __future__ import annotations

from collections.abc import Iterable

from models.base.store import change, get, put_if_absent
from models.base.tables import Table
from models.rewards.entities import EntitlementClass, Merchant, Reward
from models.rewards.tables import (
    ONLY_SHARD,
    PUBLISHED,
    ClassRow,
    MerchantRow,
    RewardRow,
    StockRow,
)


def put_classes(classes: Iterable[EntitlementClass]) -> int:
    """Add classes or change what is said of them; answer how many differed."""
    return sum(
        _put(
            ClassRow(
                entitlement.class_id,
                name_zh=entitlement.name.zh,
                name_en=entitlement.name.en,
                position=entitlement.position,
            )
        )
        for entitlement in classes
    )


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


def publish(rewards: Iterable[Reward]) -> int:
    """Offer rewards or change what is said of them; answer how many differed.

    Vouchers that were reserved before keep the price and the days they were reserved with.
    """
    return sum(
        _put(
            RewardRow(
                reward.reward_id,
                county=reward.county,
                class_id=reward.class_id,
                status=PUBLISHED,
                name_zh=reward.name.zh,
                name_en=reward.name.en,
                terms_zh=reward.terms.zh,
                terms_en=reward.terms.en,
                price=reward.price,
                valid_days=reward.valid_days,
                fulfillers=set(reward.fulfillers),
                synthetic=reward.synthetic,
            )
        )
        for reward in rewards
    )


def stock(reward: Reward, amount: int) -> bool:
    """Stock a reward for the first time; False, and no change, where it was stocked before."""
    return put_if_absent(
        StockRow(
            reward.reward_id,
            ONLY_SHARD,
            county=reward.county,
            rem=amount,
            cap=amount,
            synthetic=reward.synthetic,
        )
    )


def _put(row: ClassRow | MerchantRow | RewardRow) -> bool:
    table: type[Table] = type(row)
    key = table._hash_key_attribute().attr_name  # type: ignore[no-untyped-call]  # pynamodb
    standing = get(table, getattr(row, key))
    if standing is None:
        return put_if_absent(row)
    if standing.attribute_values == row.attribute_values:
        return False
    attributes = table.get_attributes()
    change(
        row,
        [
            attributes[name].set(value)
            for name, value in row.attribute_values.items()
            if name != key
        ],
    )
    return True
