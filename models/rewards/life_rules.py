"""The life of a reward: draft, funded, published, paused or sold out, retired. Pure decisions.

Retired is the end: its vouchers stay good for what they say. Sold out means that the months it was
funded for are over; a month's quota that is used up is no state, it begins anew next month.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from models.base.errors import Conflict
from models.rewards import supply_rules as supply
from models.rewards.entities import ON_OFFER, Reward, RewardState, Supply

PRICE_LOCKED_FOR = timedelta(days=90)
"""*Source:* domain.md C4, price lock 90 days after publication."""


class RewardAction(StrEnum):
    """What is done to a reward."""

    FUND = "fund"
    PUBLISH = "publish"
    PAUSE = "pause"
    RESUME = "resume"
    SELL_OUT = "sell_out"
    RESTOCK = "restock"
    RETIRE = "retire"


class By(StrEnum):
    """Who does it."""

    ADMIN = "admin"
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row of the table; ``guard`` says in words what must hold."""

    source: RewardState
    action: RewardAction
    target: RewardState
    by: By = By.ADMIN
    guard: str = ""


_S, _A = RewardState, RewardAction
STEPS: tuple[Step, ...] = (
    Step(source=_S.DRAFT, action=_A.FUND, target=_S.FUNDED, guard="its fund carries it"),
    Step(source=_S.FUNDED, action=_A.PUBLISH, target=_S.PUBLISHED, guard="the year stays solvent"),
    Step(source=_S.PUBLISHED, action=_A.PAUSE, target=_S.PAUSED),
    Step(source=_S.PAUSED, action=_A.RESUME, target=_S.PUBLISHED),
    Step(
        source=_S.PUBLISHED,
        action=_A.SELL_OUT,
        target=_S.SOLD_OUT,
        by=By.SCHEDULE,
        guard="its last funded month is over",
    ),
    Step(source=_S.SOLD_OUT, action=_A.RESTOCK, target=_S.PUBLISHED, guard="its fund carries it"),
    *(
        Step(source=state, action=_A.RETIRE, target=_S.RETIRED)
        for state in RewardState
        if state is not _S.RETIRED
    ),
)
_BY_KEY: Mapping[tuple[RewardState, RewardAction], Step] = {
    (step.source, step.action): step for step in STEPS
}


def after(state: RewardState, action: RewardAction, *, by: By = By.ADMIN) -> RewardState:
    """The state that an action leads to. Raises ``Conflict("reward.not_possible")`` with the
    ``state`` and the ``action``."""
    step = _BY_KEY.get((state, action))
    if step is None or step.by is not by:
        raise Conflict("reward.not_possible", state=state.value, action=action.value)
    return step.target


def towards(state: RewardState, wanted: RewardState) -> RewardState:
    """Where publishing takes a reward: on from draft by way of funded; a standing one stays.

    Raises ``Conflict("reward.not_possible")`` for a way back, and for what is retired.
    """
    way = (RewardState.DRAFT, RewardState.FUNDED, RewardState.PUBLISHED)
    if wanted is RewardState.PUBLISHED and state in (RewardState.PAUSED, RewardState.SOLD_OUT):
        return state
    if state not in way or wanted not in way or way.index(wanted) < way.index(state):
        raise Conflict("reward.not_possible", state=state.value, action=RewardAction.PUBLISH.value)
    return wanted


def is_spent(reward: Reward, now: datetime) -> bool:
    """Whether the last month that it was funded for is over."""
    last = reward.supply.funded_until
    is_open = reward.state is RewardState.PUBLISHED
    return is_open and last is not None and last < supply.month_of(now)


def promised(price: int, plan: Supply, *, since: str) -> int:
    """The points that all vouchers from the month ``since`` to the last funded one come to."""
    points, month = 0, since
    while plan.funded_until is not None and month <= plan.funded_until:
        points += price * sum(supply.counties(plan, month).values())
        month = supply.month_after(month)
    return points


def committed(before: Reward | None, after: Reward, *, now: datetime) -> int:
    """What the fund of ``after`` must carry for it, all in all.

    Of a reward that was on offer the past months stay promised, sold or not, and this month counts
    at the dearer of the two prices. A draft promises nothing, a retired one nothing from the next
    month on.
    """
    month = supply.month_of(now)
    following = supply.month_after(month)
    past, price = 0, after.price
    if before is not None and before.state in ON_OFFER:
        past = before.committed - promised(before.price, before.supply, since=month)
        price = max(before.price, after.price)
    elif after.state in (RewardState.DRAFT, RewardState.RETIRED):
        return 0
    present = price * sum(supply.counties(after.supply, month).values())
    if after.state is RewardState.RETIRED:
        return past + present
    return past + present + promised(after.price, after.supply, since=following)


def may_cost(before: Reward, price: int, *, now: datetime) -> bool:
    """Whether a price can be published now: a higher one only when the lock is over."""
    until = before.price_locked_until
    return price <= before.price or until is None or now >= until


def diagram() -> str:
    """Draw the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> draft"]
    lines += [f"    {step.source} --> {step.target}: {step.by} {step.action}" for step in STEPS]
    return "\n".join([*lines, "    retired --> [*]"]) + "\n"
