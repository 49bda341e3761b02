"""The seeded city, once per worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.local.engine import Engine
from tests.support.world import World


@pytest.fixture(scope="session")
def _world(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"), engine)
    yield made
    made.close()


@pytest.fixture(scope="module")
def world(_world: World) -> World:
    """The city; tests of other modules have pointed the tables elsewhere in between."""
    return _world.enter()
