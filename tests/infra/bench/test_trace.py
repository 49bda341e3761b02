"""Calls are counted one by one, and in a row."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.bench.trace import Call, Trace, sequential, write_units
from models.base import store
from models.base.ids import new_id
from models.base.store import Transaction
from models.base.tables import connection
from models.stations.tables import LAST_VISIT, VisitRow


def calls(*spans: tuple[float, float]) -> list[Call]:
    return [Call(operation="Query", began=a, ended=b, units=1) for a, b in spans]


@pytest.mark.parametrize(
    ("spans", "chain"),
    [
        ([], 0),
        ([(0, 1)], 1),
        ([(0, 1), (1, 2), (2, 3)], 3),
        ([(0, 3), (0, 3), (1, 2)], 1),
        ([(0, 5), (0, 1), (2, 3)], 2),
    ],
)
def test_calls_that_overlap_count_once(spans: list[tuple[float, float]], chain: int) -> None:
    assert sequential(calls(*spans)) == chain


def longest_chain(spans: list[tuple[int, int]], free_at: int = -1) -> int:
    """By trying every next call."""
    after = [span for span in spans if span[0] >= free_at]
    return max((1 + longest_chain(spans, end) for _, end in after), default=0)


spans_ = st.tuples(st.integers(0, 8), st.integers(1, 4)).map(lambda pair: (pair[0], sum(pair)))


@given(st.lists(spans_, max_size=6))
def test_the_chain_is_the_longest_there_is(spans: list[tuple[int, int]]) -> None:
    assert sequential(calls(*spans)) == longest_chain(spans)


@pytest.mark.usefixtures("database")
def test_calls_to_the_engine_are_seen_with_their_units() -> None:
    trace, member_id = Trace(connection()), new_id("mbr")

    store.get(VisitRow, member_id, LAST_VISIT)
    transaction = Transaction()
    transaction.update("visit", VisitRow(member_id, LAST_VISIT), [VisitRow.schema.set(1)])
    transaction.commit()

    taken = trace.take()
    assert [call.operation for call in taken] == ["GetItem", "TransactWriteItems"]
    assert (sequential(taken), write_units(taken)) == (2, 2)
    assert trace.take() == ()


@pytest.mark.usefixtures("database")
def test_calls_of_several_threads_are_all_seen() -> None:
    trace = Trace(connection())

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: store.get(VisitRow, new_id("mbr"), LAST_VISIT), range(12)))

    assert len(trace.take()) == 12
