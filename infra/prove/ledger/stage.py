"""The product's use cases over one clock, and people, merchants and a shelf for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from infra.prove.ledger.allowances import Sheet
from infra.prove.ledger.days import instant, midnight, ms
from infra.prove.ledger.judge import COUNTY
from infra.prove.ledger.tasks import Act, Offered, Proposal, Task
from models.alerts import outbox
from models.base.errors import DomainError
from models.base.paging import Cursors
from models.people.entities import Actor, Role, RoleName, Standing
from models.people.tables import MemberRow
from models.points import entities as points
from models.points import freezing
from models.points.acts import RuleBook
from models.points.decisions import Decisions
from models.points.ledger import Ledger
from models.points.proposal_rules import ACTS, Decision
from models.points.proposals import Proposals
from models.rewards import publishing
from models.rewards.allocation import Allocation
from models.rewards.closings import Closings
from models.rewards.codes import Codes
from models.rewards.entities import (
    CodeSource,
    DeclineReason,
    Limit,
    Merchant,
    Name,
    Outcome,
    RefundReason,
    Reward,
    Supply,
    Voucher,
)
from models.rewards.expiry import Expiry
from models.rewards.fulfilment import Fulfilment
from models.rewards.pool_imports import CodeFile, PoolImports
from models.rewards.pools import Pools
from models.rewards.publication import Publication
from models.rewards.redemptions import Redemptions
from models.rewards.refunds import Refunds
from models.rewards.reveals import Reveals

RIDERS = tuple(f"mbr_{number:026d}" for number in range(10))
MERCHANTS = (RIDERS[0], "mbr_merchant")
"""One of the merchants rides, too."""
SHELF: Mapping[str, Offered] = {
    "rwd_water": Offered(price=7, valid_days=30, quota=100_000, shards=8),
    "rwd_gloves": Offered(price=13, valid_days=1, quota=3),
    "rwd_helmet": Offered(price=41, valid_days=60, quota=1, limit=(1, 90)),
    "rwd_lunch": Offered(price=11, valid_days=2, quota=5, shards=3, limit=(2, 7)),
    "rwd_check": Offered(price=400, valid_days=30, quota=100_000),
    "rwd_room": Offered(price=17, valid_days=30, quota=2, is_allotted=True),
    "rwd_ticket": Offered(price=9, valid_days=3, quota=100_000, codes=12),
    "rwd_tea": Offered(price=6, valid_days=30, quota=100_000, is_closing=True),
    "rwd_none": Offered(price=5, valid_days=30, quota=0),
}
PLACES = tuple(f"merchant:{number}" for number in range(len(MERCHANTS)))
CLOSING = "merchant:closing"
POOLS = Pools(seal_key=bytes(32), mark_key=bytes(32))
_LONG = datetime(2100, 1, 1, tzinfo=UTC)


class Hands:
    """The clock that the product is given: each place's own, a little off."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now

    def now(self) -> datetime:
        return instant(self._now())


class Stage:
    """The use cases, and how a task is made of a wish."""

    def __init__(self, now: Callable[[], int], sheets: Sequence[Sheet]) -> None:
        clock, key, book = Hands(now), bytes(32), _book(sheets)
        self.now = now
        self.ledger, self.codes = Ledger(lambda: book), Codes(key)
        self.redemptions = Redemptions(
            clock=clock,
            ledger=self.ledger,
            codes=self.codes,
            cursors=Cursors(key),
            pools=POOLS,
        )
        self.reveals = Reveals(clock=clock, ledger=self.ledger, pools=POOLS)
        self.allocation = Allocation(ledger=self.ledger, codes=self.codes, pools=POOLS)
        self.fulfilment = Fulfilment(clock=clock, ledger=self.ledger, codes=self.codes)
        self.expiry = Expiry(ledger=self.ledger)
        self.refunds = Refunds(clock=clock, ledger=self.ledger)
        self.closings = Closings(clock=clock, ledger=self.ledger, publication=Publication())
        self.proposals = Proposals(clock=clock)
        self.decisions = Decisions(clock=clock, ledger=self.ledger, tell=outbox.row)

    def award(self, member: str, act: Act, transfer: str) -> Task:
        """Points for something that a rider did."""
        given = points.Act(
            rule=act.rule,
            at=instant(act.at),
            grid_id=act.grid,
            quantity=act.quantity,
            severity=act.severity,
            paid=act.paid,
            counted=act.counted,
        )
        matures_at = None if act.ripe is None else instant(midnight(act.ripe))

        def run() -> Any:
            return self.ledger.post(
                lambda: self.ledger.plan_award(
                    member_id=member,
                    county=COUNTY,
                    transfer_id=transfer,
                    act=given,
                    now=instant(self.now()),
                    matures_at=matures_at,
                    source={"report": transfer},
                )
            )

        return Task(
            ident=("award", transfer),
            action="award",
            run=run,
            member=member,
            content=member,
            touches=frozenset({member, transfer}),
        )

    def mature(self, member: str, award: str) -> Task:
        """A case closes: its reporter's points become available before their day."""

        def run() -> Any:
            return self.ledger.post(
                lambda: self.ledger.plan_maturity(
                    member_id=member,
                    award_transfer_id=award,
                    transfer_id=f"{award}.maturity",
                    now=instant(self.now()),
                )
            )

        return Task(
            ident=("mature", award),
            action="mature",
            run=run,
            member=member,
            content=award,
            touches=frozenset({member, award}),
        )

    def redeem(self, member: str, reward: str, key: str) -> Task:
        """A rider takes a reward."""
        actor = _actor(member)
        return Task(
            ident=("redeem", member, key),
            action="redeem",
            run=lambda: self.redemptions.redeem(actor, reward_id=reward, client_request_id=key),
            member=member,
            content=reward,
            reward=reward,
            touches=frozenset({member, reward}),
        )

    def cancel(self, member: str, redemption: str, key: str) -> Task:
        """A rider gives a voucher back."""
        actor = _actor(member)
        return Task(
            ident=("cancel", member, key),
            action="cancel",
            run=lambda: self.redemptions.cancel(
                actor, redemption_id=redemption, client_request_id=key
            ),
            member=member,
            content=redemption,
            redemption=redemption,
            touches=frozenset({member, redemption}),
        )

    def fulfil(self, merchant: int, redemption: str, key: str, *, qr_at: int | None) -> Task:
        """A merchant hands over, by the code or by a QR payload as it was at ``qr_at``."""
        actor = _merchant(merchant)
        shown = self.codes.code(redemption)
        if qr_at is not None:
            shown = self.codes.qr(redemption, instant(qr_at))[0]
        return Task(
            ident=("fulfil", actor.member_id, key),
            action="fulfil",
            run=lambda: self.fulfilment.fulfil(actor, shown=shown, client_request_id=key),
            member=actor.member_id,
            content=redemption,
            redemption=redemption,
            scope=actor.roles[0].scope,
            shown_at=qr_at,
            touches=frozenset({redemption}),
        )

    def undo(self, merchant: int, redemption: str, key: str) -> Task:
        """A merchant takes a fulfilment back."""
        actor = _merchant(merchant)
        return Task(
            ident=("undo", actor.member_id, key),
            action="undo",
            run=lambda: self.fulfilment.undo(
                actor, redemption_id=redemption, client_request_id=key
            ),
            member=actor.member_id,
            content=redemption,
            redemption=redemption,
            scope=actor.roles[0].scope,
            touches=frozenset({redemption}),
        )

    def reveal(self, member: str, redemption: str, key: str) -> Task:
        """A rider has the code shown that somebody else made."""
        actor = _actor(member)
        return Task(
            ident=("reveal", member, key),
            action="reveal",
            run=lambda: self.reveals.reveal(actor, redemption_id=redemption, client_request_id=key),
            member=member,
            content=redemption,
            redemption=redemption,
            scope="merchant:0",
            touches=frozenset({redemption}),
            must_end=False,
        )

    def allot(self, number: int) -> Task:
        """The schedule serves the queues."""
        return Task(
            ident=("allot", str(number)),
            action="allot",
            run=lambda: self.allocation.run(instant(self.now())),
            must_end=False,
        )

    def drop(self, redemption: str) -> Task:
        """Somebody at the console refuses one who waits."""
        return Task(
            ident=("drop", redemption),
            action="drop",
            run=lambda: self.allocation.decline(
                redemption, DeclineReason.NOT_GRANTED, actor="adm_one", now=instant(self.now())
            ),
            redemption=redemption,
            touches=frozenset({redemption}),
            must_end=False,
        )

    def close(self, number: int) -> Task:
        """A merchant closes for good, or the schedule goes on with it."""
        name = CLOSING.removeprefix("merchant:")
        return Task(
            ident=("close", str(number)),
            action="close",
            run=lambda: self.closings.close(name, actor="adm_one"),
            must_end=False,
        )

    def propose(self, redemption: str, actor: str) -> Task:
        """Somebody at the console asks that a voucher be refunded."""
        return Task(
            ident=("propose", actor, redemption),
            action="propose",
            run=lambda: self.refunds.propose(
                redemption, reason=RefundReason.NOT_DELIVERED, actor=actor
            ),
            member=actor,
            redemption=redemption,
            touches=frozenset({redemption}),
            must_end=False,
        )

    def refund(self, redemption: str, actor: str) -> Task:
        """Another one agrees."""
        return Task(
            ident=("refund", redemption),
            action="refund",
            run=lambda: self.refunds.approve(redemption, actor=actor),
            member=actor,
            redemption=redemption,
            touches=frozenset({redemption}),
        )

    def wish(self, wish: Proposal, *, attempt: int = 1) -> Task:
        """Somebody proposes that points be moved."""
        is_act = wish.kind in ACTS
        columns: dict[str, object] = {
            "member_id": wish.member,
            "kind": wish.kind,
            "reason": wish.reason,
            "reference": wish.reference,
            "quantity" if is_act else "points": wish.amount,
            "attempt": attempt,
            **({"day": wish.day} if is_act else {}),
        }
        return Task(
            ident=("wish", wish.maker, wish.kind, wish.reference, str(attempt)),
            action="wish",
            run=lambda: self.proposals.propose(columns, county=COUNTY, actor=wish.maker),
            member=wish.maker,
            wish=wish,
            touches=frozenset({wish.reference}),
            must_end=False,
        )

    def decide(self, proposal: str, decision: Decision, actor: str) -> Task:
        """Somebody decides on a proposal."""
        return Task(
            ident=(decision.value, actor, proposal),
            action=decision.value,
            run=lambda: self.decisions.decide(proposal, decision, county=COUNTY, actor=actor),
            member=actor,
            redemption=proposal,
            touches=frozenset({proposal}),
        )

    def freeze(self, member: str) -> Task:
        """The night finds a wallet in doubt."""
        return Task(
            ident=("freeze", member),
            action="freeze",
            run=lambda: freezing.freeze(member, [], now=instant(self.now())),
            member=member,
            touches=frozenset({member}),
            must_end=False,
        )

    def thaw(self, member: str, actor: str) -> Task:
        """One of two people says that it is sound."""
        return Task(
            ident=("thaw", actor, member),
            action="thaw",
            run=lambda: freezing.thaw(member, actor=actor, now=instant(self.now())),
            member=member,
            content=actor,
            touches=frozenset({member}),
            must_end=False,
        )

    def sweep(self, number: int) -> Task:
        """The schedule ends vouchers that nobody took."""
        return Task(
            ident=("sweep", str(number)),
            action="sweep",
            run=lambda: self.expiry.expire_due(instant(self.now())),
            must_end=False,
        )


def _book(sheets: Sequence[Sheet]) -> RuleBook:
    versions: dict[str, list[points.Rule]] = {}
    for sheet in sheets:
        rule = points.Rule(
            rule=sheet.rule,
            version=sheet.version,
            points=sheet.points,
            urgent_bonus=sheet.urgent,
            per_day=sheet.day,
            per_week=sheet.week,
            per_month=sheet.month,
            counts=sheet.counts,
            cap_group=sheet.group,
            campaign=sheet.campaign,
            budget_per_grid_day=sheet.budget,
            effective_from=None if sheet.since is None else instant(sheet.since),
        )
        versions.setdefault(sheet.rule, []).append(rule)
    return RuleBook(versions)


def settle() -> None:
    """Put the rewards on the shelf, and make the riders known."""
    for member in RIDERS:
        MemberRow(
            member,
            schema=1,
            version=1,
            county=COUNTY,
            openid=f"openid-{member}",
            consents={},
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        ).save()
    closing = CLOSING.removeprefix("merchant:")
    publishing.put_merchants(
        [
            Merchant(
                merchant_id=closing, county=COUNTY, name=closing, address="", lon=114.0, lat=32.1
            )
        ]
    )
    for reward_id, offered in SHELF.items():
        name = Name(zh=reward_id, en=reward_id)
        reward = Reward(
            reward_id=reward_id,
            class_id="cls_things",
            county=COUNTY,
            name=name,
            terms=name,
            price=offered.price,
            valid_days=offered.valid_days,
            fulfillers=(CLOSING,) if offered.is_closing else (*PLACES, CLOSING),
            synthetic=True,
            supply=Supply(quotas={COUNTY: offered.quota}, shards=offered.shards),
            needs_approval=offered.is_allotted,
            codes=CodeSource.OWN if offered.codes is None else CodeSource.POOL,
            limit=Limit(count=offered.limit[0], days=offered.limit[1]) if offered.limit else None,
        )
        publishing.publish([reward])
        if offered.codes is not None:
            lines = "\n".join(["code", *(f"TICKET-{n}" for n in range(offered.codes))])
            clock = Hands(lambda: 0)
            imports = PoolImports(clock=clock, pools=POOLS)
            imports.take_in(
                CodeFile(reward_id=reward_id, batch="first", csv=lines, actor="adm_one")
            )


def told(answer: Any) -> str:
    """An answer of the product in the judge's words."""
    if isinstance(answer, Voucher):
        redemption = answer.redemption
        return f"{redemption.state} {redemption.redemption_id} {ms(redemption.expires_at)}"
    if isinstance(answer, Outcome):
        return f"{answer.state} {answer.redemption.redemption_id} {ms(answer.at)}"
    if isinstance(answer, Mapping):
        return f"{answer['state']} {answer['points']}"
    if hasattr(answer, "transfer_id"):
        return f"posted {answer.points}"
    return str(answer)


def refusal(error: DomainError) -> str:
    """A refusal of the product in the judge's words."""
    shown = ("missing", "state")
    details = [f" {name}={error.details[name]}" for name in shown if name in error.details]
    return f"!{error.code}{''.join(details)}"


def _actor(member: str) -> Actor:
    return Actor(
        member_id=member,
        session_id=f"ses_{member}",
        roles=(),
        standing=Standing.CONFIRMED,
        county=COUNTY,
        consents={},
        confirmed_until=_LONG,
    )


def _merchant(number: int) -> Actor:
    role = Role(role=RoleName.MERCHANT, scope=f"merchant:{number}", county=COUNTY)
    return Actor(
        member_id=MERCHANTS[number],
        session_id=f"ses_{number}",
        roles=(role,),
        standing=Standing.CONFIRMED,
        county=COUNTY,
        consents={},
        confirmed_until=_LONG,
    )
