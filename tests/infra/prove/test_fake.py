"""The fake is DynamoDB as far as the product asks, and fails in the ways it is told to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pynamodb.exceptions import UpdateError

from infra.local import engine as engines
from infra.prove.fake import differences
from infra.prove.fake.faults import Died, Fault, Plan
from infra.prove.fake.requests import Database
from infra.prove.fake.service import Fake, attached
from infra.prove.fake.speaker import TABLES, Speaker
from models.alerts.tables import QuotaRow
from models.base.errors import Unavailable
from models.base.store import (
    Refused,
    Transaction,
    change,
    get,
    get_together,
    query,
    update_if,
)
from models.base.tables import Database as Place
from models.base.tables import _shared
from models.people.tables import FollowerRow

NOW = datetime(2026, 3, 18, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def own_engine() -> Iterator[engines.Engine]:
    """An engine for this file's own tables."""
    running = engines.Engine().start()
    yield running
    running.stop()


@pytest.fixture
def fake() -> Iterator[Fake]:
    """The product's tables in memory."""
    with attached(Fake()) as attached_fake:
        yield attached_fake


def a_quota(remaining: int = 0) -> QuotaRow:
    return QuotaRow("mbr_1", "template", schema=1, remaining=remaining)


def a_follower(follower_id: str, **values: Any) -> FollowerRow:
    return FollowerRow(
        follower_id, schema=1, service_openid="s-1", event_at=NOW, following=True, **values
    )


def test_random_requests_have_the_outcome_they_have_on_the_engine(
    own_engine: engines.Engine,
) -> None:
    compared = differences.compare(own_engine.url, 750, seed=11)

    assert compared.differences == []
    assert compared.requests["TransactWriteItems"] >= 150
    assert compared.requests["TransactGetItems"] >= 20
    assert min(compared.outcomes.values()) >= 20
    assert set(compared.outcomes) == {
        "ok",
        "TransactionCanceledException",
        "ConditionalCheckFailedException",
        "ValidationException",
    }


def test_random_reads_of_several_rows_have_the_outcome_they_have_on_the_engine(
    own_engine: engines.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Speaker.request

    def mostly_together(speaker: Speaker) -> Any:
        if speaker._chance.random() < 0.3:
            return ask(speaker)
        return "TransactGetItems", {"TransactItems": speaker._together()}

    monkeypatch.setattr(Speaker, "request", mostly_together)

    compared = differences.compare(own_engine.url, 500, seed=5)

    assert compared.differences == []
    assert compared.requests["TransactGetItems"] >= 250
    assert compared.outcomes["TransactionCanceledException"] >= 5
    assert compared.outcomes["ValidationException"] >= 5


class _Forgetful(Database):
    """A fake that lies: a condition on one write of a transaction does not matter."""

    def _transact(self, operation: str, request: Any) -> Any:
        first, *others = request["TransactItems"]
        ((_, how),) = first.items()
        if len(others) > 1 and "ConditionExpression" in how:
            request = {"TransactItems": others}
        return super()._transact(operation, request)


def test_a_fake_that_lies_is_found_out(own_engine: engines.Engine) -> None:
    compared = differences.compare(own_engine.url, 250, seed=11, fake=lambda: _Forgetful(TABLES))

    assert compared.differences


def test_twenty_thousand_simple_requests_take_less_than_a_second() -> None:
    fake = Fake()
    started = time.process_time()

    for number in range(10_000):
        key = {"case_id": {"S": f"case_{number}"}}
        due = {"S": f"{number % 97:04}"}
        fake.call("PutItem", {"TableName": "cases", "Item": {**key, "due_at": due}})
        fake.call("GetItem", {"TableName": "cases", "Key": key})

    assert time.process_time() - started < 1.0


def test_a_guard_refuses_and_shows_the_row_that_stands_there(fake: Fake) -> None:
    first, second = Transaction(), Transaction()
    first.guard("quota", a_quota(remaining=7))
    first.commit()
    second.guard("quota", a_quota())

    with pytest.raises(Refused) as refused:
        second.commit()

    there = refused.value.row("quota", QuotaRow)
    assert there is not None
    assert there.remaining == 7
    assert fake.rows("quotas")[0]["remaining"] == {"N": "7"}


def test_a_refused_transaction_writes_nothing(fake: Fake) -> None:
    tx = Transaction()
    tx.put("other", QuotaRow("mbr_2", "template", schema=1, remaining=1))
    tx.update("quota", a_quota(), [QuotaRow.remaining.add(-1)], QuotaRow.remaining >= 1)

    with pytest.raises(Refused):
        tx.commit()

    assert fake.rows("quotas") == []


@pytest.mark.usefixtures("fake")
def test_an_index_holds_only_rows_that_have_its_key() -> None:
    a_follower("f_1", union_key="u_1").save()
    a_follower("f_2").save()
    listed = query(FollowerRow.by_union, "u_1")
    FollowerRow("f_1").update(actions=[FollowerRow.union_key.remove()])

    assert [row.follower_id for row in listed] == ["f_1"]
    assert query(FollowerRow.by_union, "u_1") == []


def test_what_the_fake_does_not_know_is_refused_loudly() -> None:
    with pytest.raises(NotImplementedError, match="Segment"):
        Fake().call("Scan", {"TableName": "cases", "Segment": 0})


def test_a_crash_is_caught_by_nobody(fake: Fake) -> None:
    fake.plan = Plan(1, {Fault.CRASH_BEFORE: 1.0})

    with pytest.raises(Died):
        change(a_quota(), [QuotaRow.remaining.set(1)])

    assert fake.rows("quotas") == []
    assert not isinstance(Died(), Exception)


def test_a_crash_may_come_after_the_write(fake: Fake) -> None:
    fake.plan = Plan(1, {Fault.CRASH_AFTER: 1.0})

    with pytest.raises(Died):
        change(a_quota(), [QuotaRow.remaining.set(1)])

    assert len(fake.rows("quotas")) == 1


def test_a_lost_reply_is_of_a_write_that_was_applied(fake: Fake) -> None:
    change(a_quota(), [QuotaRow.remaining.set(1)])
    fake.plan = Plan(1, {Fault.REPLY_LOST: 1.0})

    with pytest.raises(UpdateError):
        a_quota().update(actions=[QuotaRow.remaining.add(1)])

    assert fake.rows("quotas")[0]["remaining"] == {"N": "2"}


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.CONFLICT, Fault.UNSENT])
def test_what_passes_is_sent_again_and_counts_once(fake: Fake, fault: Fault) -> None:
    fake.plan = Plan("often", {fault: 0.5})
    for _ in range(20):
        tx = Transaction()
        tx.update("quota", a_quota(), [QuotaRow.remaining.add(1)])
        tx.commit()

    assert fake.rows("quotas")[0]["remaining"] == {"N": "20"}
    assert fake.plan.met[fault] >= 5


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.CONFLICT, Fault.UNSENT])
def test_what_never_passes_is_unavailable(fake: Fake, fault: Fault) -> None:
    fake.plan = Plan(1, {fault: 1.0})

    with pytest.raises(Unavailable):
        update_if(a_quota(), [QuotaRow.remaining.set(1)], QuotaRow.member_id.does_not_exist())


def test_a_read_of_several_rows_meets_conflicts_too(fake: Fake) -> None:
    a_quota(remaining=7).save()
    fake.plan = Plan("often", {Fault.CONFLICT: 0.5})

    found = [get_together([(QuotaRow, ("mbr_1", "template"))]) for _ in range(20)]

    assert [row.remaining for (row,) in found if isinstance(row, QuotaRow)] == [7] * 20
    assert fake.plan.met[Fault.CONFLICT] >= 5


def test_a_conflict_does_not_happen_to_a_read_of_one_row(fake: Fake) -> None:
    fake.plan = Plan(1, {Fault.CONFLICT: 1.0})

    assert get(QuotaRow, "mbr_1", "template") is None


def test_a_stale_index_shows_what_was_there_before_the_last_writes(fake: Fake) -> None:
    for number in range(40):
        a_follower(f"f_{number:02}", union_key="u_1").save()
    fresh = {row.follower_id for row in query(FollowerRow.by_union, "u_1")}
    fake.plan = Plan(1, {Fault.STALE: 1.0})
    stale = [len(query(FollowerRow.by_union, "u_1")) for _ in range(20)]

    assert len(fresh) == 40
    assert len(set(stale)) > 1
    assert all(8 <= count < 40 for count in stale)
    assert get(FollowerRow, "f_39") is not None


def test_a_plan_is_the_same_for_the_same_seed() -> None:
    rates = {Fault.REPLY_LOST: 0.1, Fault.CONFLICT: 0.1, Fault.STALE: 0.1}

    drawn = [
        [plan.draw("UpdateItem", is_index=False) for _ in range(200)]
        for plan in (Plan(5, rates), Plan(5, rates), Plan(6, rates))
    ]

    assert drawn[0] == drawn[1] != drawn[2]


def test_afterwards_the_tables_are_where_they_were_before(database: Place) -> None:
    with attached(Fake()):
        assert _shared.database != database

    assert _shared.database == database
    assert get(QuotaRow, "nobody", "template") is None
