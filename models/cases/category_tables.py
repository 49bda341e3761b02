"""The rows of published lists of categories."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from models.base.clock import parse_utc, utc_text
from models.base.store import get
from models.base.tables import Instant, Table, Whole
from models.cases.columns import Document
from models.cases.versions import Publication, Published

SCHEMA = 1
INDEX = ("index", "index")


class CategoryVersionRow(Table):
    """One version of the city's list, or of what a county does otherwise; never edited.

    ``scope`` is ``city`` or the county's code, ``version`` its number in five digits. ``rows`` is
    the sheet as published, one object of texts for each row. A whole list takes about 25 KB of an
    item's 400 and is read once in a process's life: one item, there as a whole or not at all,
    serves better than many.
    """

    class Meta:
        table_name = "category-versions"

    scope = UnicodeAttribute(hash_key=True)
    version = UnicodeAttribute(range_key=True)
    schema = Whole()
    effective_from = Instant()
    published_at = Instant()
    published_by = UnicodeAttribute()
    sha256 = UnicodeAttribute()
    rows = Document()


class CategoryIndexRow(Table):
    """Which versions hold or will hold: what readers watch, and what publishers race for.

    It stands under a scope that no county has. ``revision`` counts publications; ``published`` is
    ``{scope: [{"version", "effective_from", "sha256"}]}``.
    """

    class Meta:
        table_name = "category-versions"

    scope = UnicodeAttribute(hash_key=True)
    version = UnicodeAttribute(range_key=True)
    schema = Whole()
    revision = Whole()
    published = Document()


def key_of(scope: str, version: int) -> tuple[str, str]:
    """A version's key; such keys sort by version."""
    return scope, f"{version:05d}"


def read_index() -> CategoryIndexRow | None:
    """One strong read; None while nothing was ever published. Raises ``Unavailable``."""
    return get(CategoryIndexRow, *INDEX)


def to_published(row: CategoryIndexRow | None) -> Published:
    """What the index says."""
    return {
        scope: [
            Publication(
                version=one["version"],
                effective_from=parse_utc(one["effective_from"]),
                sha256=one["sha256"],
            )
            for one in versions
        ]
        for scope, versions in (row.published if row else {}).items()
    }


def to_document(published: Published) -> dict[str, list[dict[str, str | int]]]:
    """What the index shall say."""
    return {
        scope: [
            {
                "version": one.version,
                "effective_from": utc_text(one.effective_from),
                "sha256": one.sha256,
            }
            for one in versions
        ]
        for scope, versions in published.items()
    }
