"""What the tests of alerts share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.alerts.tables import OutboxRow
from models.base import store
from models.base.tables import Database


@pytest.fixture
def tables(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The tables, and a store that does not wait between its tries."""
    monkeypatch.setattr(store, "LONGEST_PAUSE_S", 0.0)
    return database


@pytest.fixture
def empty_outbox(tables: Database) -> Iterator[None]:
    """An outbox that holds nothing of other tests: it is scanned as a whole."""
    for row in store.scan(OutboxRow):
        store.delete(row)
    yield
    for row in store.scan(OutboxRow, attributes_to_get=["outbox_id"]):
        store.delete(row)
