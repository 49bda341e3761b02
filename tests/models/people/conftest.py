"""What the tests of people share."""

from __future__ import annotations

import pytest

from models.base.clock import FixedClock
from models.base.tables import Database
from tests.support.people import People


@pytest.fixture
def people(database: Database, clock: FixedClock) -> People:
    """The people's use cases on this worker's engine."""
    return People(clock)
