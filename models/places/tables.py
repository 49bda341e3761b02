"""Rows of `grids` and `divisions`, and the row that counts their changes."""

import json
from datetime import date

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from models.base.tables import Table, Whole
from models.places.entities import Division, DivisionKind, Grid

SCHEMA = 1
VERSION_ID = "#version"


class GridRow(Table):
    """A grid; its outline is JSON text, so that an admin can paste it into a map."""

    class Meta:
        table_name = "grids"

    grid_id = UnicodeAttribute(hash_key=True)
    schema = Whole()
    name = UnicodeAttribute()
    county = UnicodeAttribute()
    community_id = UnicodeAttribute()
    community_name = UnicodeAttribute()
    managed_by = UnicodeAttribute(null=True)
    polygon = UnicodeAttribute()
    area_m2 = NumberAttribute()
    synthetic = BooleanAttribute()
    valid_from = UnicodeAttribute(null=True)
    valid_to = UnicodeAttribute(null=True)
    version = Whole(null=True)


class PlacesVersionRow(Table):
    """Counts changes of grids and divisions; stands in `grids` under an id no grid has."""

    class Meta:
        table_name = "grids"

    grid_id = UnicodeAttribute(hash_key=True, default=VERSION_ID)
    version = Whole()


class DivisionRow(Table):
    """A county, township or functional zone."""

    class Meta:
        table_name = "divisions"

    division_id = UnicodeAttribute(hash_key=True)
    schema = Whole()
    name = UnicodeAttribute()
    kind = UnicodeAttribute()
    code = UnicodeAttribute(null=True)
    county = UnicodeAttribute()
    parent = UnicodeAttribute()
    managed_by = UnicodeAttribute()
    valid_from = UnicodeAttribute(null=True)
    valid_to = UnicodeAttribute(null=True)
    synthetic = BooleanAttribute()


def to_grid_row(grid: Grid) -> GridRow:
    """Write a grid as its row."""
    return GridRow(
        grid_id=grid.grid_id,
        schema=SCHEMA,
        name=grid.name,
        county=grid.county,
        community_id=grid.community_id,
        community_name=grid.community_name,
        managed_by=grid.managed_by,
        polygon=json.dumps(grid.polygon, separators=(",", ":")),
        area_m2=grid.area_m2,
        synthetic=grid.synthetic,
        valid_from=_day_text(grid.valid_from),
        valid_to=_day_text(grid.valid_to),
        version=grid.version,
    )


def to_grid(row: GridRow) -> Grid:
    """Read a row as its grid."""
    return Grid(
        grid_id=row.grid_id,
        name=row.name,
        county=row.county,
        community_id=row.community_id,
        community_name=row.community_name,
        managed_by=row.managed_by,
        polygon=tuple((lon, lat) for lon, lat in json.loads(row.polygon)),
        area_m2=row.area_m2,
        synthetic=row.synthetic,
        valid_from=_day(row.valid_from),
        valid_to=_day(row.valid_to),
        version=row.version or 1,
    )


def to_division_row(division: Division) -> DivisionRow:
    """Write a division as its row."""
    return DivisionRow(
        division_id=division.division_id,
        schema=SCHEMA,
        name=division.name,
        kind=division.kind.value,
        code=division.code,
        county=division.county,
        parent=division.parent,
        managed_by=division.managed_by,
        valid_from=_day_text(division.valid_from),
        valid_to=_day_text(division.valid_to),
        synthetic=division.synthetic,
    )


def to_division(row: DivisionRow) -> Division:
    """Read a row as its division."""
    return Division(
        division_id=row.division_id,
        name=row.name,
        kind=DivisionKind(row.kind),
        code=row.code,
        county=row.county,
        parent=row.parent,
        managed_by=row.managed_by,
        valid_from=_day(row.valid_from),
        valid_to=_day(row.valid_to),
        synthetic=row.synthetic,
    )


def _day_text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
