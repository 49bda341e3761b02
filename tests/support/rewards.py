"""Builders for rewards: a shop with stock, riders who may spend, merchants who hand over."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from models.base.clock import FixedClock
from models.base.ids import new_id
from models.base.paging import Cursors
from models.base.store import get, query
from models.people.entities import Actor, RoleName
from models.people.importing import ImportReport
from models.points.ledger import Ledger
from models.rewards.catalogue import Catalogue
from models.rewards.closings import Closings
from models.rewards.codes import Codes
from models.rewards.entities import CodeSource, Limit, Outcome, RefundReason, Voucher
from models.rewards.fulfilment import Fulfilment
from models.rewards.pool_imports import CodeFile, PoolImports
from models.rewards.pools import Pools
from models.rewards.publication import Publication
from models.rewards.redemptions import Redemptions
from models.rewards.refunds import Refunds
from models.rewards.reveals import Reveals
from models.rewards.tables import (
    PUBLISHED,
    ClassRow,
    MerchantRow,
    RedemptionRow,
    RewardRow,
    StockRow,
)
from tests.support.people import COUNTY, a_role, an_actor
from tests.support.points import award


def a_request_id() -> str:
    return str(uuid4())


@dataclass(frozen=True, kw_only=True)
class Shop:
    """One merchant with one reward for ten points, five a month."""

    clock: FixedClock
    price: int = 10
    stock: int = 5
    valid_days: int = 30
    status: str = PUBLISHED
    shards: int = 1
    limit: Limit | None = None
    needs_approval: bool = False
    code_source: CodeSource = CodeSource.OWN
    has_station: bool = True
    pools: Pools = field(default_factory=lambda: Pools(seal_key=b"s" * 32, mark_key=b"m" * 32))
    merchant_id: str = field(default_factory=lambda: new_id("mch"))
    station_id: str = field(default_factory=lambda: new_id("stn"))
    reward_id: str = field(default_factory=lambda: new_id("rwd"))
    class_id: str = field(default_factory=lambda: new_id("cls"))
    codes: Codes = field(default_factory=lambda: Codes(b"r" * 32))

    def opened(self) -> Shop:
        MerchantRow(
            self.merchant_id, county=COUNTY, name="剪刀手", address="中山路", lon=114.0, lat=32.1
        ).save()
        ClassRow(self.class_id, name_zh="生活服务", name_en="Everyday", position=1).save()
        RewardRow(
            self.reward_id,
            county=COUNTY,
            class_id=self.class_id,
            status=self.status,
            name_zh="理发",
            name_en="Haircut",
            terms_zh="到店出示",
            terms_en="Show in the shop",
            price=self.price,
            valid_days=self.valid_days,
            fulfillers=self.places,
            quotas={COUNTY: self.stock},
            shards=self.shards,
            limit_count=self.limit.count if self.limit else None,
            limit_days=self.limit.days if self.limit else None,
            needs_approval=self.needs_approval or None,
            codes=self.code_source.value,
        ).save()
        return self

    @property
    def place(self) -> str:
        return f"merchant:{self.merchant_id}"

    @property
    def places(self) -> set[str]:
        return {self.place, f"station:{self.station_id}"} if self.has_station else {self.place}

    @property
    def closings(self) -> Closings:
        return Closings(clock=self.clock, ledger=Ledger(), publication=Publication())

    @property
    def refunds(self) -> Refunds:
        return Refunds(clock=self.clock, ledger=Ledger())

    def refund(self, voucher: Voucher) -> Outcome:
        """Give back by two people what the merchant failed the rider for."""
        redemption_id = voucher.redemption.redemption_id
        self.refunds.propose(redemption_id, reason=RefundReason.NOT_DELIVERED, actor="desk-1")
        return self.refunds.approve(redemption_id, actor="desk-2")

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def redemptions(self) -> Redemptions:
        return Redemptions(
            clock=self.clock,
            ledger=Ledger(),
            codes=self.codes,
            cursors=Cursors(b"c" * 32),
            pools=self.pools,
        )

    @property
    def reveals(self) -> Reveals:
        return Reveals(clock=self.clock, ledger=Ledger(), pools=self.pools)

    def import_codes(self, *codes: str, batch: str = "first") -> ImportReport:
        return self.import_text("\n".join(["code", *codes]), batch)

    def import_text(self, text: str, batch: str = "first") -> ImportReport:
        file = CodeFile(reward_id=self.reward_id, batch=batch, csv=text, actor="desk-1")
        return PoolImports(clock=self.clock, pools=self.pools).take_in(file)

    def reveal(self, rider: Actor, voucher: Voucher, request_id: str | None = None) -> Voucher:
        return self.reveals.reveal(
            rider,
            redemption_id=voucher.redemption.redemption_id,
            client_request_id=request_id or a_request_id(),
        )

    @property
    def fulfilment(self) -> Fulfilment:
        return Fulfilment(clock=self.clock, ledger=Ledger(), codes=self.codes)

    @property
    def catalogue(self) -> Catalogue:
        return Catalogue(clock=self.clock, cursors=Cursors(b"c" * 32))

    def rider(self, points: int = 10, *, is_confirmed: bool = True) -> Actor:
        """A rider with points, whose occupation is confirmed."""
        until = self.now + timedelta(days=180) if is_confirmed else None
        actor = an_actor(confirmed_until=until)
        if points:
            award(actor.member_id, points, now=self.now)
        return actor

    def merchant(self, member_id: str | None = None) -> Actor:
        return an_actor(a_role(RoleName.MERCHANT, self.merchant_id), member_id=member_id)

    def keeper(self) -> Actor:
        return an_actor(a_role(RoleName.KEEPER, self.station_id))

    def redeem(self, rider: Actor, request_id: str | None = None) -> Voucher:
        return self.redemptions.redeem(
            rider, reward_id=self.reward_id, client_request_id=request_id or a_request_id()
        )

    def fulfil(self, merchant: Actor, shown: str | None, request_id: str | None = None) -> Outcome:
        assert shown is not None
        return self.fulfilment.fulfil(
            merchant, shown=shown, client_request_id=request_id or a_request_id()
        )

    def undo(self, merchant: Actor, voucher: Voucher, request_id: str | None = None) -> Outcome:
        return self.fulfilment.undo(
            merchant,
            redemption_id=voucher.redemption.redemption_id,
            client_request_id=request_id or a_request_id(),
        )

    def cancel(self, rider: Actor, voucher: Voucher, request_id: str | None = None) -> Outcome:
        return self.redemptions.cancel(
            rider,
            redemption_id=voucher.redemption.redemption_id,
            client_request_id=request_id or a_request_id(),
        )

    def left(self) -> int:
        """The month's stock without what is taken and not given back, in whichever month."""
        rows = query(StockRow, self.reward_id)
        return self.stock - sum(row.cap - row.rem for row in rows)

    def row(self, voucher: Voucher) -> RedemptionRow:
        row = get(RedemptionRow, voucher.redemption.redemption_id)
        assert row is not None
        return row
