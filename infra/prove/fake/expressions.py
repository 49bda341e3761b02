"""Judges conditions and applies updates: trees become functions, each tree once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

from infra.prove.fake import parsing
from infra.prove.fake.parsing import Names, Node, Path, Update
from infra.prove.fake.values import SETS, Item, Value, Wrong, contains, less, plus, size

Values = Mapping[str, Value]
Test = Callable[[Item, Values], bool]
Operand = Callable[[Item, Values], Value | None]


@cache
def test_of(text: str, names: Names) -> tuple[Test, frozenset[str]]:
    """A condition as a function of an item and the request's values; its placeholders."""
    tree, used = parsing.condition(text, names)
    return _test(tree), used


def _test(node: Node) -> Test:
    kind = node[0]
    if kind == "AND":
        first, second = _test(node[1]), _test(node[2])
        return lambda item, values: first(item, values) and second(item, values)
    if kind == "OR":
        first, second = _test(node[1]), _test(node[2])
        return lambda item, values: first(item, values) or second(item, values)
    if kind == "NOT":
        inner = _test(node[1])
        return lambda item, values: not inner(item, values)
    operands = [operand_of(one) for one in node[1:]]
    if kind == "IN":
        return lambda item, values: _is_in(*(one(item, values) for one in operands))
    judge = _JUDGES[kind]
    if len(operands) == 1:
        only = operands[0]
        return lambda item, values: judge(only(item, values))
    if len(operands) == 2:
        a, b = operands
        return lambda item, values: judge(a(item, values), b(item, values))
    return lambda item, values: judge(*(one(item, values) for one in operands))


def operand_of(node: Node) -> Operand:
    """An operand as a function: None where the item has no such attribute."""
    if node[0] == "value":
        return _value(node[1])
    if node[0] == "path":
        return _path(node[1])
    if node[0] == "size":
        inner = operand_of(node[1])
        return lambda item, values: size(inner(item, values))
    raise Wrong(f"{node[0]} can not stand in a condition")


def _value(name: str) -> Operand:
    def read(_: Item, values: Values) -> Value:
        try:
            return values[name]
        except KeyError:
            raise Wrong(f"an attribute value is not defined: {name}") from None

    return read


def _path(path: Path) -> Operand:
    if len(path) == 1:
        name: Any = path[0]
        return lambda item, _: item.get(name)
    return lambda item, _: find(item, path)


def find(item: Item, path: Path) -> Value | None:
    """The value at a document path; None where there is none."""
    value: Value | None = item.get(str(path[0]))
    for part in path[1:]:
        if value is None:
            return None
        if type(part) is int:
            members = value.get("L", ())
            value = members[part] if part < len(members) else None
        else:
            value = value.get("M", {}).get(part)
    return value


def _is_in(value: Value | None, *members: Value | None) -> bool:
    return value is not None and value in members


def _between(value: Value | None, low: Value | None, high: Value | None) -> bool:
    return less(value, low) is False and less(high, value) is False


def _begins(value: Value | None, prefix: Value | None) -> bool:
    if value is None or prefix is None:
        return False
    ((kind, content),) = value.items()
    return kind in ("S", "B") and kind in prefix and content.startswith(prefix[kind])


_JUDGES: Mapping[str, Callable[..., bool]] = {
    "=": lambda a, b: a is not None and a == b,
    "<>": lambda a, b: a is None or a != b,
    "<": lambda a, b: less(a, b) is True,
    "<=": lambda a, b: less(b, a) is False,
    ">": lambda a, b: less(b, a) is True,
    ">=": lambda a, b: less(a, b) is False,
    "BETWEEN": _between,
    "attribute_exists": lambda value: value is not None,
    "attribute_not_exists": lambda value: value is None,
    "attribute_type": lambda value, kind: value is not None and kind["S"] in value,
    "begins_with": _begins,
    "contains": contains,
}


def updated(item: Item, sections: Update, values: Values) -> Item:
    """The item after an update; every operand is read before anything is written.

    Raises ``Wrong`` for operands of the wrong type and for paths that lead nowhere.
    """
    writes = [(path, _result(node, item, values)) for path, node in sections.set]
    writes += [(path, _added(find(item, path), values[node[1]])) for path, node in sections.add]
    removals = list(sections.remove)
    for path, node in sections.delete:
        left = _reduced(find(item, path), values[node[1]])
        if left is None:
            removals.append(path)
        else:
            writes.append((path, left))
    after = dict(item)
    for path, value in writes:
        _write(after, path, value)
    for path in sorted(removals, key=_from_the_end, reverse=True):
        _write(after, path, None)
    return after


def _from_the_end(path: Path) -> int:
    """The last of a list's members goes first, so that positions mean what they meant."""
    return path[-1] if type(path[-1]) is int else -1


def _result(node: Node, item: Item, values: Values) -> Value:
    kind = node[0]
    if kind in ("+", "-"):
        left, right = _result(node[1], item, values), _result(node[2], item, values)
        return plus(left, right, 1 if kind == "+" else -1)
    if kind == "if_not_exists":
        there = find(item, node[1][1])
        return there if there is not None else _result(node[2], item, values)
    if kind == "list_append":
        first, second = _result(node[1], item, values), _result(node[2], item, values)
        if "L" not in first or "L" not in second:
            raise Wrong("an operand of the wrong type")
        return {"L": [*first["L"], *second["L"]]}
    value = operand_of(node)(item, values)
    if value is None:
        raise Wrong("the expression refers to an attribute that does not exist in the item")
    return value


def _added(there: Value | None, more: Value) -> Value:
    ((kind, content),) = more.items()
    if there is None:
        if kind != "N" and kind not in SETS:
            raise Wrong("an operand of the wrong type")
        return more
    if kind == "N":
        return plus(there, more)
    if kind not in SETS or kind not in there:
        raise Wrong("an operand of the wrong type")
    return {kind: sorted({*there[kind], *content})}


def _reduced(there: Value | None, less_of: Value) -> Value | None:
    """A set without some members; None where nothing is left, for sets are never empty."""
    ((kind, content),) = less_of.items()
    if kind not in SETS or (there is not None and kind not in there):
        raise Wrong("an operand of the wrong type")
    left = sorted(set(there[kind]) - set(content)) if there else []
    return {kind: left} if left else None


def _write(item: Item, path: Path, value: Value | None) -> None:
    """Write (or with None remove) at a path, copying what is changed on the way."""
    holder: Any = item
    for part, follower in pairwise(path):
        kind = "L" if type(follower) is int else "M"
        inner = _member(holder, part)
        if inner is None or kind not in inner:
            if value is None:
                return
            raise Wrong("the document path provided is invalid for update")
        copied = inner[kind].copy()
        holder[part] = {kind: copied}
        holder = copied
    last = path[-1]
    if value is None:
        if isinstance(holder, dict):
            holder.pop(last, None)
        elif last < len(holder):  # type: ignore[operator]
            del holder[last]
    elif isinstance(holder, list) and last >= len(holder):  # type: ignore[operator]
        holder.append(value)
    else:
        holder[last] = value


def _member(holder: Any, part: str | int) -> Any:
    if isinstance(holder, dict):
        return holder.get(part)
    return holder[part] if type(part) is int and part < len(holder) else None
