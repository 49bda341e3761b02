"""Rows of the tables behind rewards."""

from __future__ import annotations

from collections.abc import Mapping

from pynamodb.attributes import (
    Attribute,
    BooleanAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.constants import MAP
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection

from models.base.tables import Instant, Table, Whole
from models.people.entities import Occupation, Standing
from models.points.tables import Amounts
from models.rewards.entities import (
    CodeSource,
    DeclineReason,
    Eligibility,
    EntitlementClass,
    Fund,
    Limit,
    Merchant,
    Name,
    Redemption,
    Reward,
    RewardState,
    State,
    Supply,
)

PUBLISHED = RewardState.PUBLISHED.value


class Texts(Attribute[Mapping[str, str]]):
    """Short texts by key, as a map that an admin can read."""

    attr_type = MAP

    def serialize(self, value: Mapping[str, str]) -> dict[str, dict[str, str]]:
        return {key: {"S": text} for key, text in value.items()}

    def deserialize(self, value: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
        return {key: text["S"] for key, text in value.items()}


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


class FundRow(Table):
    """Who pays for rewards: of ``points_cap`` points ``committed`` are promised."""

    class Meta:
        table_name = "funds"

    fund_id = UnicodeAttribute(hash_key=True)
    schema = Whole(default=1)
    county = UnicodeAttribute()
    name_zh = UnicodeAttribute()
    name_en = UnicodeAttribute()
    points_cap = Whole()
    committed = Whole(default=0)
    synthetic = BooleanAttribute(null=True)

    def entity(self) -> Fund:
        return Fund(
            fund_id=self.fund_id,
            county=self.county,
            name=Name(zh=self.name_zh, en=self.name_en),
            points_cap=self.points_cap,
            committed=self.committed,
            synthetic=bool(self.synthetic),
        )


SHELF = "#shelf"
"""The key of the row that counts publications; no fund's."""


class ShelfRow(Table):
    """Counts publications: two at once cannot both promise what one fund has."""

    class Meta:
        table_name = "funds"

    fund_id = UnicodeAttribute(hash_key=True)
    schema = Whole(default=1)
    version = Whole()


class RewardRow(Table):
    """What points buy; ``status`` is its place in life, ``version`` counts the admins' changes.

    ``quotas_next`` and ``shards_next`` hold from the month ``next_from`` on.
    """

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
    version = Whole(null=True)
    fund_id = UnicodeAttribute(null=True)
    committed = Whole(null=True)
    quotas = Amounts(null=True)
    shards = Whole(null=True)
    quotas_next = Amounts(null=True)
    shards_next = Whole(null=True)
    next_from = UnicodeAttribute(null=True)
    funded_until = UnicodeAttribute(null=True)
    standing = UnicodeAttribute(null=True)
    occupations = UnicodeSetAttribute(null=True)
    member_days = Whole(null=True)
    limit_count = Whole(null=True)
    limit_days = Whole(null=True)
    needs_approval = BooleanAttribute(null=True)
    codes = UnicodeAttribute(null=True)
    published_at = Instant(null=True)
    price_locked_until = Instant(null=True)
    changed_by = UnicodeAttribute(null=True)

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
            state=self._state(),
            fund_id=self.fund_id,
            supply=self._supply(),
            eligibility=Eligibility(
                standing=Standing(self.standing or Standing.CONFIRMED),
                occupations=frozenset(Occupation(each) for each in self.occupations or ()),
                member_days=self.member_days or 0,
            ),
            limit=self._limit(),
            needs_approval=bool(self.needs_approval),
            codes=CodeSource(self.codes or CodeSource.OWN),
            published_at=self.published_at,
            price_locked_until=self.price_locked_until,
            committed=self.committed or 0,
        )

    def _state(self) -> RewardState:
        """A status that we do not know (a hand in the console) sells nothing and ends nothing."""
        known = self.status in set(RewardState)
        return RewardState(self.status) if known else RewardState.PAUSED

    def _supply(self) -> Supply:
        following = None
        if self.next_from is not None:
            following = Supply(quotas=self.quotas_next or {}, shards=self.shards_next or 1)
        return Supply(
            quotas=self.quotas or {},
            shards=self.shards or 1,
            following=following,
            following_from=self.next_from,
            funded_until=self.funded_until,
        )

    def _limit(self) -> Limit | None:
        if self.limit_count is None or self.limit_days is None:
            return None
        return Limit(count=self.limit_count, days=self.limit_days)


class StockRow(Table):
    """What is left (``rem``) of a shard's part (``cap``) of a county's month.

    ``shard`` is ``<YYYY-MM>#<county>#<n>``; its first redemption makes the row.
    """

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
    """Who hands rewards over; a position in GCJ-02 degrees.

    Closed for good at ``closed_at``; since ``clean_since`` no pass found anything of his left, and
    from ``finished_at`` on none is made.
    """

    class Meta:
        table_name = "merchants"

    merchant_id = UnicodeAttribute(hash_key=True)
    schema = Whole(default=1)
    county = UnicodeAttribute()
    name = UnicodeAttribute()
    address = UnicodeAttribute()
    lon = NumberAttribute()
    lat = NumberAttribute()
    closed_at = Instant(null=True)
    closed_by = UnicodeAttribute(null=True)
    clean_since = Instant(null=True)
    finished_at = Instant(null=True)
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


class LimitRow(Table):
    """When a member took a reward that is limited: instants by redemption, the old ones dropped."""

    class Meta:
        table_name = "reward-limits"

    member_id = UnicodeAttribute(hash_key=True)
    reward_id = UnicodeAttribute(range_key=True)
    schema = Whole(default=1)
    county = UnicodeAttribute()
    version = Whole()
    taken = Texts()
    ttl = Whole()


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


class ByQueue(GlobalSecondaryIndex["RedemptionRow"]):  # type: ignore[no-untyped-call]  # pynamodb
    """Queued ones by reward; within a county in the order in which they are served; sparse."""

    class Meta:
        index_name = "by_queue"
        projection = KeysOnlyProjection()

    queue = UnicodeAttribute(hash_key=True)
    queue_rank = UnicodeAttribute(range_key=True)


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
    stock_shard = UnicodeAttribute(null=True)
    limited = BooleanAttribute(null=True)
    queue = UnicodeAttribute(null=True)
    queue_rank = UnicodeAttribute(null=True)
    decline_reason = UnicodeAttribute(null=True)
    fulfilled_at = Instant(null=True)
    fulfilled_by = UnicodeAttribute(null=True)
    merchant_day = UnicodeAttribute(null=True)
    pool_unit = UnicodeAttribute(null=True)
    reminded_at = Instant(null=True)
    refund_reason = UnicodeAttribute(null=True)
    refund_asked_by = UnicodeAttribute(null=True)
    refund_asked_at = Instant(null=True)
    refunded_by = UnicodeAttribute(null=True)
    ended_at = Instant(null=True)
    by_member = ByMember()
    by_due = ByDue()
    by_queue = ByQueue()
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
            code_source=CodeSource.OWN if self.pool_unit is None else CodeSource.POOL,
            decline_reason=DeclineReason(self.decline_reason) if self.decline_reason else None,
        )
