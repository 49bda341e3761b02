"""Two tables that belong to no capability."""

from __future__ import annotations

import pytest
from pynamodb.attributes import UnicodeAttribute

from infra.local import engine as engines
from models.base import store
from models.base.ids import new_id
from models.base.tables import Database, Instant, Table, Whole


class Thing(Table):
    """A row with a simple key."""

    class Meta:
        table_name = "base-things"

    thing_id = UnicodeAttribute(hash_key=True)
    colour = UnicodeAttribute(null=True)
    count = Whole(null=True)
    at = Instant(null=True)


class Part(Table):
    """A row with a composed key."""

    class Meta:
        table_name = "base-parts"

    thing_id = UnicodeAttribute(hash_key=True)
    part_id = UnicodeAttribute(range_key=True)
    colour = UnicodeAttribute(null=True)


@pytest.fixture(scope="session")
def base_tables(engine: engines.Engine) -> None:
    """The two tables, once per engine."""
    client = engines.client(engine.url)
    for name, keys in (("base-things", ["thing_id"]), ("base-parts", ["thing_id", "part_id"])):
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": kind}
                for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
        )


@pytest.fixture
def tables(database: Database, base_tables: None, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The tables, and a store that does not wait between its tries."""
    monkeypatch.setattr(store, "LONGEST_PAUSE_S", 0.0)
    return database


@pytest.fixture
def thing_id() -> str:
    return new_id("thing")
