"""The DynamoDB base: one connection for all tables, and how a column is written.

pynamodb makes a botocore session, a client and a pool per model class; twelve of them cost 1.5 s
of CPU at the first touch. Here every table shares one, made on first use.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.connection import Connection, TableConnection
from pynamodb.connection.base import MetaTable
from pynamodb.constants import NUMBER, STRING
from pynamodb.models import Model

from models.base.clock import parse_utc, utc_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """Where the tables are: ``endpoint_url`` None is the region's own; ``prefix`` names a stage."""

    region: str
    endpoint_url: str | None = None
    prefix: str = ""
    access_key: str | None = None
    secret_key: str | None = None


class _Shared:
    """The process's one connection; tables ask for it each time, so a test can point elsewhere."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._connection: Connection | None = None
        self.database: Database | None = None
        self.tables: dict[str, TableConnection] = {}

    def point_at(self, database: Database) -> None:
        with self.lock:
            self.database, self._connection = database, None
            self.tables = {}

    def connection(self) -> Connection:
        if self._connection is None:
            with self.lock:
                if self._connection is None:
                    self._connection = self._connect()
        return self._connection

    def _connect(self) -> Connection:
        if self.database is None:
            raise RuntimeError("models.base.tables.use_database() was not called")
        connection = Connection(
            region=self.database.region,
            host=self.database.endpoint_url,
            connect_timeout_seconds=1,
            read_timeout_seconds=3,
            max_retry_attempts=2,
            max_pool_connections=64,
            aws_access_key_id=self.database.access_key,
            aws_secret_access_key=self.database.secret_key,
        )
        _ = connection.client  # made here, under the lock: botocore's making is not thread-safe
        return connection


_shared = _Shared()


def use_database(database: Database) -> None:
    """Point every table of this process at ``database``; call once at start (tests: per engine)."""
    _shared.point_at(database)


def connection() -> Connection:
    """The shared connection, made on first use."""
    return _shared.connection()


class Table(Model):
    """Base of all tables. ``Meta.table_name`` is the name without the stage's prefix."""

    @classmethod
    def _get_connection(cls) -> TableConnection:
        name = cls.Meta.table_name
        known = _shared.tables.get(name)
        if known is None:
            with _shared.lock:  # pynamodb refuses to learn one table twice
                known = _shared.tables.get(name) or cls._make_connection(name)
                _shared.tables[name] = known
        return known

    @classmethod
    def _make_connection(cls, name: str) -> TableConnection:
        shared = connection()
        assert _shared.database is not None
        full_name = _shared.database.prefix + name
        schema: Any = cls._get_schema()
        table = TableConnection(full_name)
        table.connection = shared
        if full_name not in shared._tables:
            shared.add_meta_table(
                MetaTable(
                    {
                        "TableName": full_name,
                        "KeySchema": schema["key_schema"],
                        "AttributeDefinitions": schema["attribute_definitions"],
                        "GlobalSecondaryIndexes": [
                            {"IndexName": index["index_name"], "KeySchema": index["key_schema"]}
                            for index in schema["global_secondary_indexes"]
                        ],
                    }
                )
            )
        return table


class Instant(Attribute[datetime]):
    """An aware instant, kept as RFC 3339 text with milliseconds: sortable and readable."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        return utc_text(value)

    def deserialize(self, value: str) -> datetime:
        return parse_utc(value)


class Whole(Attribute[int]):
    """A whole number; pynamodb's own number column is typed ``float`` and takes fractions."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        if type(value) is not int:
            raise TypeError("a whole number is needed")
        return str(value)

    def deserialize(self, value: str) -> int:
        return int(value)
