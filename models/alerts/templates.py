"""A template as an account was granted it: its id, and the account's own keys of our fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from models.alerts.entities import Template
from models.alerts.messages import FIELDS

_KEY = re.compile(r"([a-z_]+?)(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """``keys`` has the account's key of each field of ours that is numbered differently there."""

    template_id: str
    keys: Mapping[str, str]


def granted(template: Template, text: str) -> Granted:
    """Read a setting: the id, then ``ours=theirs`` for each field whose key differs.

    Raises ``ValueError`` for a field that the template does not have, a key of another type (its
    limits would be others), and two fields of one key.

    >>> granted(Template.DIGEST, "tmpl-1 thing2=thing12").keys
    {'thing2': 'thing12'}
    """
    template_id, *pairs = text.split() or [""]
    keys = dict(_pair(template, pair) for pair in pairs)
    theirs = [keys.get(ours, ours) for ours in FIELDS[template]]
    twice = sorted({key for key in theirs if theirs.count(key) > 1})
    if twice:
        raise ValueError(f"two fields are {', '.join(twice)}")
    return Granted(template_id=template_id, keys=keys)


def _pair(template: Template, pair: str) -> tuple[str, str]:
    ours, _, theirs = pair.partition("=")
    if ours not in FIELDS[template]:
        raise ValueError(f"{template.value} has no field {ours!r}")
    if _type_of(theirs) != _type_of(ours):
        raise ValueError(f"{theirs!r} is no field of the type of {ours}")
    return ours, theirs


def _type_of(key: str) -> str | None:
    matched = _KEY.fullmatch(key)
    return matched.group(1) if matched else None
