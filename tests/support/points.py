"""Builders for points: a member with some, and the ledger that gave them."""

from __future__ import annotations

from datetime import UTC, datetime

from models.base.clock import business_day
from models.base.ids import new_id
from models.points import rules
from models.points.entities import Accounts, Act, EntryKind, Legs
from models.points.ledger import HoldStep, Ledger
from models.points.posting import Event, Posting
from models.points.rule_sheets import first_book

NOW = datetime(2026, 3, 18, 2, 0, tzinfo=UTC)
COUNTY = "411502"


FIRST_POINTS, JOINER_POINTS = 10, 2
"""What a report is worth by the rules that come with the code, if nothing is urgent."""


def worth(rule: str, units: int) -> int:
    """The same for so many units of any rule."""
    return first_book().at(rule, NOW).points * units


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
    """Give any amount of points, whatever rules and caps say."""
    ledger = Ledger()
    event = Event(
        member_id=member_id,
        county=COUNTY,
        transfer_id=transfer_id or new_id("trf"),
        kind=EntryKind.AWARD,
        rule=rule,
        points=points,
        source={"case_id": "case_1"},
        now=now,
    )
    due = business_day(matures_at) if matures_at else None

    def build(accounts: Accounts, today: str) -> Legs:
        return rules.award(
            accounts,
            points=points,
            rule=rule,
            month=rules.expiry_month(today),
            day=due if due and due > today else None,
        )

    return ledger.post(lambda: ledger.plan(event, build))


def award_act(
    member_id: str,
    act: Act,
    *,
    transfer_id: str | None = None,
    now: datetime | None = None,
    ledger: Ledger | None = None,
) -> Posting:
    """Give what an act is worth, as far as its caps go; posted when it was done, or at ``now``."""
    ledger, transfer = ledger or Ledger(), transfer_id or new_id("trf")
    return ledger.post(
        lambda: ledger.plan_award(
            member_id=member_id,
            county=COUNTY,
            transfer_id=transfer,
            act=act,
            now=now or act.at,
            matures_at=None,
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
