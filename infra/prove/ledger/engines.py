"""The engine that a proof runs on: dynoxide, or another one that ``ENGINE`` names.

    dynoxide         what the local stack and the tests run on (the default)
    ministack        fetched from PyPI into an environment of its own
    dynamodb-local   a jar that somebody has: ``DYNAMODB_LOCAL_JAR`` is its path
    aws              the account of the present credentials, in ``AWS_DEFAULT_REGION``

On AWS the tables stand under ``TABLE_PREFIX``, without which nothing is done. A proof makes its own
and deletes those again, and no others: where a table of that prefix stands already it refuses.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.local import engine as engines
from models.base.tables import Database

DEFAULT = "dynoxide"
PATIENCE_S = 5
TRIES = 60
"""AWS makes a table in seconds; it is waited for at most five minutes."""


class EngineUnavailable(RuntimeError):
    """The engine that was asked for cannot be had here, with what to do about it."""


def wanted() -> str:
    """The engine that ``ENGINE`` names. Raises ``EngineUnavailable`` for one that is unknown."""
    name = os.environ.get("ENGINE", "") or DEFAULT
    if name not in OPENING:
        raise EngineUnavailable(f"没有这个引擎 unknown ENGINE: {name}; {sorted(OPENING)}")
    return name


@contextmanager
def opened() -> Iterator[Database]:
    """The wanted engine with every table of the template, empty; gone again at the end.

    Raises ``EngineUnavailable``.
    """
    with OPENING[wanted()]() as database:
        yield database


@contextmanager
def _dynoxide() -> Iterator[Database]:
    with _started(engines.Engine()) as database:
        yield database


@contextmanager
def _ministack() -> Iterator[Database]:
    with _started(engines.Ministack()) as database:
        yield database


@contextmanager
def _dynamodb_local() -> Iterator[Database]:
    named = os.environ.get("DYNAMODB_LOCAL_JAR", "")
    jar = Path(named)
    if not named or not jar.is_file():
        raise EngineUnavailable(f"DYNAMODB_LOCAL_JAR is not a jar: {named!r}")
    with _started(DynamoDBLocal(jar)) as database:
        yield database


class DynamoDBLocal(engines.Engine):
    """Amazon's own engine for developers, in memory; its licence lets nobody pass it on."""

    patience_s = 90.0

    def __init__(self, jar: Path) -> None:
        super().__init__()
        self._jar = jar

    def command(self) -> list[str]:
        library = f"-Djava.library.path={self._jar.parent / 'DynamoDBLocal_lib'}"
        options = ["-inMemory", "-sharedDb", "-port", str(self.port)]
        return ["java", library, "-jar", str(self._jar), *options]


@contextmanager
def _started(engine: engines.Engine) -> Iterator[Database]:
    try:
        engine.start()
    except (OSError, RuntimeError) as error:
        raise EngineUnavailable(str(error)) from error
    try:
        engines.create_tables(engine.url)
        yield Database(
            region=engines.REGION,
            endpoint_url=engine.url,
            access_key=engines.ACCESS_KEY,
            secret_key=engines.SECRET_KEY,
        )
    finally:
        engine.stop()


@contextmanager
def _aws() -> Iterator[Database]:
    prefix = os.environ.get("TABLE_PREFIX", "")
    if not prefix:
        raise EngineUnavailable("ENGINE=aws needs TABLE_PREFIX: tables are made under it alone")
    region = os.environ.get("AWS_DEFAULT_REGION", engines.REGION)
    with own_tables(boto3.client("dynamodb", region_name=region), prefix):
        yield Database(region=region, prefix=prefix)


@contextmanager
def own_tables(dynamodb: Any, prefix: str) -> Iterator[list[str]]:
    """Make every table under a prefix, and delete those that were made, whatever happens.

    Raises ``EngineUnavailable`` where a table of the prefix stands: it is somebody else's.
    """
    try:
        pages = dynamodb.get_paginator("list_tables").paginate()
        standing = [name for page in pages for name in page["TableNames"]]
    except (BotoCoreError, ClientError) as error:
        raise EngineUnavailable(f"AWS does not answer: {error}") from error
    foreign = sorted(name for name in standing if name.startswith(prefix))
    if foreign:
        raise EngineUnavailable(f"tables stand under {prefix!r} already, e.g. {foreign[0]}")
    made: list[str] = []
    try:
        for definition in engines.table_definitions(prefix):
            dynamodb.create_table(**definition)
            made.append(definition["TableName"])
        for name in made:
            dynamodb.get_waiter("table_exists").wait(
                TableName=name, WaiterConfig={"Delay": PATIENCE_S, "MaxAttempts": TRIES}
            )
        yield made
    finally:
        for name in made:
            _delete(dynamodb, name)


def _delete(dynamodb: Any, name: str) -> None:
    """A table that is still being made is not deleted at once; what stays is told."""
    try:
        dynamodb.get_waiter("table_exists").wait(
            TableName=name, WaiterConfig={"Delay": PATIENCE_S, "MaxAttempts": TRIES}
        )
        dynamodb.delete_table(TableName=name)
    except (BotoCoreError, ClientError) as error:
        print(f"表未删除 not deleted: {name} ({error})", file=sys.stderr)


OPENING: Mapping[str, Callable[[], Any]] = {
    "dynoxide": _dynoxide,
    "ministack": _ministack,
    "dynamodb-local": _dynamodb_local,
    "aws": _aws,
}
"""How each engine is opened: a context with the place of its tables."""
