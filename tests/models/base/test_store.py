"""Transactions are applied whole, refused by name, and repeated when nothing was decided."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from pynamodb.exceptions import PutError, TransactWriteError, VerboseClientError

from models.base import store
from models.base.errors import Unavailable
from models.base.ids import new_id
from models.base.store import (
    Refused,
    Stale,
    Transaction,
    get,
    get_many,
    get_together,
    put_if_absent,
    query,
    retrying,
    update_if,
)
from tests.models.base.conftest import Part, Thing
from tests.support.faults import answering, lost_reply, never_sent, refusing

pytestmark = pytest.mark.usefixtures("tables")


def a_thing(thing_id: str, **columns: Any) -> Thing:
    row = Thing(thing_id=thing_id, **columns)
    row.save()
    return row


def refusal_of(transaction: Transaction) -> Refused:
    with pytest.raises(Refused) as raised:
        transaction.commit()
    return raised.value


# commit -----------------------------------------------------------------------------------------


def test_a_transaction_applies_all_of_its_writes(thing_id: str) -> None:
    checked, gone, changed = (a_thing(new_id("t"), colour="red") for _ in range(3))
    transaction = Transaction()
    transaction.update("changed", changed, [Thing.colour.set("blue")])
    transaction.guard("new", Thing(thing_id=thing_id))
    transaction.delete("gone", gone)
    transaction.check("checked", Thing, checked.thing_id, condition=Thing.colour == "red")

    transaction.commit()

    assert get(Thing, thing_id) is not None
    assert get(Thing, gone.thing_id) is None
    blue = get(Thing, changed.thing_id)
    assert blue is not None
    assert blue.colour == "blue"


@pytest.mark.parametrize("failing", ["checked", "gone", "guarded", "put", "changed"])
def test_a_refusal_names_the_write_whatever_the_order_they_were_added_in(failing: str) -> None:
    rows = {
        name: a_thing(new_id("t"), colour="red" if name == failing else "green")
        for name in ("checked", "gone", "put", "changed")
    }
    is_green = Thing.colour == "green"
    guarded = rows["put"].thing_id if failing == "guarded" else new_id("t")
    putting = new_id("t") if failing == "guarded" else rows["put"].thing_id
    transaction = Transaction()
    transaction.update("changed", rows["changed"], [Thing.count.set(1)], is_green)
    transaction.put("put", Thing(thing_id=putting), is_green if failing != "guarded" else None)
    transaction.guard("guarded", Thing(thing_id=guarded))
    transaction.delete("gone", rows["gone"], is_green)
    transaction.check("checked", Thing, rows["checked"].thing_id, condition=is_green)

    refused = refusal_of(transaction)

    assert refused.names == {failing}
    assert failing in refused


def test_a_refusal_names_every_write_that_failed_and_applies_none(thing_id: str) -> None:
    changed, guarded = a_thing(new_id("t"), colour="red"), a_thing(new_id("t"))
    transaction = Transaction()
    transaction.update("changed", changed, [Thing.count.set(1)], Thing.colour == "green")
    transaction.guard("new", Thing(thing_id=thing_id))
    transaction.guard("guarded", Thing(thing_id=guarded.thing_id))

    refused = refusal_of(transaction)

    assert refused.names == {"changed", "guarded"}
    assert get(Thing, thing_id) is None


@pytest.mark.parametrize("kind", ["check", "delete", "put", "update"])
def test_a_refusal_shows_the_row_that_stood_in_the_way(kind: str, thing_id: str) -> None:
    row = a_thing(thing_id, colour="red", count=3)
    is_green = Thing.colour == "green"
    transaction = Transaction()
    if kind == "check":
        transaction.check("it", Thing, thing_id, condition=is_green)
    elif kind == "delete":
        transaction.delete("it", row, is_green)
    elif kind == "put":
        transaction.put("it", Thing(thing_id=thing_id), is_green)
    else:
        transaction.update("it", row, [Thing.count.set(4)], is_green)

    seen = refusal_of(transaction).row("it", Thing)

    assert seen is not None
    assert (seen.thing_id, seen.colour, seen.count) == (thing_id, "red", 3)


def test_a_refusal_without_a_row_shows_none(thing_id: str) -> None:
    transaction = Transaction()
    transaction.update("it", Thing(thing_id=thing_id), [Thing.count.set(1)], Thing.count == 0)

    refused = refusal_of(transaction)

    assert refused.row("it", Thing) is None
    assert "another" not in refused


def test_two_writes_of_one_name_are_a_mistake_of_the_programmer(thing_id: str) -> None:
    transaction = Transaction()
    transaction.guard("it", Thing(thing_id=thing_id))
    transaction.guard("it", Thing(thing_id=new_id("t")))

    with pytest.raises(ValueError, match="two writes of one name"):
        transaction.commit()


def test_a_conflict_with_another_transaction_is_tried_again(thing_id: str) -> None:
    transaction = Transaction()
    transaction.guard("it", Thing(thing_id=thing_id))

    with refusing(
        "TransactWriteItems",
        "TransactionCanceledException",
        reasons=["TransactionConflict"],
        times=3,
    ) as seen:
        transaction.commit()

    assert len(seen) == 3
    assert get(Thing, thing_id) is not None


def test_a_conflict_beside_a_failed_condition_is_tried_again(thing_id: str) -> None:
    transaction = Transaction()
    transaction.guard("one", Thing(thing_id=thing_id))
    transaction.guard("two", Thing(thing_id=new_id("t")))

    with refusing(
        "TransactWriteItems",
        "TransactionCanceledException",
        reasons=["ConditionalCheckFailed", "TransactionConflict"],
    ):
        transaction.commit()

    assert get(Thing, thing_id) is not None


def test_a_conflict_that_never_ends_is_unavailable_and_not_a_refusal(thing_id: str) -> None:
    transaction = Transaction()
    transaction.guard("it", Thing(thing_id=thing_id))

    with (
        refusing(
            "TransactWriteItems",
            "TransactionCanceledException",
            reasons=["TransactionConflict"],
            times=1000,
        ) as seen,
        pytest.raises(Unavailable) as raised,
    ):
        transaction.commit()

    assert raised.value.code == "store.busy"
    assert len(seen) == store.TRIES
    assert get(Thing, thing_id) is None


@pytest.mark.parametrize(
    "code", ["TransactionInProgressException", "ThrottlingException", "InternalServerError"]
)
def test_a_busy_engine_is_asked_again(thing_id: str, code: str) -> None:
    transaction = Transaction()
    transaction.guard("it", Thing(thing_id=thing_id))

    with refusing("TransactWriteItems", code, times=4):
        transaction.commit()

    assert get(Thing, thing_id) is not None


def test_a_transaction_that_is_wrong_is_not_tried_again(thing_id: str) -> None:
    transaction = Transaction()
    transaction.guard("it", Thing(thing_id=thing_id))

    with (
        refusing("TransactWriteItems", "ValidationException", times=1000) as seen,
        pytest.raises(TransactWriteError) as raised,
    ):
        transaction.commit()

    assert raised.value.cause_response_code == "ValidationException"
    assert len(seen) == 1


def test_a_cancellation_for_another_reason_is_not_a_refusal(thing_id: str) -> None:
    transaction = Transaction()
    transaction.guard("it", Thing(thing_id=thing_id))

    with (
        refusing("TransactWriteItems", "TransactionCanceledException", reasons=["ValidationError"]),
        pytest.raises(TransactWriteError) as raised,
    ):
        transaction.commit()

    assert raised.value.cause_response_code == "TransactionCanceledException"


def test_a_request_that_never_arrived_is_sent_again(thing_id: str) -> None:
    transaction = Transaction()
    transaction.guard("it", Thing(thing_id=thing_id))

    with never_sent(times=7):
        transaction.commit()

    assert get(Thing, thing_id) is not None


def test_a_lost_reply_is_repaired_by_the_same_request_token(thing_id: str) -> None:
    transaction = Transaction()
    transaction.guard("it", Thing(thing_id=thing_id, colour="mine"))

    with lost_reply():
        transaction.commit()

    stored = get(Thing, thing_id)
    assert stored is not None
    assert stored.colour == "mine"


def test_after_a_longer_silence_the_guard_finds_its_own_first_run(thing_id: str) -> None:
    transaction = Transaction()
    transaction.guard("it", Thing(thing_id=thing_id, colour="mine"))

    # Applied, and no reply to any of botocore's own repetitions: our next try has a new token.
    with lost_reply(), never_sent(times=2):
        refused = refusal_of(transaction)

    own = refused.row("it", Thing)
    assert own is not None
    assert own.colour == "mine"


def test_of_two_transactions_at_once_exactly_one_wins(thing_id: str) -> None:
    outcomes: list[str] = []
    gate = threading.Barrier(8)

    def run(name: str) -> None:
        transaction = Transaction()
        transaction.guard("it", Thing(thing_id=thing_id, colour=name))
        gate.wait(10)
        try:
            transaction.commit()
        except Refused as refused:
            row = refused.row("it", Thing)
            outcomes.append(f"saw {row.colour if row else None}")
        else:
            outcomes.append(f"won {name}")

    threads = [threading.Thread(target=run, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    winners = [outcome[4:] for outcome in outcomes if outcome.startswith("won")]
    assert len(winners) == 1
    assert outcomes.count(f"saw {winners[0]}") == 7


# reading ----------------------------------------------------------------------------------------


def test_deciding_again_ends_when_nothing_moved_any_more() -> None:
    tries: list[int] = []

    def decide() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise Stale
        return "decided"

    assert retrying(decide) == "decided"


def test_deciding_again_ends_when_others_were_always_quicker() -> None:
    def decide() -> None:
        raise Stale

    with pytest.raises(Unavailable) as raised:
        retrying(decide)

    assert raised.value.code == "store.busy"


def test_many_rows_of_several_tables_come_in_the_order_asked(thing_id: str) -> None:
    a_thing(thing_id, colour="red")
    Part(thing_id=thing_id, part_id="a", colour="green").save()
    Part(thing_id=thing_id, part_id="b", colour="blue").save()

    found = get_many(
        [
            (Part, (thing_id, "b")),
            (Thing, (thing_id,)),
            (Part, (thing_id, "missing")),
            (Thing, (new_id("t"),)),
            (Part, (thing_id, "a")),
            (Thing, (thing_id,)),
        ]
    )

    colours = [getattr(row, "colour", None) for row in found]
    assert colours == ["blue", "red", None, None, "green", "red"]


def test_more_rows_than_one_call_takes_come_in_several(thing_id: str) -> None:
    a_thing(thing_id, colour="red")
    keys = [(Part, (thing_id, f"{number:03}")) for number in range(230)]
    for table, (thing, part_id) in keys[::50]:
        table(thing_id=thing, part_id=part_id, colour=part_id).save()

    found = get_many([*keys, (Thing, (thing_id,)), *keys[:1]])

    colours = [getattr(row, "colour", None) for row in found]
    assert len(found) == 232
    assert [colour for colour in colours if colour] == [
        *("000", "050", "100", "150", "200"),
        "red",
        "000",
    ]


def test_rows_that_were_left_out_are_asked_for_again(thing_id: str) -> None:
    a_thing(thing_id, colour="red")
    left = {"base-things": {"Keys": [{"thing_id": {"S": thing_id}}], "ConsistentRead": True}}

    with answering("BatchGetItem", [{"Responses": {}, "UnprocessedKeys": left}] * 2) as seen:
        found = get_many([(Thing, (thing_id,))])

    assert [getattr(row, "colour", None) for row in found] == ["red"]
    assert json.loads(seen[1])["RequestItems"] == left


def test_rows_that_are_always_left_out_are_unavailable(thing_id: str) -> None:
    left = {"base-things": {"Keys": [{"thing_id": {"S": thing_id}}]}}

    with (
        answering("BatchGetItem", [{"Responses": {}, "UnprocessedKeys": left}] * 1000),
        pytest.raises(Unavailable),
    ):
        get_many([(Thing, (thing_id,))])


def test_many_rows_are_read_strongly(thing_id: str) -> None:
    with answering("BatchGetItem", [{"Responses": {}}]) as seen:
        get_many([(Thing, (thing_id,)), (Part, (thing_id, "a"))])

    asked = json.loads(seen[0])["RequestItems"]
    assert [table["ConsistentRead"] for table in asked.values()] == [True, True]


def test_rows_are_read_together_in_the_order_they_were_asked_for(thing_id: str) -> None:
    a_thing(thing_id, colour="red")
    Part(thing_id=thing_id, part_id="a", colour="blue").save()

    part, absent, thing = get_together(
        [(Part, (thing_id, "a")), (Thing, ("nobody",)), (Thing, (thing_id,))]
    )

    assert isinstance(part, Part)
    assert isinstance(thing, Thing)
    assert (part.colour, absent, thing.colour) == ("blue", None, "red")


def test_no_transaction_is_ever_seen_half(thing_id: str) -> None:
    Part(thing_id=thing_id, part_id="a", colour="0").save()
    a_thing(thing_id, colour="0")

    def paint() -> None:
        for colour in range(1, 40):
            tx = Transaction()
            for row in (Part(thing_id=thing_id, part_id="a"), Thing(thing_id=thing_id)):
                tx.update(type(row).__name__, row, [type(row).colour.set(str(colour))])
            tx.commit()

    painter = threading.Thread(target=paint)
    painter.start()
    seen = []
    while painter.is_alive():
        part, thing = get_together([(Part, (thing_id, "a")), (Thing, (thing_id,))])
        seen.append((part.colour, thing.colour))  # type: ignore[union-attr]
    painter.join()

    assert all(of_part == of_thing for of_part, of_thing in seen)


def test_a_read_that_met_a_transaction_is_sent_again(thing_id: str) -> None:
    a_thing(thing_id, colour="red")
    reasons = ["TransactionConflict", "None"]

    with refusing("TransactGetItems", "TransactionCanceledException", times=3, reasons=reasons):
        thing, _ = get_together([(Thing, (thing_id,)), (Part, (thing_id, "a"))])

    assert isinstance(thing, Thing)


def test_a_read_that_always_meets_a_transaction_is_unavailable(thing_id: str) -> None:
    with (
        refusing(
            "TransactGetItems",
            "TransactionCanceledException",
            times=1000,
            reasons=["TransactionConflict"],
        ) as seen,
        pytest.raises(Unavailable),
    ):
        get_together([(Thing, (thing_id,))])

    assert len(seen) == store.TRIES


def test_a_read_that_can_never_be_is_an_error_and_not_repeated(thing_id: str) -> None:
    with pytest.raises(VerboseClientError, match="ValidationException"):
        get_together([(Thing, (thing_id,)), (Thing, (thing_id,))])
    with (
        refusing(
            "TransactGetItems", "TransactionCanceledException", times=9, reasons=["ValidationError"]
        ) as seen,
        pytest.raises(VerboseClientError),
    ):
        get_together([(Thing, (thing_id,))])

    assert len(seen) == 1


def test_an_engine_that_does_not_answer_is_unavailable_for_every_way_of_reading(
    thing_id: str,
) -> None:
    with never_sent("GetItem", times=1000), pytest.raises(Unavailable):
        get(Thing, thing_id)
    with never_sent("Query", times=1000), pytest.raises(Unavailable):
        query(Part, thing_id)
    with never_sent("BatchGetItem", times=1000), pytest.raises(Unavailable):
        get_many([(Thing, (thing_id,))])
    with never_sent("TransactGetItems", times=1000), pytest.raises(Unavailable):
        get_together([(Thing, (thing_id,))])


def test_an_engine_that_is_too_busy_is_unavailable_for_every_way_of_reading(thing_id: str) -> None:
    with refusing("GetItem", "ThrottlingException", times=1000), pytest.raises(Unavailable):
        get(Thing, thing_id)
    with refusing("Query", "ThrottlingException", times=1000), pytest.raises(Unavailable):
        query(Part, thing_id)
    with refusing("BatchGetItem", "ThrottlingException", times=1000), pytest.raises(Unavailable):
        get_many([(Thing, (thing_id,))])


def test_a_partition_is_listed_whole_over_its_pages(thing_id: str) -> None:
    for part in "abc":
        Part(thing_id=thing_id, part_id=part).save()

    assert [row.part_id for row in query(Part, thing_id, page_size=1)] == ["a", "b", "c"]


# single writes ----------------------------------------------------------------------------------


def test_one_row_changes_only_under_its_condition(thing_id: str) -> None:
    row = a_thing(thing_id, count=1)

    assert update_if(row, [Thing.count.set(2)], Thing.count == 1)
    assert not update_if(row, [Thing.count.set(3)], Thing.count == 1)

    stored = get(Thing, thing_id)
    assert stored is not None
    assert stored.count == 2


def test_a_lost_reply_of_one_change_reads_as_false_and_the_change_is_there(thing_id: str) -> None:
    row = a_thing(thing_id, count=1)

    with lost_reply("UpdateItem"):
        changed = update_if(row, [Thing.count.set(2)], Thing.count == 1)

    stored = get(Thing, thing_id)
    assert not changed
    assert stored is not None
    assert stored.count == 2


def test_one_row_is_put_only_where_none_stands(thing_id: str) -> None:
    assert put_if_absent(Thing(thing_id=thing_id, colour="first"))
    assert not put_if_absent(Thing(thing_id=thing_id, colour="second"))

    stored = get(Thing, thing_id)
    assert stored is not None
    assert stored.colour == "first"


def test_one_write_against_a_transaction_is_tried_again(thing_id: str) -> None:
    with refusing("PutItem", "TransactionConflictException", times=5):
        assert put_if_absent(Thing(thing_id=thing_id))


def test_one_write_that_is_never_answered_is_unavailable(thing_id: str) -> None:
    with never_sent("PutItem", times=1000), pytest.raises(Unavailable):
        put_if_absent(Thing(thing_id=thing_id))


def test_one_write_that_is_wrong_is_not_tried_again(thing_id: str) -> None:
    with (
        refusing("PutItem", "ValidationException", times=1000) as seen,
        pytest.raises(PutError),
    ):
        put_if_absent(Thing(thing_id=thing_id))

    assert len(seen) == 1
