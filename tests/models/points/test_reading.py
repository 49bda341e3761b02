"""What a member reads: every line has a reason, and pages stay where they are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.base.errors import Invalid
from models.base.paging import Cursors
from models.base.tables import Database
from models.points.entities import Act
from models.points.ledger import Ledger
from models.points.reading import Statements, balances
from tests.support.points import NOW, a_member_id, a_step, award, award_act, hold, mature

STATEMENTS = Statements(Cursors(b"k" * 32))


@pytest.fixture(autouse=True)
def _tables(database: Database) -> None:
    pass


def test_the_statement_shows_the_newest_first_with_its_reason() -> None:
    member = a_member_id()
    award(member, 10, transfer_id=f"{member}-a", matures_at=NOW + timedelta(days=7))
    mature(member, f"{member}-a")
    hold(member, 4, transfer_id=f"{member}-h")
    ledger, step = Ledger(), a_step(member, f"{member}-h")
    ledger.post(lambda: ledger.plan_settle(step, reward_id="haircut"))

    page = STATEMENTS.page(member, limit=20)

    assert [(item.reason, item.available, item.pending, item.held) for item in page.items] == [
        ("权益已核销", 0, 0, -4),
        ("兑换权益，积分暂扣", -4, 0, 4),
        ("问题办结，积分到账", 10, -10, 0),
        ("首次上报问题被受理", 0, 10, 0),
    ]
    assert page.next_cursor is None


def test_an_unknown_rule_still_has_a_reason() -> None:
    member = a_member_id()
    award(member, 10, rule="something.new@3")

    assert STATEMENTS.page(member, limit=1, language="en").items[0].reason == "Points awarded"


def test_a_line_says_what_had_expired() -> None:
    member = a_member_id()
    award(member, 10)
    award(member, 1, now=NOW + timedelta(days=800), rule="station.check_in@1")

    zh = STATEMENTS.page(member, limit=1).items[0]
    en = STATEMENTS.page(member, limit=1, language="en").items[0]

    assert zh.reason == "驿站打卡；到期积分清除 10"
    assert en.reason == "Checked in at a station; 10 expired points removed"
    assert (zh.expired, zh.available) == (10, -9)


def test_pages_join_without_gap_though_entries_come_in_between() -> None:
    member = a_member_id()
    for points in range(1, 8):
        award(member, points)
    first = STATEMENTS.page(member, limit=3)
    award(member, 100)

    second = STATEMENTS.page(member, limit=3, cursor=first.next_cursor)
    third = STATEMENTS.page(member, limit=3, cursor=second.next_cursor)

    seqs = [item.seq for page in (first, second, third) for item in page.items]
    assert seqs == [7, 6, 5, 4, 3, 2, 1]
    assert third.next_cursor is None


def test_the_last_page_ends_the_list_even_when_it_is_full() -> None:
    member = a_member_id()
    for points in range(1, 5):
        award(member, points)

    second = STATEMENTS.page(member, limit=2, cursor=STATEMENTS.page(member, limit=2).next_cursor)

    assert [item.seq for item in second.items] == [2, 1]
    assert second.next_cursor is None


def test_another_members_cursor_opens_nothing() -> None:
    member, other = a_member_id(), a_member_id()
    for points in range(1, 4):
        award(member, points)
    cursor = STATEMENTS.page(member, limit=2).next_cursor

    with pytest.raises(Invalid):
        STATEMENTS.page(other, limit=2, cursor=cursor)


def test_who_has_no_points_has_empty_balances_and_an_empty_statement() -> None:
    member = a_member_id()

    found = balances(member, NOW)

    assert (found.available, found.pending, found.held, found.debt) == (0, 0, 0, 0)
    assert found.buckets == found.maturing == ()
    assert STATEMENTS.page(member, limit=5).items == []


def test_a_line_of_an_act_beyond_its_limit_says_which_limit_and_what_it_was_worth() -> None:
    member = a_member_id()
    for hour in range(7):
        award_act(member, Act(rule="report.first", at=NOW + timedelta(hours=hour), grid_id=None))

    newest, *_, oldest = STATEMENTS.page(member, limit=20).items

    assert newest.reason == "首次上报问题被受理；当日此项已达上限，本次不计分"
    assert (newest.gross, newest.limit, newest.available) == (10, "act_day", 0)
    assert (oldest.gross, oldest.limit, oldest.rule) == (10, None, "report.first@1")
    assert oldest.reason == "首次上报问题被受理"
    assert "inputs" not in newest.source


def test_the_last_day_of_a_bucket_in_december_is_the_thirty_first() -> None:
    member = a_member_id()
    award(member, 1, now=NOW.replace(month=12))

    assert balances(member, NOW).buckets[0].last_day == "2028-12-31"
