"""The nightly proof finds what does not fit, freezes it, corrects nothing, and can be stopped."""

from __future__ import annotations

import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, datetime, timedelta

import pytest

from infra.local.engine import Engine
from models.base.clock import FixedClock, business_day
from models.base.errors import Conflict
from models.base.ids import new_id, seq_text
from models.base.store import get, query
from models.points import trees
from models.points.checking import check_member
from models.points.checkpoint_tables import CheckpointRow, FreezeRow
from models.points.entities import EntryKind
from models.points.freezing import thaw
from models.points.ledger import Ledger
from models.points.posting import Event
from models.points.reconciliation import TURN_DAYS, Night, Reconciliation
from models.points.roots import inclusion, pieces, root_of
from models.points.tables import EntryRow, TransferRow, WalletRow
from tests.support.faults import Killed, counting, killed_at, lost_at
from tests.support.ledgers import own_ledger
from tests.support.points import COUNTY, NOW, a_member_id, award, hold

TODAY = business_day(NOW)


@pytest.fixture(autouse=True)
def _tables(engine: Engine) -> None:
    own_ledger(engine)


def reconciliation(at: datetime = NOW, *, page: int = 256) -> Reconciliation:
    return Reconciliation(clock=FixedClock(at), page=page, pause=lambda seconds: None)


def run(at: datetime = NOW, *, page: int = 256) -> Night:
    return reconciliation(at, page=page).run()


def a_member(*points: int) -> str:
    """A member with an entry for each award, whose weekly turn is neither today nor tomorrow."""
    today = date.fromisoformat(TODAY).toordinal()
    soon = {day % TURN_DAYS for day in (today, today + 1, today + 2)}
    while hashlib.sha256((member := a_member_id()).encode()).digest()[0] % TURN_DAYS in soon:
        pass
    for each in points:
        award(member, each)
    return member


def _days_to_turn(member: str) -> int:
    turn = hashlib.sha256(member.encode()).digest()[0] % TURN_DAYS
    today = date.fromisoformat(TODAY).toordinal()
    return next(day for day in range(1, TURN_DAYS + 1) if (today + day) % TURN_DAYS == turn)


def errors(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.levelno >= logging.ERROR]


def frozen_at(member: str) -> datetime | None:
    wallet = get(WalletRow, member)
    assert wallet is not None
    return wallet.frozen_at


def test_a_sound_ledger_gets_its_root_and_every_member_his_proof() -> None:
    members = [a_member(10, 5), a_member(1), a_member(2, 3, 4)]
    hold(members[0], 12)

    night = run()

    assert (night.wallets, night.entries, night.drifts, night.is_done_now) == (3, 7, 0, True)
    root = root_of(TODAY)
    assert root is not None
    assert night.root == root.root
    assert (root.wallets, root.entries, root.drifts) == (3, 7, 0)
    assert root.totals["a"] == 13
    assert root.totals["h"] == 12
    assert sum(root.totals.values()) == 0
    for member in members:
        wallet, proof = get(WalletRow, member), inclusion(member)
        assert wallet is not None
        assert proof is not None
        leaf = trees.leaf(member, wallet.version, wallet.head)
        tree = trees.climb(leaf, proof.path)
        assert proof.version == wallet.version
        assert trees.day_root(TODAY, proof.previous, tree) == root.root


def test_a_second_run_of_the_day_does_nothing() -> None:
    a_member(10)
    first = run()

    with counting() as sent:
        again = run()

    assert sent == ["GetItem"]
    assert (again.root, again.wallets, again.is_done_now) == (first.root, 0, False)


def test_the_next_night_folds_only_what_is_new_and_names_the_root_before() -> None:
    quiet, busy = a_member(10, 5), a_member(1, 2, 3)
    first = run()
    award(busy, 4)

    second = run(NOW + timedelta(days=1))

    assert (second.wallets, second.entries, second.drifts) == (2, 1, 0)
    root = root_of(second.day)
    assert root is not None
    assert (root.previous, root.previous_day) == (first.root, TODAY)
    assert root.totals["a"] == 25
    mine, moved = inclusion(quiet), inclusion(busy)
    assert mine is not None
    assert moved is not None
    assert (mine.day, moved.day) == (TODAY, second.day)


def test_once_a_week_a_ledger_is_proven_from_its_first_entry() -> None:
    members = [a_member(10, 5) for _ in range(4)]
    run()

    nights = [run(NOW + timedelta(days=day)) for day in range(1, TURN_DAYS + 1)]

    assert sum(night.entries for night in nights) >= 8
    assert all((proof := inclusion(member)) and proof.day > TODAY for member in members)


@pytest.mark.parametrize("changed", ["balance", "old_entry", "head", "transfer", "unreadable"])
def test_a_ledger_that_drifts_is_frozen_said_loudly_and_left_as_it_is(
    changed: str, caplog: pytest.LogCaptureFixture
) -> None:
    sound, member = a_member(10), a_member(10, 5)
    entry = get(EntryRow, member, seq_text(1))
    assert entry is not None
    if changed == "balance":
        WalletRow(member).update(actions=[WalletRow.available.set({"2028-03": 99})])
    elif changed == "head":
        WalletRow(member).update(actions=[WalletRow.head.set("f" * 64)])
    elif changed == "transfer":
        TransferRow(entry.transfer_id).delete()
    elif changed == "unreadable":
        entry.update(actions=[EntryRow.kind.set("nonsense")])
    else:
        entry.update(actions=[EntryRow.source.set({"case_id": "case_9"})])
    before = WalletRow.get(member).to_simple_dict()

    with caplog.at_level(logging.ERROR, logger="models"):
        night = run()

    assert night.drifts == 1
    assert night.root is not None
    assert frozen_at(member) == NOW
    assert frozen_at(sound) is None
    after = WalletRow.get(member).to_simple_dict()
    assert {**after, "frozen_at": None} == {**before, "frozen_at": None}
    [said] = errors(caplog)
    assert said.message == "ledger.drifted"
    assert said.member_id == member  # type: ignore[attr-defined]
    [row] = query(FreezeRow, member)
    assert row.faults
    root = root_of(TODAY)
    assert root is not None
    assert root.drifts == 1


@pytest.mark.parametrize(
    ("kind", "source", "code"),
    [
        (
            EntryKind.AWARD,
            {"inputs": {"day": TODAY, "quantity": 1, "gross": 10, "granted": 99}},
            "entry.points",
        ),
        (EntryKind.ADJUSTMENT, {"proposal": "prp_none", "reason": "missing"}, "entry.proposal"),
    ],
)
def test_what_was_wrong_when_it_was_written_is_a_drift_though_its_chain_is_sound(
    kind: EntryKind, source: dict[str, object], code: str
) -> None:
    member = a_member_id()
    event = Event(
        member_id=member,
        county=COUNTY,
        transfer_id=new_id("trf"),
        kind=kind,
        rule="report.first@1" if kind is EntryKind.AWARD else "",
        points=99,
        source=source,
        now=NOW,
    )
    legs = {"iss:report.first@1": -99, "a:2028-03": 99}
    Ledger().post(lambda: Ledger().plan(event, lambda accounts, today: legs))

    assert run().drifts == 1
    assert query(FreezeRow, member)[0].faults == [{"code": code, "seq": 1}]


def test_a_frozen_wallet_earns_and_does_not_spend() -> None:
    member = a_member(10)
    WalletRow(member).update(actions=[WalletRow.available.set({"2028-03": 99})])
    run()

    award(member, 5)
    with pytest.raises(Conflict) as refused:
        hold(member, 1)

    assert refused.value.code == "points.frozen"


def test_a_drift_that_nobody_sets_right_is_said_again_each_night_and_frozen_once() -> None:
    member = a_member(10, 5)
    run()
    WalletRow(member).update(actions=[WalletRow.available.set({"2028-03": 99})])

    nights = [run(NOW + timedelta(days=day)) for day in (1, 2)]

    assert [night.drifts for night in nights] == [1, 1]
    assert frozen_at(member) == NOW + timedelta(days=1)
    assert len(query(FreezeRow, member)) == 1


def test_what_looks_wrong_is_looked_at_again_before_anybody_is_frozen() -> None:
    member = a_member(10)
    waited: list[float] = []

    def set_right(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            WalletRow(member).update(actions=[WalletRow.held.set(0)])

    WalletRow(member).update(actions=[WalletRow.held.set(7)])
    night = Reconciliation(clock=FixedClock(NOW), pause=set_right).run()

    assert (night.drifts, waited, frozen_at(member)) == (0, [1.0, 1.0], None)


def test_a_wallet_that_is_gone_is_a_drift_too(caplog: pytest.LogCaptureFixture) -> None:
    member = a_member(10)
    a_member(1)
    run()
    WalletRow(member).delete()

    with caplog.at_level(logging.ERROR, logger="models"):
        night = run(NOW + timedelta(days=1))

    assert night.drifts == 1
    assert [record.message for record in errors(caplog)] == ["ledger.wallet_missing"]
    assert get(WalletRow, member) is None


def test_a_ledger_that_lost_entries_together_with_its_wallet_is_found_by_the_checkpoint() -> None:
    member = a_member(10)
    earlier = WalletRow.get(member)
    award(member, 5)
    run()
    EntryRow(member, seq_text(2)).delete()
    earlier.save()

    night = run(NOW + timedelta(days=1))

    assert night.drifts == 1
    assert frozen_at(member) is not None


@pytest.mark.parametrize("is_its_turn", [False, True])
def test_a_ledger_that_was_written_anew_as_a_whole_is_found_by_the_point_proven_before(
    is_its_turn: bool,
) -> None:
    member, forged = a_member(10, 5), a_member_id()
    run()
    for row in EntryRow.query(member, page_size=50):
        row.delete()
    WalletRow(member).delete()
    for points in (10, 50):
        award(member, points, transfer_id=f"{forged}-{points}")
    assert check_member(member) == ()

    night = run(NOW + timedelta(days=_days_to_turn(member) if is_its_turn else 1))

    assert night.drifts == 1
    with pytest.raises(Conflict) as refused:
        thaw(member, actor="finance-1", now=NOW)
    assert refused.value.details == {"faults": ["entry.rewritten@2"]}


def test_a_run_that_dies_anywhere_is_gone_on_with_and_ends_in_the_same_root() -> None:
    for points in range(1, 4):
        a_member(points, points)
    with counting() as sent:
        wanted = run(page=2)

    for number in range(len(sent)):
        forget_the_night()
        fault = killed_at(number, applied=True) if number % 2 else lost_at(number)
        with suppress(Killed), fault:
            run(page=2)
        assert run(page=2).root == wanted.root, number


def forget_the_night() -> None:
    """As if it were the first night again."""
    for row in (*pieces(TODAY), root_of(TODAY), *CheckpointRow.scan(page_size=50)):
        if row is not None:
            row.delete()


def test_runs_that_overlap_share_the_pages_and_make_one_root() -> None:
    for points in range(1, 9):
        a_member(points)

    with ThreadPoolExecutor(4) as pool:
        nights = list(pool.map(lambda _: run(page=2), range(4)))

    assert len({night.root for night in nights}) == 1
    root = root_of(TODAY)
    assert root is not None
    assert (root.wallets, root.drifts) == (8, 0)
    assert sum(len(part.leaves) for part in pieces(TODAY)) == 8


def test_a_run_stops_when_its_time_is_over_and_the_next_goes_on() -> None:
    for points in range(1, 6):
        a_member(points)
    clock = FixedClock(NOW)

    class Slow(Reconciliation):
        def _piece(self, last, done):  # type: ignore[no-untyped-def]
            clock.advance(timedelta(minutes=6))
            return super()._piece(last, done)

    first = Slow(clock=clock, page=2).run()
    second = run(page=2)

    assert (first.root, first.wallets) == (None, 4)
    assert (second.wallets, second.is_done_now) == (1, True)


def test_points_that_move_while_the_night_runs_are_no_drift() -> None:
    members = [a_member(5) for _ in range(6)]

    with ThreadPoolExecutor(3) as pool:
        moving = [pool.submit(award, member, 1) for member in members * 5]
        night = pool.submit(run, page=2).result()
        for each in moving:
            each.result()

    assert night.drifts == 0
    assert run(NOW + timedelta(days=1), page=2).drifts == 0


def test_nobody_has_a_ledger_and_there_is_a_root_all_the_same() -> None:
    night = run()

    assert night.root == trees.day_root(TODAY, trees.EMPTY, trees.EMPTY)
    assert inclusion(a_member_id()) is None
