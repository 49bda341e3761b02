"""A small rush: five are sold, nobody else loses anything, and an oversale would be told."""

from __future__ import annotations

from infra.prove.ledger.counters import Counter
from infra.prove.ledger.network import Network, between
from infra.prove.ledger.rush import PRICE, STOCK, Crowd, Rushed
from models.base.tables import Database


def test_five_of_twenty_get_a_piece_on_a_bad_network(database: Database) -> None:
    rushed, network = Rushed(), Network(7)

    with between(database, network):
        crowd = Crowd(Counter(left=(STOCK, STOCK), price=PRICE).opened(), network, riders=20)
        crowd.rush(rushed, 0, is_bad=False)
        crowd.rush(rushed, 1, is_bad=True)

    assert (rushed.sold, rushed.oversold, rushed.refused) == (10, 0, 30)
    assert rushed.wrong == []
    assert rushed.faults > 0


def test_a_shelf_with_one_too_many_is_noticed(database: Database) -> None:
    rushed, network = Rushed(), Network(7)

    with between(database, network):
        crowd = Crowd(Counter(left=(STOCK + 1,), price=PRICE).opened(), network, riders=8)
        crowd.rush(rushed, 0, is_bad=False)

    assert rushed.oversold == 1
    assert rushed.wrong == [f"round 0: {STOCK + 1} sold of {STOCK}"]
