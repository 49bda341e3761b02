"""Sheets of categories for tests: the list that comes with the code, with a few cells changed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

from infra.local import engine as engines
from models.base.tables import Database, use_database
from models.cases.categories import Categories, first_sheet
from models.cases.publishing import Draft, Publishing, Report
from models.cases.versions import CITY

Row = dict[str, str]


def a_sheet(**cells_by_code: Mapping[str, str]) -> list[Row]:
    """The first list with cells changed by code; an empty text takes a cell away."""
    rows = [{**row, **cells_by_code.get(row["code"], {})} for row in first_sheet()]
    return [{name: cell for name, cell in row.items() if cell} for row in rows]


def a_row(like: str = "E0493a", /, **cells: str) -> Row:
    """One row of the first list, with cells changed."""
    found = next(row for row in first_sheet() if row["code"] == like)
    return {name: cell for name, cell in {**found, **cells}.items() if cell}


def publish(
    categories: Categories,
    sheet: list[Row],
    now: datetime,
    *,
    scope: str = CITY,
    effective_from: datetime | None = None,
    based_on: int | None = None,
    dry_run: bool = False,
) -> Report:
    """Publish as some post does."""
    draft = Draft(
        scope=scope,
        sheet=sheet,
        actor="district",
        effective_from=effective_from or now,
        based_on=based_on,
    )
    return Publishing(categories).publish(draft, now, dry_run=dry_run)


def own_tables(url: str, *names: str) -> Database:
    """Tables of somebody's own, all or those named: the city's list is everybody's."""
    prefix = f"{uuid.uuid4().hex}-"
    dynamodb = engines.client(url)
    for definition in engines.table_definitions(prefix):
        if not names or definition["TableName"].removeprefix(prefix) in names:
            dynamodb.create_table(**definition)
    database = Database(
        region=engines.REGION,
        endpoint_url=url,
        prefix=prefix,
        access_key=engines.ACCESS_KEY,
        secret_key=engines.SECRET_KEY,
    )
    use_database(database)
    return database
