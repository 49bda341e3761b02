"""A counter with rewards, the riders before it, and the product's use cases behind it.

The one place where this package's real runs build the product's objects.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from infra.prove.ledger.sequential import BUDGET, CAP
from models.base.clock import Clock, FixedClock
from models.base.ids import derived_id, new_id
from models.base.paging import Cursors
from models.people.entities import Actor, Role, RoleName, Standing
from models.points.acts import TOTALS, RuleBook
from models.points.entities import Act, Rule
from models.points.ledger import Ledger
from models.points.rule_sheets import first_book
from models.rewards import publishing
from models.rewards.codes import Codes
from models.rewards.entities import EntitlementClass, Limit, Name, Reward, Supply
from models.rewards.expiry import Expiry
from models.rewards.fulfilment import Fulfilment
from models.rewards.redemptions import Redemptions

NOW = datetime(2026, 3, 18, 2, 0, tzinfo=UTC)
COUNTY = "411503"
VALID_DAYS = 30
_SESSION = "0" * 64
POINT, ACT = "proof.point", "proof.act"
BOOK = RuleBook(
    {
        TOTALS: first_book().versions[TOTALS],
        POINT: (Rule(rule=POINT, version=1, points=1, counts=False),),
        ACT: (
            Rule(
                rule=ACT,
                version=1,
                points=1,
                per_day=CAP,
                campaign=ACT,
                budget_per_grid_day=BUDGET,
                counts=False,
            ),
        ),
    }
)
"""A rule that gives any amount without limits, and one with a member's cap and a common budget."""


@dataclass(frozen=True, kw_only=True)
class Counter:
    """Rewards at one price, with ``left`` pieces of each in ``shards`` rows.

    Every part can be put in by a test.
    """

    left: tuple[int, ...]
    price: int
    shards: int = 1
    limit: Limit | None = None
    ledger: Ledger = field(default_factory=lambda: Ledger(lambda: BOOK))
    clock: Clock = field(default_factory=lambda: FixedClock(NOW))
    codes: Codes = field(default_factory=lambda: Codes(b"r" * 32))
    merchant_id: str = field(default_factory=lambda: new_id("mch"))
    rewards: list[Reward] = field(default_factory=list)

    def opened(self) -> Counter:
        """Put everything on the shelf."""
        class_id = new_id("cls")
        name = Name(zh="生活服务", en="Everyday")
        publishing.put_classes([EntitlementClass(class_id=class_id, name=name, position=1)])
        for left in self.left:
            reward = self._reward(class_id, left)
            publishing.publish([reward])
            self.rewards.append(reward)
        return self

    @property
    def redemptions(self) -> Redemptions:
        return Redemptions(
            clock=self.clock, ledger=self.ledger, codes=self.codes, cursors=Cursors(b"c" * 32)
        )

    @property
    def fulfilment(self) -> Fulfilment:
        return Fulfilment(clock=self.clock, ledger=self.ledger, codes=self.codes)

    @property
    def expiry(self) -> Expiry:
        return Expiry(ledger=self.ledger)

    def rider(self) -> Actor:
        """A confirmed rider without points."""
        return _actor(Standing.CONFIRMED, until=self.clock.now() + timedelta(days=180))

    def merchant(self) -> Actor:
        """Somebody who may hand the rewards over."""
        scope = f"merchant:{self.merchant_id}"
        return _actor(
            Standing.PHONE, Role(role=RoleName.MERCHANT, scope=scope, county=COUNTY), until=None
        )

    def award(self, rider: Actor, key: str, points: int) -> None:
        """Give points for an event that ``key`` names."""
        self._post(rider, key, Act(rule=POINT, at=self.clock.now(), quantity=points))

    def act(self, rider: Actor, key: str, points: int) -> int:
        """Give what cap and budget let through for an event; answer how many points that was."""
        act = Act(rule=ACT, at=self.clock.now(), quantity=points, grid_id=self.merchant_id)
        return self._post(rider, key, act)

    def _post(self, rider: Actor, key: str, act: Act) -> int:
        posting = self.ledger.post(
            lambda: self.ledger.plan_award(
                member_id=rider.member_id,
                county=COUNTY,
                transfer_id=derived_id("trf", act.rule, rider.member_id, key),
                act=act,
                now=self.clock.now(),
                matures_at=None,
                source={"case_id": key},
            )
        )
        return posting.points

    def _reward(self, class_id: str, left: int) -> Reward:
        return Reward(
            reward_id=new_id("rwd"),
            class_id=class_id,
            county=COUNTY,
            name=Name(zh="理发", en="Haircut"),
            terms=Name(zh="到店出示", en="Show in the shop"),
            price=self.price,
            valid_days=VALID_DAYS,
            fulfillers=(f"merchant:{self.merchant_id}",),
            supply=Supply(quotas={COUNTY: left}, shards=self.shards),
            limit=self.limit,
        )


def _actor(standing: Standing, *roles: Role, until: datetime | None) -> Actor:
    return Actor(
        member_id=new_id("mbr"),
        session_id=_SESSION,
        roles=roles,
        standing=standing,
        county=COUNTY,
        consents={"report": "1", "points": "1"},
        confirmed_until=until,
    )
