"""Reads the texts of expressions into trees; each text once, for it comes again and again.

A tree is nested tuples: ``("AND", a, b)``, ``("=", operand, operand)``, ``("path", parts)``,
``("value", ":0")``. A path's parts are names and list positions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from infra.prove.fake.values import Value, Wrong, clean

Node = tuple[Any, ...]
Path = tuple[str | int, ...]

_TOKEN = re.compile(r"\s*(<>|<=|>=|[=<>()+\-,.\[\]]|[#:]?\w+)")
_COMPARATORS = frozenset({"=", "<>", "<", "<=", ">", ">="})
_TESTS: Mapping[str, int] = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
}
_SECTIONS = frozenset({"SET", "REMOVE", "ADD", "DELETE"})
_KEYWORDS = _SECTIONS | {"AND", "OR", "NOT", "BETWEEN", "IN"}


class Update:
    """An update's sections, in the order of their application."""

    __slots__ = ("add", "delete", "remove", "set")

    def __init__(self) -> None:
        self.set: list[tuple[Path, Node]] = []
        self.remove: list[Path] = []
        self.add: list[tuple[Path, Node]] = []
        self.delete: list[tuple[Path, Node]] = []

    def paths(self) -> list[Path]:
        """Every path that is written."""
        pairs = (*self.set, *self.add, *self.delete)
        return [*(path for path, _ in pairs), *self.remove]


Names = tuple[tuple[str, str], ...]
"""What the ``#`` placeholders stand for, as a key of the caches."""


def frozen(names: Mapping[str, str] | None) -> Names:
    """The placeholders of a request as a key."""
    return tuple(names.items()) if names else ()


def bound(request: Mapping[str, Any]) -> dict[str, Value]:
    """The values of a request by their placeholders. Raises ``Wrong``."""
    values = request.get("ExpressionAttributeValues")
    return {name: clean(value) for name, value in values.items()} if values else {}


def check_used(names: Names, values: Mapping[str, Value], used: Iterable[frozenset[str]]) -> None:
    """Each placeholder must be used, and each that is used be given. Raises ``Wrong``."""
    together = frozenset[str]().union(*used)
    if len(together) != len(names) + len(values):
        raise Wrong("a placeholder is unused, or is not defined")


@cache
def condition(text: str, names: Names) -> tuple[Node, frozenset[str]]:
    """A condition's tree, and the placeholders it uses. Raises ``Wrong``."""
    reader = _Reader(text, dict(names))
    tree = reader.either()
    reader.end()
    return tree, frozenset(reader.used)


@cache
def update(text: str, names: Names) -> tuple[Update, frozenset[str]]:
    """An update's sections, and the placeholders it uses. Raises ``Wrong``."""
    reader = _Reader(text, dict(names))
    sections = reader.sections()
    reader.end()
    _check_apart(sections.paths())
    return sections, frozenset(reader.used)


@cache
def projection(text: str, names: Names) -> tuple[tuple[Path, ...], frozenset[str]]:
    """The paths of a projection, and the placeholders it uses. Raises ``Wrong``."""
    reader = _Reader(text, dict(names))
    paths = reader.listed(reader.path)
    reader.end()
    _check_apart(paths)
    return tuple(paths), frozenset(reader.used)


def _check_apart(paths: list[Path]) -> None:
    """No path may lie within another."""
    for index, one in enumerate(paths):
        for other in paths[index + 1 :]:
            shorter = min(len(one), len(other))
            if one[:shorter] == other[:shorter]:
                raise Wrong("two document paths overlap with each other")


class _Reader:
    """One text, read from left to right."""

    def __init__(self, text: str, names: Mapping[str, str]) -> None:
        self.used: set[str] = set()
        self._names = names
        self._tokens = _tokens(text)
        self._at = 0

    def end(self) -> None:
        if self._peek():
            raise Wrong(f"syntax error near {self._peek()!r}")

    def either(self) -> Node:
        tree = self._both()
        while self._took("OR"):
            tree = ("OR", tree, self._both())
        return tree

    def listed(self, read: Callable[[], Any]) -> list[Any]:
        found = [read()]
        while self._took(","):
            found.append(read())
        return found

    def path(self) -> Path:
        parts: list[str | int] = [self._name()]
        while self._peek() in (".", "["):
            if self._took("."):
                parts.append(self._name())
            else:
                self._need("[")
                position = self._next()
                if not position.isdigit():
                    raise Wrong(f"syntax error near {position!r}")
                parts.append(int(position))
                self._need("]")
        return tuple(parts)

    def sections(self) -> Update:
        found, seen = Update(), set()
        while self._peek():
            section = self._next().upper()
            if section not in _SECTIONS or section in seen:
                raise Wrong(f"syntax error near {section!r}")
            seen.add(section)
            if section == "REMOVE":
                found.remove = self.listed(self.path)
            elif section == "SET":
                found.set = self.listed(self._assignment)
            else:
                setattr(found, section.lower(), self.listed(self._counted))
        if not seen:
            raise Wrong("the expression can not be empty")
        return found

    def _both(self) -> Node:
        tree = self._negated()
        while self._took("AND"):
            tree = ("AND", tree, self._negated())
        return tree

    def _negated(self) -> Node:
        if self._took("NOT"):
            return ("NOT", self._negated())
        if self._took("("):
            tree = self.either()
            self._need(")")
            return tree
        return self._test()

    def _test(self) -> Node:
        name = self._peek()
        if name in _TESTS and self._peek(1) == "(":
            self._at += 1
            return (name, *self._arguments(_TESTS[name]))
        left = self._operand()
        if self._took("BETWEEN"):
            low = self._operand()
            self._need("AND")
            return ("BETWEEN", left, low, self._operand())
        if self._took("IN"):
            self._need("(")
            members = self.listed(self._operand)
            self._need(")")
            return ("IN", left, *members)
        comparator = self._next()
        if comparator not in _COMPARATORS:
            raise Wrong(f"syntax error near {comparator!r}")
        return (comparator, left, self._operand())

    def _arguments(self, count: int) -> list[Node]:
        self._need("(")
        found = self.listed(self._operand)
        self._need(")")
        if len(found) != count:
            raise Wrong("incorrect number of operands")
        return found

    def _operand(self) -> Node:
        token = self._peek()
        if token.startswith(":"):
            self.used.add(self._next())
            return ("value", token)
        if self._peek(1) == "(" and token in ("size", "if_not_exists", "list_append"):
            self._at += 1
            return (token, *self._arguments(1 if token == "size" else 2))
        return ("path", self.path())

    def _assignment(self) -> tuple[Path, Node]:
        path = self.path()
        self._need("=")
        tree = self._operand()
        sign = self._peek()
        if sign in ("+", "-"):
            self._at += 1
            tree = (sign, tree, self._operand())
        return path, tree

    def _counted(self) -> tuple[Path, Node]:
        return self.path(), self._operand()

    def _name(self) -> str:
        token = self._next()
        if token.startswith("#"):
            self.used.add(token)
            if token not in self._names:
                raise Wrong(f"an attribute name is not defined: {token}")
            return self._names[token]
        if not token.isidentifier() or token.upper() in _KEYWORDS:
            raise Wrong(f"syntax error near {token!r}")
        return token

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _took(self, token: str) -> bool:
        if self._peek().upper() == token:
            self._at += 1
            return True
        return False

    def _need(self, token: str) -> None:
        if not self._took(token):
            raise Wrong(f"syntax error near {self._peek()!r}")


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise Wrong(f"syntax error near {text[at : at + 10]!r}")
        found.append(match[1])
        at = match.end()
    return found
