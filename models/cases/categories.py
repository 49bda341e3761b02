"""Which categories are in force, and what a standing case's category was when it was filed.

What was published never changes, so it is kept for as long as the process lives; only which version
holds is asked again, every half minute. The city's first version comes with the code, in
``data/categories.csv``; cases that are older than versions belong to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from pathlib import Path

from models.base.clock import Clock
from models.base.snapshots import Snapshots
from models.base.store import get_many
from models.cases import sheets, versions
from models.cases.catalogue import Catalogue
from models.cases.category_tables import CategoryVersionRow, key_of, read_index, to_published
from models.cases.entities import Category
from models.cases.sheets import Sheet
from models.cases.versions import CITY, FIRST, Key, Published

_FILE = Path(__file__).parent / "data" / "categories.csv"
_FIRST_LABEL = str(FIRST)


@cache
def first_sheet() -> Sheet:
    """The list that comes with the code, as it is written."""
    return sheets.read(_FILE.read_text(encoding="utf-8"))


@cache
def first_version() -> Catalogue:
    """The list that comes with the code."""
    categories = sheets.categories(first_sheet(), _FIRST_LABEL)
    return Catalogue(version=_FIRST_LABEL, categories=categories)


class Categories:
    """Answers from memory; safe to share between threads.

    At most ``ttl`` behind what was published; ``Unavailable`` only where the tables have never
    answered yet. See ``Snapshots``.
    """

    def __init__(self, *, clock: Clock, ttl: timedelta = timedelta(seconds=30)) -> None:
        self._clock = clock
        self._sheets: dict[Key, Sheet] = {(CITY, FIRST): first_sheet()}
        self._catalogues = {_FIRST_LABEL: first_version()}
        self._published = Snapshots(
            clock=clock, ttl=ttl, version=_revision, load=self._load, name="categories"
        )

    def current(self, county: str | None) -> Catalogue:
        """The list that holds in a county now; None: the city's, where no county is known."""
        published = self._published.current()
        return self._catalogue(versions.label(published, county, self._clock.now()))

    def of(self, code: str, version: str | None) -> Category:
        """The category of a stored case, as its list had it when the case was filed.

        None stands for the first list. At most one read, the first time a process meets a version.
        Raises ``KeyError`` for a code that was never in it.
        """
        return self._catalogue(version or _FIRST_LABEL).of(code)

    def edition(self) -> str:
        """Changes whenever the list of any county does: clients then load theirs again."""
        return versions.label_of_all(self._published.current(), self._clock.now())

    def sheet(self, key: Key) -> Sheet:
        """A published sheet as it is written. Raises ``KeyError`` for one that never was."""
        if key not in self._sheets:
            self._read([key])
        return self._sheets[key]

    def forget(self) -> None:
        """Look again at the next question: for who has just published."""
        self._published.forget()

    def _catalogue(self, label: str) -> Catalogue:
        known = self._catalogues.get(label)
        if known is None:
            city, county = versions.keys_of(label)
            self._read([city, *([county] if county else [])])
            rows = sheets.overlaid(self.sheet(city), self.sheet(county) if county else ())
            known = Catalogue(version=label, categories=sheets.categories(rows, label))
            self._catalogues[label] = known
        return known

    def _load(self) -> Published:
        """Read whatever holds or will hold at once, so that no request waits for it later."""
        published = to_published(read_index())
        self._read((scope, one.version) for scope, held in published.items() for one in held)
        return published

    def _read(self, keys: Iterable[Key]) -> None:
        unknown = [key for key in dict.fromkeys(keys) if key not in self._sheets]
        for row in (
            get_many([(CategoryVersionRow, key_of(*key)) for key in unknown]) if unknown else ()
        ):
            if isinstance(row, CategoryVersionRow):
                self._sheets[row.scope, int(row.version)] = row.rows


def _revision() -> int:
    row = read_index()
    return row.revision if row else 0
