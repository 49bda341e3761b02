"""Histories of the real product are possible ones; with a bug planted they are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from infra.local import engine as engines
from infra.prove.ledger import histories
from infra.prove.ledger.counters import BOOK, Counter
from infra.prove.ledger.histories import OUTCOMES, Episode, Measured
from infra.prove.ledger.network import Network, between
from models.base.errors import Conflict
from models.base.tables import Database
from models.points.ledger import Ledger
from models.points.posting import Posting
from models.points.reading import balances

Live = Callable[..., Measured]


@pytest.fixture
def live() -> Iterator[Live]:
    """Episodes on an engine of their own, where a sweep meets no strangers."""
    engine = engines.Engine().start()
    engines.create_tables(engine.url)
    place = Database(
        region=engines.REGION,
        endpoint_url=engine.url,
        access_key=engines.ACCESS_KEY,
        secret_key=engines.SECRET_KEY,
    )

    def lived(seed: int, *, ledger: Ledger | None = None) -> Measured:
        measured, network = Measured(), Network(seed)
        with between(place, network):
            build = partial(Counter, ledger=ledger or Ledger(lambda: BOOK))
            histories.add(measured, Episode(seed, network, build))
        return measured

    yield lived
    engine.stop()


def test_episodes_on_a_bad_network_are_linearizable(live: Live) -> None:
    episodes = [live(seed) for seed in range(4)]

    assert [line for measured in episodes for line in measured.wrong] == []
    assert sum(measured.operations for measured in episodes) > 100
    assert all(measured.met["unsent"] and measured.met["lost"] for measured in episodes)


class _Forgetful(Ledger):
    """Judges by a balance that it read before: a refusal from a stale read."""

    def __init__(self) -> None:
        super().__init__(lambda: BOOK)
        self._seen: dict[str, int] = {}

    def plan_hold(self, **asked: Any) -> Posting:
        member_id = asked["member_id"]
        known = self._seen.get(member_id)
        if known is None:
            known = self._seen[member_id] = balances(member_id, asked["now"]).available
        if known < asked["points"]:
            raise Conflict("points.insufficient", missing=asked["points"] - known)
        posting = super().plan_hold(**asked)
        self._seen[member_id] = known - asked["points"]
        return posting


class _Generous(Ledger):
    """Pays for the same event again: an award that forgets its key."""

    def __init__(self) -> None:
        super().__init__(lambda: BOOK)
        self._turn = 0

    def plan_award(self, **asked: Any) -> Posting:
        self._turn += 1
        asked["transfer_id"] = f"{asked['transfer_id']}-{self._turn}"
        return super().plan_award(**asked)


@pytest.mark.parametrize("bug", [_Forgetful, _Generous])
def test_a_planted_bug_is_caught(live: Live, bug: type[Ledger]) -> None:
    caught = (live(seed, ledger=bug()).wrong for seed in range(100, 130))

    assert "not linearizable" in next(wrong[0] for wrong in caught if wrong)


def test_a_run_in_which_something_never_happened_proves_nothing() -> None:
    measured = Measured(operations=5_000, unknown=50)
    measured.met.update(requests=100, unsent=10, lost=10)
    measured.outcomes.update(dict.fromkeys(OUTCOMES, 3))
    assert all(figure.ok for figure in measured.figures())

    del measured.outcomes["expired"]

    assert [f.name for f in measured.figures() if not f.ok] == ["ledger.history_rarest_outcome"]
