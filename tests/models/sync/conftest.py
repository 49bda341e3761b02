"""Cases for who follows them, each test on ground of its own."""

from __future__ import annotations

import pytest

from models.base.clock import FixedClock
from models.base.tables import Database
from tests.support.cases import Town


@pytest.fixture
def town(database: Database, clock: FixedClock) -> Town:
    """A grid with an officer and a lead, where nothing has been reported yet."""
    return Town(clock)
