"""What changed since a cursor: two logs read as one, without loss, repeat, or anybody else's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from models.alerts import inbox
from models.alerts.delivery import inbox_row
from models.alerts.tables import ChangeRow, InboxRow
from models.base import store
from models.base.clock import FixedClock
from models.base.errors import Conflict, Invalid
from models.base.ids import new_id, seq_text
from models.base.paging import Cursors
from models.base.store import delete
from models.base.tables import Database
from models.calendar.china import working_time
from models.cases.entities import Action
from models.cases.feeding import Feeding
from models.cases.listing import Listing
from models.people.entities import Actor, RoleName
from models.places.service import Places
from models.points.ledger import Ledger
from models.rewards.codes import Codes
from models.rewards.redemptions import Redemptions
from models.sync.entities import Changes, Item, Kind, Start
from models.sync.reading import Sync
from tests.conftest import NOW
from tests.support.alerts import a_notice
from tests.support.cases import Town
from tests.support.faults import lost_reply, never_sent
from tests.support.feeding import deliver
from tests.support.meter import metered
from tests.support.people import a_role, an_actor
from tests.support.points import award, hold


def a_sync(clock: FixedClock, places: Places | None = None) -> Sync:
    cursors = Cursors(b"c" * 32)
    return Sync(
        clock=clock,
        cursors=cursors,
        listing=Listing(
            clock=clock,
            places=places or Places(clock),
            working=working_time(),
            cursors=cursors,
        ),
        redemptions=Redemptions(
            clock=clock, ledger=Ledger(), codes=Codes(b"r" * 32), cursors=cursors
        ),
    )


@pytest.fixture
def sync(database: Database, clock: FixedClock) -> Sync:
    return a_sync(clock)


@pytest.fixture
def rider(database: Database) -> Actor:
    return an_actor()


def a_message(actor: Actor, *, minute: int = 0, number: str | None = None) -> InboxRow:
    notice = a_notice(member_id=actor.member_id, at=NOW + timedelta(minutes=minute))
    return inbox_row(replace(notice, notice_id=number) if number else notice)


def told(actor: Actor, *, minute: int = 0) -> str:
    """Put a message into a member's inbox; answers its id."""
    row = a_message(actor, minute=minute)
    assert inbox.put(row, NOW)
    return row.message_id


def kinds(found: Changes) -> list[str]:
    return [item.kind.value for item in found.items]


def test_who_has_nothing_gets_a_cursor_all_the_same(sync: Sync, rider: Actor) -> None:
    found = sync.changes(rider, limit=10)
    message_id = told(rider)

    [item] = sync.changes(rider, cursor=found.cursor, limit=10).items

    assert (found.items, found.has_more, found.balances) == ([], False, None)
    assert (item.thing_id, item.change) == (message_id, "told")
    assert item.message is not None


def test_both_logs_come_as_one_by_time(sync: Sync, rider: Actor) -> None:
    told(rider, minute=1)
    award(rider.member_id, now=NOW + timedelta(minutes=2))
    told(rider, minute=3)
    award(rider.member_id, now=NOW + timedelta(minutes=4))

    found = sync.changes(rider, limit=10)

    assert kinds(found) == ["inbox", "points", "inbox", "points"]
    assert [item.line.seq for item in found.items if item.line] == [1, 2]


def test_each_log_keeps_its_own_order_whatever_the_clocks_said(sync: Sync, rider: Actor) -> None:
    late, early = told(rider, minute=9), told(rider, minute=1)
    award(rider.member_id, now=NOW + timedelta(minutes=5))

    found = sync.changes(rider, limit=10)

    messages = [item.thing_id for item in found.items if item.kind is Kind.INBOX]
    assert messages == [late, early]


def test_balances_come_with_points_and_not_without(sync: Sync, rider: Actor) -> None:
    award(rider.member_id, 7)

    first = sync.changes(rider, limit=10)
    told(rider)
    second = sync.changes(rider, cursor=first.cursor, limit=10)

    assert first.balances is not None
    assert first.balances.available == 7
    assert second.balances is None


def test_the_end_can_be_asked_for_without_what_was_before(sync: Sync, rider: Actor) -> None:
    told(rider)
    award(rider.member_id)

    here = sync.changes(rider, start=Start.NOW, limit=10)
    award(rider.member_id)
    after = sync.changes(rider, cursor=here.cursor, start=Start.NOW, limit=10)

    assert (here.items, here.has_more) == ((), False)
    assert [item.line.seq for item in after.items if item.line] == [2]


def test_a_cursor_of_anothers_is_refused(sync: Sync, rider: Actor) -> None:
    theirs = sync.changes(an_actor(), limit=1).cursor

    with pytest.raises(Invalid):
        sync.changes(rider, cursor=theirs, limit=1)


def test_who_comes_too_late_is_given_the_end_to_follow_from(sync: Sync, rider: Actor) -> None:
    before = sync.changes(rider, limit=1).cursor
    told(rider)
    award(rider.member_id)
    delete(ChangeRow(rider.member_id, seq_text(1)))

    with pytest.raises(Conflict, match=r"^changes\.cursor_too_old$") as refused:
        sync.changes(rider, cursor=before, limit=10)

    again = sync.changes(rider, cursor=refused.value.details["cursor"], limit=10)
    assert (again.items, again.has_more) == ([], False)


@pytest.mark.parametrize("had", [(), (RoleName.OFFICER,)], ids=["gained", "exchanged"])
def test_who_gained_or_lost_a_post_loads_his_lists_again(
    sync: Sync, had: tuple[RoleName, ...], database: Database
) -> None:
    member_id = new_id("mbr")
    before = an_actor(*(a_role(role, "one") for role in had), member_id=member_id)
    after = an_actor(a_role(RoleName.GRID_LEAD, "two"), member_id=member_id)
    cursor = sync.changes(before, limit=1).cursor

    with pytest.raises(Conflict, match=r"^changes\.roles_changed$") as refused:
        sync.changes(after, cursor=cursor, limit=1)

    assert sync.changes(after, cursor=refused.value.details["cursor"], limit=1).items == []


def test_other_roles_change_no_list_that_is_followed(sync: Sync, rider: Actor) -> None:
    keeper = an_actor(a_role(RoleName.KEEPER, "one"), member_id=rider.member_id)

    cursor = sync.changes(rider, limit=1).cursor

    assert sync.changes(keeper, cursor=cursor, limit=1).items == []


def test_a_redemption_that_is_not_his_is_gone_and_its_line_stays(sync: Sync, rider: Actor) -> None:
    award(rider.member_id, 30)
    hold(rider.member_id, 10)

    *_, item = sync.changes(rider, limit=10).items

    assert (item.kind, item.change, item.voucher) == (Kind.REDEMPTION, None, None)
    assert item.line is not None
    assert item.line.held == 10


def test_a_full_page_of_either_kind_stays_within_two_batches(town: Town, clock: FixedClock) -> None:
    sync, rider = a_sync(clock, town.places), an_actor()
    feeding = Feeding(clock=clock, roster=town.roster)
    for _ in range(3):
        clock.advance(timedelta(minutes=3))
        case = town.filed(rider)
        deliver(feeding, case)
    for _ in range(97):
        told(rider)

    with metered() as cost:
        found = sync.changes(rider, limit=100)

    assert len(found.items) == 100
    assert {item.change for item in found.items} == {"submit", "told"}
    assert sorted(cost.calls) == ["BatchGetItem", "BatchGetItem", "Query", "Query"]


def test_an_officer_sees_a_case_as_his_queue_shows_it(town: Town, clock: FixedClock) -> None:
    sync = a_sync(clock, town.places)
    case = town.filed()
    clock.advance(timedelta(minutes=1))
    town.act(town.officer, case, Action.CLAIM)
    deliver(Feeding(clock=clock, roster=town.roster), case)

    items = sync.changes(town.officer, limit=10).items

    assert [(item.kind, item.change) for item in items] == [
        (Kind.CASE, "submit"),
        (Kind.CASE, "claim"),
    ]
    for item in items:
        assert item.listed is not None
        assert (item.listed["id"], item.listed["status"]) == (case.case_id, "claimed")


class _App:
    """A member's app: follows a cursor; a page whose reply is lost is asked for again."""

    def __init__(self, sync: Sync) -> None:
        self.sync = sync
        self.actor = an_actor()
        self.cursor: str | None = None
        self.seen: list[Item] = []

    def read(self, limit: int, *, is_lost: bool) -> bool:
        page = self.sync.changes(self.actor, cursor=self.cursor, limit=limit)
        assert len(page.items) <= limit
        if not is_lost:
            self.seen += page.items
            self.cursor = page.cursor
        return page.has_more

    def seen_of(self, kind: Kind) -> list[str]:
        return [item.thing_id for item in self.seen if item.kind is kind]


APPS = 2
Deed = tuple[int, str, int]
"""Whose, what (``told`` or ``paid``), and which: the same three are the same event."""
_DEEDS = st.tuples(st.integers(0, APPS - 1), st.sampled_from(["told", "paid"]), st.integers(0, 11))


class Following(RuleBasedStateMachine):
    """Messages and points come late, twice, at once and over bad lines, while apps read on."""

    def __init__(self) -> None:
        super().__init__()
        self.run = new_id("run")
        sync = a_sync(FixedClock(NOW))
        self.apps = [_App(sync) for _ in range(APPS)]
        self.done: set[Deed] = set()

    def _do(self, deed: Deed) -> None:
        number, what, which = deed
        actor = self.apps[number].actor
        if what == "told":
            inbox.put(self._message(deed), NOW)
        else:
            minute = timedelta(minutes=which)
            award(actor.member_id, 1, transfer_id=f"{self.run}-{deed}", now=NOW + minute)

    def _message(self, deed: Deed) -> InboxRow:
        number, _, which = deed
        return a_message(self.apps[number].actor, minute=which, number=f"{self.run}-{deed}")

    @rule(deed=_DEEDS)
    def one(self, deed: Deed) -> None:
        """An event is handled, perhaps not for the first time."""
        self._do(deed)
        self.done.add(deed)

    @rule(deeds=st.lists(_DEEDS, min_size=2, max_size=6), reader=st.integers(0, APPS - 1))
    def at_once(self, deeds: list[Deed], reader: int) -> None:
        """Handlers run beside each other and beside a reader."""
        with ThreadPoolExecutor(7) as pool:
            runs: list[Any] = [pool.submit(self._do, deed) for deed in deeds]
            runs.append(pool.submit(self.apps[reader].read, 3, is_lost=False))
            for run in runs:
                run.result()
        self.done |= set(deeds)

    @rule(deed=_DEEDS, fault=st.sampled_from([lost_reply, never_sent]))
    def on_a_bad_line(self, deed: Deed, fault: Any) -> None:
        """The transaction or its reply is lost on the way."""
        if deed in self.done:
            return
        with fault():
            self._do(deed)
        self.done.add(deed)

    @rule(number=st.integers(0, APPS - 1), limit=st.integers(1, 6), is_lost=st.booleans())
    def reads(self, number: int, limit: int, is_lost: bool) -> None:
        """A page, whose reply may be lost."""
        self.apps[number].read(limit, is_lost=is_lost)

    def teardown(self) -> None:
        """In the end every app has seen all of its own, once, and each log in its order."""
        for number, app in enumerate(self.apps):
            while app.read(4, is_lost=False):
                pass
            mine = {deed for deed in self.done if deed[0] == number}
            told_ids = [self._message(deed).message_id for deed in mine if deed[1] == "told"]
            assert sorted(app.seen_of(Kind.INBOX)) == sorted(told_ids)
            paid = sum(deed[1] == "paid" for deed in mine)
            assert app.seen_of(Kind.POINTS) == [str(seq) for seq in range(1, paid + 1)]
            assert all(item.change is not None for item in app.seen)


@pytest.fixture
def patient(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that waits a little, as handlers beside each other must."""
    monkeypatch.setattr(store, "LONGEST_PAUSE_S", 0.02)


@pytest.mark.usefixtures("patient")
def test_an_app_that_follows_its_cursor_sees_all_of_its_own_once_and_in_order() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Following, settings=settings(max_examples=30, stateful_step_count=25, deadline=None)
    )
