"""A frozen wallet is let go by two people, once its ledger is sound; nothing else lets it go."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from models.base.errors import Conflict, NotFound
from models.base.store import get, query
from models.base.tables import Database
from models.points.chains import Fault
from models.points.checkpoint_tables import FreezeRow
from models.points.freezing import freeze, thaw
from models.points.tables import WalletRow
from tests.support.faults import lost_reply
from tests.support.points import NOW, a_member_id, award, hold

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def member(database: Database) -> str:
    """Somebody whose sound wallet is frozen."""
    member_id = a_member_id()
    award(member_id, 10)
    fault = Fault(member_id=member_id, code="wallet.balance", seq=1)
    assert freeze(member_id, [fault], now=NOW)
    return member_id


def is_frozen(member: str) -> bool:
    wallet = get(WalletRow, member)
    return wallet is not None and wallet.frozen_at is not None


def test_two_people_let_a_wallet_go_and_each_stands_in_the_history(member: str) -> None:
    first = thaw(member, actor="finance-1", now=LATER)
    still = is_frozen(member)
    second = thaw(member, actor="finance-2", now=LATER)

    assert (first, still, second, is_frozen(member)) == ("asked", True, "thawed", False)
    [row] = query(FreezeRow, member)
    assert (row.asked_by, row.thawed_by, row.thawed_at) == ("finance-1", "finance-2", LATER)
    assert row.faults == [{"code": "wallet.balance", "seq": 1}]
    hold(member, 10)


def test_one_person_cannot_let_a_wallet_go_however_often_he_asks(member: str) -> None:
    said = {thaw(member, actor="finance-1", now=LATER) for _ in range(3)}

    assert said == {"asked"}
    assert is_frozen(member)


def test_who_agreed_may_say_it_again_and_is_told_the_same(member: str) -> None:
    thaw(member, actor="finance-1", now=LATER)
    thaw(member, actor="finance-2", now=LATER)

    assert thaw(member, actor="finance-2", now=LATER) == "thawed"
    with pytest.raises(Conflict) as refused:
        thaw(member, actor="finance-1", now=LATER)
    assert refused.value.code == "points.not_frozen"


@pytest.mark.parametrize("operation", ["UpdateItem", "TransactWriteItems"])
def test_a_lost_reply_changes_no_answer(member: str, operation: str) -> None:
    if operation == "TransactWriteItems":
        thaw(member, actor="finance-1", now=LATER)

    with lost_reply(operation):
        said = thaw(member, actor="finance-2", now=LATER)

    assert said == ("asked" if operation == "UpdateItem" else "thawed")


def test_a_ledger_that_is_still_wrong_stays_frozen(member: str) -> None:
    WalletRow(member).update(actions=[WalletRow.held.set(3)])

    with pytest.raises(Conflict) as refused:
        thaw(member, actor="finance-1", now=LATER)

    WalletRow(member).update(actions=[WalletRow.held.set(0)])
    assert refused.value.code == "points.still_drifted"
    assert refused.value.details == {"faults": ["wallet.balance@1"]}
    assert thaw(member, actor="finance-1", now=LATER) == "asked"


def test_a_wallet_is_frozen_once_and_who_has_none_is_not_given_one(member: str) -> None:
    stranger = a_member_id()

    assert not freeze(member, [], now=LATER)
    assert not freeze(stranger, [], now=LATER)
    assert get(WalletRow, stranger) is None
    with pytest.raises(NotFound):
        thaw(stranger, actor="finance-1", now=LATER)


def test_a_wallet_frozen_again_needs_two_people_again(member: str) -> None:
    for actor in ("finance-1", "finance-2"):
        thaw(member, actor=actor, now=LATER)
    freeze(member, [], now=LATER)

    assert thaw(member, actor="finance-2", now=LATER) == "asked"
    assert is_frozen(member)


def test_whoever_comes_together_one_of_them_only_asks(member: str) -> None:
    def ask(actor: str) -> Callable[[], str]:
        return lambda: thaw(member, actor=actor, now=LATER)

    with ThreadPoolExecutor(2) as pool:
        first, second = (pool.submit(ask(actor)) for actor in ("finance-1", "finance-2"))

    assert sorted((first.result(), second.result())) == ["asked", "thawed"]
    assert not is_frozen(member)


def test_a_ledger_that_is_wrong_throughout_is_frozen_too(database: Database) -> None:
    member_id = a_member_id()
    award(member_id, 10)
    faults = [Fault(member_id=member_id, code="entry.hash", seq=seq) for seq in range(20_000)]

    assert freeze(member_id, faults, now=NOW)

    [row] = query(FreezeRow, member_id)
    assert len(row.faults) == 100
