"""One engine per test worker, in memory; every test gets rows of its own by random ids."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from infra.local import engine as engines
from models.base.clock import FixedClock
from models.base.tables import Database, use_database

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("ci")

NOW = datetime(2026, 3, 18, 2, 0, tzinfo=UTC)
"""A Wednesday, 10:00 in China: within working hours."""


WORKERS = 2


class _Halves(LoadScopeScheduling):
    """Gives each worker the same modules in every run, so that a failure can be run again."""

    def _split_scope(self, nodeid: str) -> str:
        return str(crc32(nodeid.partition("::")[0].encode()) % WORKERS)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Halves:
    """Who runs what; asked only where tests run in several workers."""
    return _Halves(config, log)


@pytest.fixture(scope="session")
def engine() -> Iterator[engines.Engine]:
    """A running engine with every table of the template."""
    running = engines.Engine().start()
    engines.create_tables(running.url)
    yield running
    running.stop()


@pytest.fixture
def database(engine: engines.Engine) -> Database:
    """The product's tables, pointed at this worker's engine."""
    place = Database(
        region=engines.REGION,
        endpoint_url=engine.url,
        access_key=engines.ACCESS_KEY,
        secret_key=engines.SECRET_KEY,
    )
    use_database(place)
    return place


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at 10:00 on a working day in China."""
    return FixedClock(NOW)
