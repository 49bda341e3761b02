"""The log of a member's changes: numbered without a gap, each once, and read on from anywhere."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)

from models.alerts import feed
from models.alerts.feed import HEAD, KEPT, Change, append
from models.alerts.tables import ChangeRow, InboxRow, LoggedRow
from models.base import store
from models.base.errors import Conflict
from models.base.ids import derived_id, new_id, seq_text
from models.base.store import delete, get
from models.base.tables import Database
from tests.support.alerts import COUNTY, NOW
from tests.support.faults import lost_reply, never_sent, refusing
from tests.support.meter import metered

pytestmark = pytest.mark.usefixtures("tables")


def a_change(member_id: str, key: str | None = None, **values: Any) -> Change:
    """A change of a case, new unless ``key`` says which."""
    key = key or new_id("key")
    given = {"county": COUNTY, "kind": "case", "thing_id": "case_1", "change": "claim", "at": NOW}
    return Change(member_id=member_id, key=key, **{**given, "thing_id": key, **values})


def all_of(member_id: str, seq: int | None = None, limit: int = 100) -> list[str]:
    """Follow the log to its end; answers the things in order."""
    seen: list[str] = []
    while True:
        found = feed.since(member_id, seq, limit=limit, now=NOW)
        seen += [logged.thing_id for logged in found.items]
        seq = found.start + len(found.items)
        if not found.has_more:
            return seen


@pytest.fixture
def member_id() -> str:
    return new_id("mbr")


@pytest.fixture
def kept(member_id: str) -> Callable[[int], None]:
    """Log so many changes."""

    def log(count: int) -> None:
        for number in range(1, count + 1):
            append(a_change(member_id, thing_id=f"thing-{number}"), NOW)

    return log


def test_what_was_logged_is_shown_as_it_was(member_id: str) -> None:
    append(a_change(member_id, thing_id="case_7", change="resolve", at=NOW), NOW)

    found = feed.since(member_id, None, limit=10, now=NOW)

    [logged] = found.items
    assert (logged.seq, logged.kind, logged.thing_id) == (1, "case", "case_7")
    assert (logged.change, logged.at) == ("resolve", NOW)
    assert not found.has_more


def test_nobody_sees_anothers(member_id: str) -> None:
    append(a_change(new_id("mbr")), NOW)

    found = feed.since(member_id, None, limit=10, now=NOW)

    assert (found.items, found.has_more, feed.last_of(member_id)) == ([], False, 0)


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
def test_a_log_is_followed_page_by_page(
    member_id: str, kept: Callable[[int], None], limit: int
) -> None:
    kept(4)

    assert all_of(member_id, limit=limit) == [f"thing-{number}" for number in range(1, 5)]


def test_a_page_that_ends_with_the_log_says_so(member_id: str, kept: Callable[[int], None]) -> None:
    kept(3)

    more = [feed.since(member_id, seq, limit=2, now=NOW).has_more for seq in range(4)]

    assert more == [True, False, False, False]


def test_the_same_change_is_logged_once(member_id: str) -> None:
    change = a_change(member_id)

    answers = [append(change, NOW) for _ in range(3)]

    assert answers == [True, False, False]
    assert all_of(member_id) == [change.thing_id]


@pytest.mark.parametrize(
    "fault",
    [
        lost_reply,
        never_sent,
        lambda: refusing("TransactWriteItems", "InternalServerError", status=500),
        lambda: refusing(
            "TransactWriteItems",
            "TransactionCanceledException",
            reasons=("TransactionConflict", "None", "None"),
        ),
    ],
    ids=["lost", "never-sent", "server-error", "conflict"],
)
@pytest.mark.parametrize("earlier", [0, 1])
def test_a_fault_on_the_way_logs_nothing_twice_and_loses_nothing(
    member_id: str, fault: Any, earlier: int, kept: Callable[[int], None]
) -> None:
    kept(earlier)
    change = a_change(member_id, thing_id="last")

    with fault():
        append(change, NOW)

    assert all_of(member_id)[earlier:] == ["last"]
    assert feed.last_of(member_id) == earlier + 1


def test_many_at_once_get_a_number_each(member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LONGEST_PAUSE_S", 0.05)
    changes = [a_change(member_id) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda change: append(change, NOW), [*changes, *changes]))

    assert sorted(answers) == [False] * 8 + [True] * 8
    assert sorted(all_of(member_id)) == sorted(change.thing_id for change in changes)


def test_what_must_stand_before_is_logged_before(member_id: str) -> None:
    first, second, third = (a_change(member_id) for _ in range(3))
    append(first, NOW)

    append(third, NOW, before=[first, second])
    late = append(second, NOW, before=[first])

    assert late is False
    assert all_of(member_id) == [change.thing_id for change in (first, second, third)]


def test_a_row_of_the_callers_can_be_the_guard(member_id: str) -> None:
    row = InboxRow(member_id, "m1", county=COUNTY, kind="k", title={}, body={}, page="p", at=NOW)

    answers = [append(a_change(member_id), NOW, once=row) for _ in range(2)]

    assert answers == [True, False]
    assert get(InboxRow, member_id, "m1") is not None
    assert len(all_of(member_id)) == 1


def test_a_log_costs_two_calls_and_a_repeat_no_write(member_id: str) -> None:
    append(a_change(member_id), NOW)
    change = a_change(member_id)

    with metered() as first:
        append(change, NOW)
    with metered() as again:
        append(change, NOW)
    with metered() as read:
        feed.since(member_id, 0, limit=100, now=NOW)

    assert (first.calls, first.writes) == (["BatchGetItem", "TransactWriteItems"], 6)
    assert (again.calls, again.writes) == (["BatchGetItem"], 0)
    assert read.calls == ["Query"]


def test_who_comes_too_late_is_told_so(member_id: str, kept: Callable[[int], None]) -> None:
    kept(4)
    for number in (1, 2):
        delete(ChangeRow(member_id, seq_text(number)))

    for seq in (0, 1):
        with pytest.raises(Conflict, match=r"^changes\.cursor_too_old$"):
            feed.since(member_id, seq, limit=10, now=NOW)
    assert all_of(member_id, 2) == ["thing-3", "thing-4"]


def test_who_comes_when_all_is_gone_is_told_so_too(
    member_id: str, kept: Callable[[int], None]
) -> None:
    kept(2)
    for number in (1, 2):
        delete(ChangeRow(member_id, seq_text(number)))

    with pytest.raises(Conflict):
        feed.since(member_id, 1, limit=10, now=NOW)
    assert all_of(member_id, 2) == []


def test_a_number_never_given_is_none_of_ours(member_id: str) -> None:
    append(a_change(member_id), NOW)

    with pytest.raises(Conflict):
        feed.since(member_id, 2, limit=10, now=NOW)


def test_a_hole_further_on_ends_the_page_before_it(
    member_id: str, kept: Callable[[int], None]
) -> None:
    kept(4)
    delete(ChangeRow(member_id, seq_text(3)))

    found = feed.since(member_id, 0, limit=10, now=NOW)

    assert [logged.seq for logged in found.items] == [1, 2]
    assert found.has_more
    with pytest.raises(Conflict):
        feed.since(member_id, 2, limit=10, now=NOW)


def test_who_brings_no_number_begins_with_what_has_not_expired(member_id: str) -> None:
    for number in range(1, 4):
        append(a_change(member_id, thing_id=f"old-{number}"), NOW - KEPT)
    append(a_change(member_id, thing_id="new"), NOW)
    delete(ChangeRow(member_id, seq_text(2)))  # the engine forgets in no order

    assert all_of(member_id) == ["new"]
    assert feed.since(member_id, None, limit=10, now=NOW).start == 3


def test_who_brings_no_number_when_all_has_expired_begins_at_the_end(member_id: str) -> None:
    append(a_change(member_id), NOW - KEPT)

    found = feed.since(member_id, None, limit=10, now=NOW)

    assert (found.start, found.items, found.has_more) == (1, [], False)


def test_a_change_just_being_written_is_no_hole(
    member_id: str, kept: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query is no snapshot: it may see the head and not yet the change."""
    kept(2)
    asked, real = itertools.count(), store.query

    def torn(*key: Any, **how: Any) -> list[ChangeRow]:
        rows = real(*key, **how)
        return rows[-1:] if next(asked) == 0 else rows

    monkeypatch.setattr(feed, "query", torn)

    found = feed.since(member_id, 1, limit=10, now=NOW)

    assert [logged.thing_id for logged in found.items] == ["thing-2"]


def test_changes_and_guards_expire_after_ninety_days_and_the_head_never(member_id: str) -> None:
    change = a_change(member_id)
    append(change, NOW)

    row = get(ChangeRow, member_id, seq_text(1))
    guard = get(LoggedRow, member_id, derived_id("log", change.key))
    head = get(ChangeRow, member_id, HEAD)
    assert row is not None
    assert guard is not None
    assert head is not None
    assert row.ttl == guard.ttl == int((NOW + timedelta(days=90)).timestamp())
    assert (head.ttl, head.last) == (None, 1)


class _Client:
    """Follows one member's log, may be cut off, and begin again where it was sure to be."""

    def __init__(self, member_id: str) -> None:
        self.member_id = member_id
        self.seq: int | None = None
        self.seen: list[str] = []

    def read(self, limit: int, *, is_cut_off: bool) -> bool:
        """One page; a client that is cut off keeps what it had. True while there is more."""
        found = feed.since(self.member_id, self.seq, limit=limit, now=NOW)
        assert [logged.seq for logged in found.items] == list(
            range(found.start + 1, found.start + 1 + len(found.items))
        )
        assert len(found.items) <= limit
        if not is_cut_off:
            self.seen += [logged.thing_id for logged in found.items]
            self.seq = found.start + len(found.items)
        return found.has_more


MEMBERS, THINGS, VERSIONS = 3, 2, 6
Step = tuple[int, int]
"""Which thing reached which version."""


class Following(RuleBasedStateMachine):
    """Handlers log the versions of things for every member, late, twice, at once and cut off.

    A version is logged with those before it as its predecessors, as the handlers of cases do.
    """

    def __init__(self) -> None:
        super().__init__()
        self.run = new_id("run")
        self.clients = [_Client(f"{self.run}-{number}") for number in range(MEMBERS)]
        self.reached = dict.fromkeys(range(THINGS), 0)
        self.told: list[set[Step]] = [set() for _ in range(MEMBERS)]

    def _change(self, member: int, step: Step) -> Change:
        thing = f"{self.run}-{step[0]}-v{step[1]}"
        return a_change(self.clients[member].member_id, f"case:{thing}", thing_id=thing)

    def _log(self, member: int, step: Step) -> None:
        thing, version = step
        chain = [(thing, number) for number in range(1, version + 1)]
        *before, change = (self._change(member, each) for each in chain)
        append(change, NOW, before=before)

    def _expect(self, member: int, step: Step) -> None:
        self.told[member] |= {(step[0], number) for number in range(1, step[1] + 1)}

    @precondition(lambda self: min(self.reached.values()) < VERSIONS)
    @rule(thing=st.integers(0, THINGS - 1))
    def changes(self, thing: int) -> None:
        """A thing changes; nobody has been told yet."""
        self.reached[thing] = min(self.reached[thing] + 1, VERSIONS)

    def _steps(self, data: st.DataObject, most: int) -> list[tuple[int, Step]]:
        known = [
            (member, (thing, version))
            for member in range(MEMBERS)
            for thing, reached in self.reached.items()
            for version in range(1, reached + 1)
        ]
        return data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=most))

    @precondition(lambda self: any(self.reached.values()))
    @rule(data=st.data())
    def one_handler(self, data: st.DataObject) -> None:
        """Any version, also an old one or one that was told."""
        for member, step in self._steps(data, 2):
            self._log(member, step)
            self._expect(member, step)

    @precondition(lambda self: any(self.reached.values()))
    @rule(data=st.data())
    def handlers_at_once(self, data: st.DataObject) -> None:
        """Handlers and readers run beside each other."""
        steps = self._steps(data, 6)
        reader = data.draw(st.sampled_from(self.clients))
        with ThreadPoolExecutor(5) as pool:
            runs = [pool.submit(self._log, member, step) for member, step in steps]
            runs.append(pool.submit(reader.read, 2, is_cut_off=False))  # type: ignore[arg-type]
            for run in runs:
                run.result()
        for member, step in steps:
            self._expect(member, step)

    @precondition(lambda self: any(self.reached.values()))
    @rule(data=st.data(), fault=st.sampled_from([lost_reply, never_sent]))
    def a_handler_on_a_bad_line(self, data: st.DataObject, fault: Any) -> None:
        """A reply is lost, or the request; what was told already sends nothing."""
        [(member, step), *_] = self._steps(data, 1)
        if step in self.told[member]:
            return
        with fault():
            self._log(member, step)
        self._expect(member, step)

    @rule(number=st.integers(0, MEMBERS - 1), limit=st.integers(1, 5), cut_off=st.booleans())
    def reads(self, number: int, limit: int, cut_off: bool) -> None:
        """A page, whose reply may be lost: then the same is asked again some time."""
        self.clients[number].read(limit, is_cut_off=cut_off)

    def teardown(self) -> None:
        """In the end every client has seen its own, all of it, once, each thing in order."""
        for client, told in zip(self.clients, self.told, strict=True):
            while client.read(3, is_cut_off=False):
                pass
            assert len(client.seen) == len(set(client.seen))
            assert set(client.seen) == {f"{self.run}-{thing}-v{version}" for thing, version in told}
            for thing in range(THINGS):
                mine = [seen for seen in client.seen if f"-{thing}-v" in seen]
                assert mine == sorted(mine)
            assert feed.last_of(client.member_id) == len(told)


@pytest.fixture
def patient(tables: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that waits a little, as handlers beside each other must."""
    monkeypatch.setattr(store, "LONGEST_PAUSE_S", 0.02)


@pytest.mark.usefixtures("patient")
def test_who_follows_sees_every_change_of_his_once_in_order_and_nobody_elses() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Following, settings=settings(max_examples=30, stateful_step_count=25, deadline=None)
    )
