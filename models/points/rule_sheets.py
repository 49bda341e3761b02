"""Which rules there are: those that come with the code, and the versions published since.

What was published never changes, so it is kept for as long as the process lives; only whether there
is more is asked again, every half minute. A version must be published well before it holds
(``LEAD``), and no process goes on with a memory older than ``LONGEST``: so the version of an act's
instant is the same wherever, and however late, the act is posted.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path

from models.base.clock import Clock
from models.base.snapshots import Snapshots
from models.base.store import get_many
from models.points.acts import RuleBook
from models.points.entities import Rule
from models.points.rule_tables import RuleIndexRow, RuleRow, key_of, read_index, to_rule

FIRST = 1
LEAD = timedelta(minutes=2)
DEFAULT_LEAD = timedelta(minutes=5)
LONGEST = timedelta(seconds=90)

Key = tuple[str, int]

_FILE = Path(__file__).parent / "data" / "point_rules.csv"


@cache
def first_book() -> RuleBook:
    """The rules that come with the code, in ``data/point_rules.csv`` with the source of each.

    They are version 1 and hold wherever nothing newer does. Entries name them, so a row is never
    edited: what changes is published.
    """
    with _FILE.open(encoding="utf-8", newline="") as sheet:
        return RuleBook({row["rule"]: (_first(row),) for row in csv.DictReader(sheet)})


class PointRules:
    """Answers from memory; safe to share between threads. See ``Snapshots``."""

    def __init__(self, *, clock: Clock, ttl: timedelta = timedelta(seconds=30)) -> None:
        self._published: dict[Key, Rule] = {}
        self._snapshots = Snapshots(
            clock=clock,
            ttl=ttl,
            longest=LONGEST,
            version=_revision,
            load=self._load,
            name="point_rules",
        )

    def current(self) -> RuleBook:
        """Every version of every rule. Raises ``Unavailable`` while the tables have not answered
        for a minute and a half."""
        return self._snapshots.current()

    def forget(self) -> None:
        """Look again at the next question: for who has just published."""
        self._snapshots.forget()

    def _load(self) -> RuleBook:
        return book_of(read_index(), self._published)


def read_book() -> RuleBook:
    """Every version of every rule as the tables have them now: for who judges before publishing."""
    return book_of(read_index())


def book_of(index: RuleIndexRow | None, known: dict[Key, Rule] | None = None) -> RuleBook:
    """The rules that an index lists, besides those of the code; what was ``known`` is not read."""
    known = {} if known is None else known
    first = first_book().versions
    newest = {**dict.fromkeys(first, FIRST), **(index.newest if index is not None else {})}
    keys = {rule: [(rule, n) for n in range(FIRST + 1, newest[rule] + 1)] for rule in newest}
    _read([key for of_rule in keys.values() for key in of_rule if key not in known], known)
    return RuleBook(
        {
            rule: (*first.get(rule, ()), *(known[key] for key in of_rule))
            for rule, of_rule in keys.items()
        }
    )


def _read(unknown: Sequence[Key], known: dict[Key, Rule]) -> None:
    rows = get_many([(RuleRow, key_of(*key)) for key in unknown]) if unknown else []
    for row in rows:
        if isinstance(row, RuleRow):
            known[row.rule, int(row.version)] = to_rule(row)


def _revision() -> int:
    row = read_index()
    return row.revision if row is not None else 0


def _first(row: Mapping[str, str]) -> Rule:
    def cap(name: str) -> int | None:
        return int(row[name]) if row[name] else None

    return Rule(
        rule=row["rule"],
        version=FIRST,
        points=int(row["points"]),
        urgent_bonus=int(row["urgent_bonus"]),
        per_day=cap("per_day"),
        per_week=cap("per_week"),
        per_month=cap("per_month"),
        counts=row["counts"] == "yes",
        cap_group=row["cap_group"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
    )
