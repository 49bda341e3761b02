"""Builders for points: a member with some, and the ledger that gave them."""

from __future__ import annotations

from datetime import UTC, datetime

from models.base.ids import new_id
from models.points.ledger import HoldStep, Ledger
from models.points.posting import Posting

NOW = datetime(2026, 3, 18, 2, 0, tzinfo=UTC)
COUNTY = "411502"


def a_member_id() -> str:
    return new_id("mem")


def award(
    member_id: str,
    points: int = 10,
    *,
    transfer_id: str | None = None,
    now: datetime = NOW,
    matures_at: datetime | None = None,
    rule: str = "report.first@1",
) -> Posting:
    """Give points as a case would."""
    ledger = Ledger()
    transfer = transfer_id or new_id("trf")
    return ledger.post(
        lambda: ledger.plan_award(
            member_id=member_id,
            county=COUNTY,
            transfer_id=transfer,
            rule=rule,
            points=points,
            now=now,
            matures_at=matures_at,
            source={"case_id": "case_1"},
        )
    )


def mature(member_id: str, award_transfer_id: str, *, now: datetime = NOW) -> Posting:
    ledger = Ledger()
    return ledger.post(
        lambda: ledger.plan_maturity(
            member_id=member_id,
            award_transfer_id=award_transfer_id,
            transfer_id=f"{award_transfer_id}-matured",
            now=now,
        )
    )


def hold(
    member_id: str, points: int = 10, *, transfer_id: str | None = None, now: datetime = NOW
) -> Posting:
    ledger = Ledger()
    transfer = transfer_id or new_id("trf")
    return ledger.post(
        lambda: ledger.plan_hold(
            member_id=member_id,
            county=COUNTY,
            transfer_id=transfer,
            points=points,
            now=now,
            source={"redemption_id": "red_1"},
        )
    )


def a_step(member_id: str, hold_transfer_id: str, *, now: datetime = NOW) -> HoldStep:
    return HoldStep(
        member_id=member_id,
        hold_transfer_id=hold_transfer_id,
        transfer_id=new_id("trf"),
        now=now,
        source={"redemption_id": "red_1"},
    )
