"""Attribute values as they travel: ``{"S": "x"}``, written in one way only so that ``==`` compares.

Numbers are exact to 38 digits and lose what does not count (``1.0`` is ``1``), sets are sorted.
Nothing in a value is ever changed in place: a change makes new dictionaries along its path, so
rows may be handed out without copying them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal, DecimalException
from typing import Any

Value = dict[str, Any]
Item = dict[str, Value]

SETS = frozenset({"SS", "NS", "BS"})
ORDERED = frozenset({"S", "N", "B"})
_EXACT = Context(prec=38)
_LARGEST = Decimal("9.9999999999999999999999999999999999999E+125")
_SMALLEST = Decimal("1E-130")


class Wrong(Exception):
    """What DynamoDB calls a ValidationException; in a transaction it is one write's reason."""


class Malformed(Wrong):
    """Wrong in itself, whatever stands in the tables: of a transaction too nothing is tried."""


def clean(value: Mapping[str, Any]) -> Value:
    """A value in the one way it is written. Raises ``Wrong``."""
    ((kind, content),) = value.items()
    if kind in ("S", "B", "BOOL", "NULL"):
        return {kind: content}
    if kind == "N":
        return {"N": written(number(content))}
    if kind == "L":
        return {"L": [clean(one) for one in content]}
    if kind == "M":
        return {"M": {name: clean(one) for name, one in content.items()}}
    if kind in SETS:
        return {kind: _clean_set(kind, content)}
    raise Wrong(f"no such type: {kind}")


def _clean_set(kind: str, content: Any) -> list[Any]:
    if not content:
        raise Wrong("an empty set")
    members = [written(number(one)) for one in content] if kind == "NS" else list(content)
    if len(set(members)) != len(members):
        raise Wrong("a set with duplicates")
    return sorted(members)


def clean_item(item: Mapping[str, Mapping[str, Any]]) -> Item:
    """A whole row in the one way it is written. Raises ``Wrong``."""
    return {name: clean(value) for name, value in item.items()}


def number(text: str) -> int | Decimal:
    """The number a text stands for: an ``int`` where it can be one."""
    if text.isdigit() and text.isascii() and len(text) <= 38:
        return int(text)
    try:
        exact = Decimal(text)
        if not exact.is_finite() or len(exact.normalize(Context(prec=200)).as_tuple().digits) > 38:
            raise Wrong(f"not a number of 38 digits: {text[:50]}")
    except DecimalException:
        raise Wrong(f"not a number: {text[:50]}") from None
    if exact and not _SMALLEST <= abs(exact) <= _LARGEST:
        raise Wrong(f"a number out of range: {text[:50]}")
    return int(exact) if exact == exact.to_integral_value() else exact


def written(value: int | Decimal) -> str:
    """A number as DynamoDB writes it: no exponent, no zeros at the end."""
    if type(value) is int:
        return str(value)
    return format(Decimal(value).normalize(_EXACT), "f")


def plus(left: Value, right: Value, sign: int = 1) -> Value:
    """Add two numbers exactly, or subtract. Raises ``Wrong`` for anything else."""
    if "N" not in left or "N" not in right:
        raise Wrong("an operand of the wrong type")
    a, b = number(left["N"]), number(right["N"])
    if type(a) is int and type(b) is int:
        total: int | Decimal = a + sign * b
    else:
        total = _EXACT.add(Decimal(a), sign * Decimal(b))
    return {"N": written(number(str(total)))}


def less(left: Value | None, right: Value | None) -> bool | None:
    """Whether ``left`` sorts before ``right``; None where they cannot be compared."""
    if left is None or right is None:
        return None
    ((kind, a),) = left.items()
    b = right.get(kind)
    if b is None or kind not in ORDERED:
        return None
    return bool(sort_key(kind, a) < sort_key(kind, b))


def sort_key(kind: str, content: Any) -> Any:
    """What a text, number or binary sorts by; texts by code point, which is UTF-8's order."""
    return number(content) if kind == "N" else content


def size(value: Value | None) -> Value | None:
    """What ``size()`` gives; None where it has no meaning."""
    if value is None:
        return None
    ((kind, content),) = value.items()
    if kind == "S":
        return {"N": str(len(content.encode("utf-16-le")) // 2)}
    if kind in SETS or kind in ("B", "L", "M"):
        return {"N": str(len(content))}
    return None


def contains(whole: Value | None, part: Value | None) -> bool:
    """What ``contains()`` gives: a text within a text, or a member of a set or list."""
    if whole is None or part is None:
        return False
    ((kind, content),) = whole.items()
    if kind == "L":
        return part in content
    ((part_kind, one),) = part.items()
    if kind in ("S", "B"):
        return part_kind == kind and one in content
    return kind in SETS and part_kind == kind[0] and one in content
