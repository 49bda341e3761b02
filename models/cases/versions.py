"""Versions of the categories: which is in force when, and how a case remembers its own.

A county's list is the city's with the county's sheet laid over it. A case remembers both in one
label: ``3`` is the city's third version, ``3+411503.2`` the same with a county's second sheet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

CITY = "city"
FIRST = 1
"""The city's first version is the list that comes with the code."""

Key = tuple[str, int]
"""Scope (``city`` or a county's code) and version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A version of one scope, and from when on it holds."""

    version: int
    effective_from: datetime
    sha256: str


Published = Mapping[str, Sequence[Publication]]
"""Each scope's versions, oldest first."""


def in_force(published: Published, scope: str, now: datetime) -> int:
    """The version of a scope that holds now; 0 where a county has none.

    Whatever was published last wins as soon as it is effective: an earlier one that was meant for a
    later day is then void.
    """
    held = [one.version for one in published.get(scope, ()) if one.effective_from <= now]
    return max(held, default=FIRST if scope == CITY else 0)


def standing(published: Published, scope: str, now: datetime) -> list[Publication]:
    """The versions of a scope that hold now or may hold later."""
    current = in_force(published, scope, now)
    return [one for one in published.get(scope, ()) if one.version >= current]


def label(published: Published, county: str | None, now: datetime) -> str:
    """What a case filed in a county now remembers."""
    city = str(in_force(published, CITY, now))
    own = in_force(published, county, now) if county is not None else 0
    return f"{city}+{county}.{own}" if own else city


def label_of_all(published: Published, now: datetime) -> str:
    """What changes whenever the list of any county does."""
    counties = sorted(scope for scope in published if scope != CITY)
    held = [(county, in_force(published, county, now)) for county in counties]
    parts = [f"{county}.{version}" for county, version in held if version]
    return "+".join([str(in_force(published, CITY, now)), *parts])


def keys_of(label: str) -> tuple[Key, Key | None]:
    """The two sheets that a label names: the city's, and the county's if there is one.

    >>> keys_of("3+411503.2")
    (('city', 3), ('411503', 2))
    """
    city, _, own = label.partition("+")
    county, _, version = own.partition(".")
    return (CITY, int(city)), (county, int(version)) if own else None
