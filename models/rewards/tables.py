"""Rows of the six tables behind rewards."""

from __future__ import annotations

from pynamodb.attributes import (
    BooleanAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection

from models.base.tables import Instant, Table, Whole
from models.rewards.entities import EntitlementClass, Merchant, Name, Redemption, Reward, State

PUBLISHED = "published"
ONLY_SHARD = "0"
"""Stock stands in one row per reward; announced rushes get more shards under other names."""


class ClassRow(Table):
    """A kind of entitlement."""

    class Meta:
        table_name = "entitlement-classes"

    class_id = UnicodeAttribute(hash_key=True)
    schema = Whole(default=1)
    name_zh = UnicodeAttribute()
    name_en = UnicodeAttribute()
    position = Whole()

    def entity(self) -> EntitlementClass:
        return EntitlementClass(
            class_id=self.class_id,
            name=Name(zh=self.name_zh, en=self.name_en),
            position=self.position,
        )


class RewardRow(Table):
    """What points buy; offered while ``status`` is ``published``."""

    class Meta:
        table_name = "rewards"

    reward_id = UnicodeAttribute(hash_key=True)
    schema = Whole(default=1)
    county = UnicodeAttribute()
    class_id = UnicodeAttribute()
    status = UnicodeAttribute()
    name_zh = UnicodeAttribute()
    name_en = UnicodeAttribute()
    terms_zh = UnicodeAttribute()
    terms_en = UnicodeAttribute()
    price = Whole()
    valid_days = Whole()
    fulfillers = UnicodeSetAttribute()
    synthetic = BooleanAttribute(null=True)

    def entity(self) -> Reward:
        return Reward(
            reward_id=self.reward_id,
            class_id=self.class_id,
            county=self.county,
            name=Name(zh=self.name_zh, en=self.name_en),
            terms=Name(zh=self.terms_zh, en=self.terms_en),
            price=self.price,
            valid_days=self.valid_days,
            fulfillers=tuple(sorted(self.fulfillers)),
            synthetic=bool(self.synthetic),
        )


class StockRow(Table):
    """What is left (``rem``) of what there was (``cap``)."""

    class Meta:
        table_name = "stock"

    reward_id = UnicodeAttribute(hash_key=True)
    shard = UnicodeAttribute(range_key=True)
    schema = Whole(default=1)
    county = UnicodeAttribute()
    rem = Whole()
    cap = Whole()
    synthetic = BooleanAttribute(null=True)


class MerchantRow(Table):
    """Who hands rewards over; a position in GCJ-02 degrees."""

    class Meta:
        table_name = "merchants"

    merchant_id = UnicodeAttribute(hash_key=True)
    schema = Whole(default=1)
    county = UnicodeAttribute()
    name = UnicodeAttribute()
    address = UnicodeAttribute()
    lon = NumberAttribute()
    lat = NumberAttribute()
    synthetic = BooleanAttribute(null=True)

    def entity(self) -> Merchant:
        return Merchant(
            merchant_id=self.merchant_id,
            county=self.county,
            name=self.name,
            address=self.address,
            lon=self.lon,
            lat=self.lat,
            synthetic=bool(self.synthetic),
        )


class CodeRow(Table):
    """A code leads to one redemption; the key is the code's keyed hash."""

    class Meta:
        table_name = "redemption-codes"

    code_key = UnicodeAttribute(hash_key=True)
    schema = Whole(default=1)
    county = UnicodeAttribute()
    redemption_id = UnicodeAttribute()


class ByMember(GlobalSecondaryIndex["RedemptionRow"]):  # type: ignore[no-untyped-call]  # pynamodb
    """A member's redemptions by time; only keys, so that a handover does not write it."""

    class Meta:
        index_name = "by_member"
        projection = KeysOnlyProjection()

    member_id = UnicodeAttribute(hash_key=True)
    reserved_at = Instant(range_key=True)


class ByDue(GlobalSecondaryIndex["RedemptionRow"]):  # type: ignore[no-untyped-call]  # pynamodb
    """Reserved ones by their end; sparse, because only those carry ``due_shard``."""

    class Meta:
        index_name = "by_due"
        projection = KeysOnlyProjection()

    due_shard = UnicodeAttribute(hash_key=True)
    expires_at = Instant(range_key=True)


class ByMerchantDay(GlobalSecondaryIndex["RedemptionRow"]):  # type: ignore[no-untyped-call]  # pynamodb
    """Fulfilled ones by fulfiller and day (``merchant:<id>#<YYYY-MM-DD>``); sparse."""

    class Meta:
        index_name = "by_merchant_day"
        projection = AllProjection()

    merchant_day = UnicodeAttribute(hash_key=True)
    fulfilled_at = Instant(range_key=True)


class RedemptionRow(Table):
    """One taking of a reward; ``version`` counts its changes and decides every race for it."""

    class Meta:
        table_name = "redemptions"

    redemption_id = UnicodeAttribute(hash_key=True)
    schema = Whole(default=1)
    county = UnicodeAttribute()
    member_id = UnicodeAttribute()
    reward_id = UnicodeAttribute()
    name_zh = UnicodeAttribute()
    name_en = UnicodeAttribute()
    points = Whole()
    fulfillers = UnicodeSetAttribute()
    state = UnicodeAttribute()
    version = Whole()
    code_turn = Whole()
    request_hash = UnicodeAttribute()
    reserved_at = Instant()
    expires_at = Instant()
    due_shard = UnicodeAttribute(null=True)
    fulfilled_at = Instant(null=True)
    fulfilled_by = UnicodeAttribute(null=True)
    merchant_day = UnicodeAttribute(null=True)
    ended_at = Instant(null=True)
    by_member = ByMember()
    by_due = ByDue()
    by_merchant_day = ByMerchantDay()

    def entity(self) -> Redemption:
        return Redemption(
            redemption_id=self.redemption_id,
            member_id=self.member_id,
            county=self.county,
            reward_id=self.reward_id,
            reward_name=Name(zh=self.name_zh, en=self.name_en),
            points=self.points,
            fulfillers=tuple(sorted(self.fulfillers)),
            state=State(self.state),
            version=self.version,
            reserved_at=self.reserved_at,
            expires_at=self.expires_at,
            ended_at=self.ended_at,
            fulfilled_at=self.fulfilled_at,
            fulfilled_by=self.fulfilled_by,
        )
