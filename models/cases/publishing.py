"""Publish a list of categories: judged whole, written as one version, in force from an instant.

Publishers race for the index: who loses reads again and is judged against what the winner wrote, so
that no city's list and no county's ever stand that do not fit each other.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from models.base.errors import Conflict
from models.base.store import Refused, Stale, Transaction, retrying
from models.cases import sheets, versions
from models.cases.categories import Categories, first_sheet
from models.cases.category_tables import (
    INDEX,
    SCHEMA,
    CategoryIndexRow,
    CategoryVersionRow,
    key_of,
    read_index,
    to_document,
    to_published,
)
from models.cases.sheets import FIRST_ROW, Row, Sheet, SheetError
from models.cases.versions import CITY, FIRST, Key, Publication, Published

log = logging.getLogger(__name__)

MAX_BYTES = 300_000
"""Of a sheet as it is stored: an item takes 400 KB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A sheet on its way. ``scope`` is ``city`` or a county's code; ``actor`` names a post.

    ``based_on`` is the version that whoever wrote it had before him; None: he does not mind what
    was published since.
    """

    scope: str
    sheet: Sheet
    actor: str
    effective_from: datetime
    based_on: int | None = None

    @property
    def sha256(self) -> str:
        return fingerprint(self.sheet)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """An error of a sheet; ``county`` is whose sheet it would break, None for the draft's own."""

    error: SheetError
    county: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What publishing does or would do to a scope; with anything ``wrong`` nothing was written.

    ``version`` is the scope's newest then; ``changed`` has for each code the columns that differ.
    """

    version: int
    is_new: bool = False
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: dict[str, list[str]] = field(default_factory=dict)
    wrong: tuple[Wrong, ...] = ()


class Publishing:
    """Takes in lists of categories."""

    def __init__(self, categories: Categories) -> None:
        self._categories = categories

    def newest(self, scope: str, now: datetime) -> tuple[int, Sheet]:
        """The newest version of a scope and its sheet; 0 and nothing where a county has none."""
        version = _newest(to_published(read_index()), scope, now).version
        return version, self._sheet((scope, version))

    def publish(self, draft: Draft, now: datetime, *, dry_run: bool) -> Report:
        """Make a draft its scope's next version, or say what that would change.

        The same content twice makes no second version. Raises
        ``Conflict("category.published_meanwhile")`` where ``based_on`` is no longer the newest.
        """
        report = retrying(lambda: self._publish(draft, now, dry_run))
        self._categories.forget()
        return report

    def _publish(self, draft: Draft, now: datetime, dry_run: bool) -> Report:
        index = read_index()
        published = to_published(index)
        newest = _newest(published, draft.scope, now)
        if newest.sha256 == draft.sha256 and newest.effective_from <= draft.effective_from:
            return Report(version=newest.version)
        if draft.based_on not in (None, newest.version):
            raise Conflict("category.published_meanwhile", version=newest.version)
        wrong = tuple(self._wrong(draft, published, now))
        if wrong:
            return Report(version=newest.version, wrong=wrong)
        before = self._sheet((draft.scope, newest.version))
        report = _difference(before, draft.sheet, newest.version + 1)
        if not dry_run:
            _write(draft, report.version, index, published, now)
            log.info("categories.published", extra={"scope": draft.scope, "to": report.version})
        return report

    def _sheet(self, key: Key) -> Sheet:
        _, version = key
        return self._categories.sheet(key) if version else ()

    def _wrong(self, draft: Draft, published: Published, now: datetime) -> Iterator[Wrong]:
        if len(_canonical(draft.sheet)) > MAX_BYTES:
            yield Wrong(error=SheetError(row=1, column="code", code="sheet.too_long"))
        elif draft.scope == CITY:
            yield from self._wrong_for_city(draft.sheet, published, now)
        else:
            yield from self._wrong_for_county(draft.sheet, published, now)

    def _wrong_for_city(self, sheet: Sheet, published: Published, now: datetime) -> Iterator[Wrong]:
        own = sheets.errors(sheet)
        yield from (Wrong(error=error) for error in own)
        for key in () if own else _standing(published, now, of_city=False):
            rows = sheets.overlaid(sheet, self._categories.sheet(key))
            yield from (Wrong(error=error, county=key[0]) for error in sheets.errors(rows))

    def _wrong_for_county(
        self, sheet: Sheet, published: Published, now: datetime
    ) -> Iterator[Wrong]:
        for key in _standing(published, now, of_city=True):
            city = self._categories.sheet(key)
            own = sheets.county_errors(sheet, city)
            yield from (Wrong(error=error) for error in own)
            if own:
                return
            rows = sheets.overlaid(city, sheet)
            line_by_code = {row["code"]: line for line, row in enumerate(sheet, FIRST_ROW)}
            for error in sheets.errors(rows):
                line = line_by_code.get(rows[error.row - FIRST_ROW]["code"], 1)
                yield Wrong(error=SheetError(row=line, column=error.column, code=error.code))


def fingerprint(sheet: Sheet) -> str:
    """The same for the same content, whatever file it came in."""
    return sha256(_canonical(sheet)).hexdigest()


def _canonical(sheet: Sheet) -> bytes:
    rows = [dict(row) for row in sheet]
    return json.dumps(rows, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _newest(published: Published, scope: str, now: datetime) -> Publication:
    if published.get(scope):
        return published[scope][-1]
    if scope == CITY:
        return Publication(version=FIRST, effective_from=now, sha256=fingerprint(first_sheet()))
    return Publication(version=0, effective_from=now, sha256="")


def _standing(published: Published, now: datetime, *, of_city: bool) -> list[Key]:
    """The sheets that a draft must fit: those that hold now or will."""
    scopes = [CITY] if of_city else sorted(scope for scope in published if scope != CITY)
    keys = [
        (scope, one.version) for scope in scopes for one in versions.standing(published, scope, now)
    ]
    if of_city and versions.in_force(published, CITY, now) == FIRST:
        keys.insert(0, (CITY, FIRST))
    return keys


def _difference(before: Sheet, after: Sheet, version: int) -> Report:
    old = {row["code"]: row for row in before}
    new = {row["code"]: row for row in after}
    changed = {code: _columns(old[code], new[code]) for code in new if code in old}
    return Report(
        version=version,
        is_new=True,
        added=tuple(code for code in new if code not in old),
        removed=tuple(code for code in old if code not in new),
        changed={code: columns for code, columns in changed.items() if columns},
    )


def _columns(old: Row, new: Row) -> list[str]:
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def _write(
    draft: Draft, version: int, index: CategoryIndexRow | None, published: Published, now: datetime
) -> None:
    publication = Publication(
        version=version, effective_from=draft.effective_from, sha256=draft.sha256
    )
    kept = versions.standing(published, draft.scope, now)
    document = to_document({**published, draft.scope: [*kept, publication]})
    tx = Transaction()
    tx.guard("version", _row(draft, version, now))
    if index is None:
        first = CategoryIndexRow(*INDEX, schema=SCHEMA, revision=1, published=document)
        tx.guard("index", first)
    else:
        actions = [
            CategoryIndexRow.revision.set(index.revision + 1),
            CategoryIndexRow.published.set(document),
        ]
        tx.update("index", index, actions, CategoryIndexRow.revision == index.revision)
    try:
        tx.commit()
    except Refused as refused:
        raise Stale from refused


def _row(draft: Draft, version: int, now: datetime) -> CategoryVersionRow:
    return CategoryVersionRow(
        *key_of(draft.scope, version),
        schema=SCHEMA,
        effective_from=draft.effective_from,
        published_at=now,
        published_by=draft.actor,
        sha256=draft.sha256,
        rows=[dict(row) for row in draft.sheet],
    )
