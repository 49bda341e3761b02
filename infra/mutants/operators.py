"""What can be written wrongly: each way to change one thing in a module's syntax tree.

The operators are those of mutation testing in general (a boundary, a sign, a lost ``not``, a lost
statement), and two of our own: a guard that guards nothing, and a write without its condition.
What only types, documents or logs is left as it is.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_NAMED = {"min": "max", "max": "min", "any": "all", "all": "any"}
_CONDITION_AT = {"update": 3, "put": 2, "delete": 2, "update_if": 2}
"""Where the condition stands among the arguments of a write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change: where (``function`` is empty at the module's level), from what, to what.

    ``turn`` tells apart equal changes in one function; ``number`` is its place in the module.
    """

    module: str
    function: str
    line: int
    before: str
    after: str
    turn: int
    number: int

    @property
    def name(self) -> str:
        """What it is called in the list of survivors; it outlives a shift of lines."""
        turn = f" #{self.turn}" if self.turn > 1 else ""
        return f"{self.module} {self.function or 'module'}: {self.before} → {self.after}{turn}"


def mutants(module: str, source: str) -> list[Mutant]:
    """Every mutant of a module, in the order of the text."""
    walk = _Walk(wanted=None)
    walk.visit(ast.parse(source))
    found, turns = [], Counter[tuple[str, str, str]]()
    for number, (function, line, before, after) in enumerate(walk.offered):
        turns[function, before, after] += 1
        turn = turns[function, before, after]
        found.append(
            Mutant(
                module=module,
                function=function,
                line=line,
                before=before,
                after=after,
                turn=turn,
                number=number,
            )
        )
    return found


def mutated(source: str, number: int) -> ast.Module:
    """The module's tree with one mutant in it; lines are as they were."""
    walk = _Walk(wanted=number)
    tree: ast.Module = walk.visit(ast.parse(source))
    return ast.fix_missing_locations(tree)


def function_source(source: str, mutant: Mutant) -> str:
    """The text of the outermost function or class that a mutant is in; all for the module."""
    for node in ast.parse(source).body:
        if getattr(node, "name", None) == mutant.function.partition(".")[0] != "":
            return ast.get_source_segment(source, node) or source
    return source


def function_lines(source: str, mutant: Mutant) -> frozenset[int]:
    """The lines of the innermost function that a mutant is in; none for the module's own."""
    names = mutant.function.split(".")
    body: list[Any] = ast.parse(source).body
    node: Any = None
    for name in names:
        node = next((one for one in body if getattr(one, "name", None) == name), None)
        if node is None:
            return frozenset()
        body = node.body
    if isinstance(node, ast.ClassDef):
        return frozenset()
    return frozenset(range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1))


class _Walk(ast.NodeTransformer):
    """Goes through a tree, offers each change, and makes the one that is wanted."""

    def __init__(self, wanted: int | None) -> None:
        self._wanted = wanted
        self._where: list[str] = []
        self._statement: ast.stmt | None = None
        self.offered: list[tuple[str, int, str, str]] = []

    def _offer(self, node: Any, *changes: Any) -> Any:
        """Offer each change of a node; answer what stands there now."""
        result = node
        for change in changes:
            if len(self.offered) == self._wanted:
                result = ast.copy_location(change, node)
            before = _text(node)
            if isinstance(node, ast.Constant) and self._statement is not None:
                before = f"{_text(self._statement)}: {before}"
            entry = (".".join(self._where), node.lineno, before, _text(change))
            self.offered.append(entry)
        return result

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.stmt):
            self._statement = node
        return super().visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        return self._inside(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        return self._inside(node)

    def _inside(self, node: ast.FunctionDef | ast.ClassDef) -> Any:
        """Bodies and defaults; not annotations, decorators and docstrings."""
        self._where.append(node.name)
        if isinstance(node, ast.FunctionDef):
            node.args.defaults = [self.visit(default) for default in node.args.defaults]
            node.args.kw_defaults = [
                default and self.visit(default) for default in node.args.kw_defaults
            ]
        node.body = [self.visit(statement) for statement in node.body]
        self._where.pop()
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        if node.value is not None and "TypeAlias" not in ast.unparse(node.annotation):
            node.value = self.visit(node.value)
        return node

    def visit_Assert(self, node: ast.Assert) -> Any:
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> Any:
        return node

    def visit_Expr(self, node: ast.Expr) -> Any:
        if isinstance(node.value, ast.Constant) or _is_log(node.value):
            return node
        self.generic_visit(node)
        return self._offer(node, ast.Pass()) if isinstance(node.value, ast.Call) else node

    def visit_Raise(self, node: ast.Raise) -> Any:
        self.generic_visit(node)
        return self._offer(node, ast.Pass())

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        self.generic_visit(node)
        return self._offer(node, ast.Pass())

    def visit_Continue(self, node: ast.Continue) -> Any:
        return self._offer(node, ast.Break())

    def visit_Break(self, node: ast.Break) -> Any:
        return self._offer(node, ast.Continue())

    def visit_If(self, node: ast.If) -> Any:
        return self._tested(node)

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        return self._tested(node)

    def visit_While(self, node: ast.While) -> Any:
        return self._tested(node)

    def _tested(self, node: Any) -> Any:
        """A test that is no comparison has no operator of its own to change: it is negated."""
        self.generic_visit(node)
        node.test = self._negated(node.test)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> Any:
        self.generic_visit(node)
        node.ifs = [self._negated(test) for test in node.ifs]
        return node

    def _negated(self, test: ast.expr) -> Any:
        if isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
            return test
        return self._offer(test, ast.UnaryOp(op=ast.Not(), operand=test))

    def visit_Compare(self, node: ast.Compare) -> Any:
        self.generic_visit(node)
        others = []
        for at, operator in enumerate(node.ops):
            other = copy.copy(node)
            other.ops = [*node.ops[:at], _COMPARED[type(operator)](), *node.ops[at + 1 :]]
            others.append(other)
        return self._offer(node, *others)

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        self.generic_visit(node)
        other = copy.copy(node)
        other.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return self._offer(node, other)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not | ast.USub):
            return self._offer(node, node.operand)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        self.generic_visit(node)
        if type(node.op) not in _COUNTED or _is_text(node.left) or _is_text(node.right):
            return node
        other = copy.copy(node)
        other.op = _COUNTED[type(node.op)]()
        return self._offer(node, other)

    def visit_Constant(self, node: ast.Constant) -> Any:
        if isinstance(node.value, bool):
            return self._offer(node, ast.Constant(value=not node.value))
        if isinstance(node.value, int):
            return self._offer(node, ast.Constant(value=node.value + 1))
        return node

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        return self._offer(node, *_calls(node))


def _calls(node: ast.Call) -> Iterator[ast.Call]:
    """A call with another name, or without its condition."""
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if isinstance(function, ast.Name) and name in _NAMED:
        yield _changed(node, func=ast.copy_location(ast.Name(_NAMED[name], ast.Load()), function))
    if isinstance(function, ast.Attribute) and name == "guard":
        put = ast.copy_location(ast.Attribute(function.value, "put", ast.Load()), function)
        yield _changed(node, func=put)
    at = _CONDITION_AT.get(name)
    if at is not None and len(node.args) > at and name != "update_if":
        yield _changed(node, args=node.args[:at])
    if any(keyword.arg == "condition" for keyword in node.keywords) and name != "check":
        kept = [keyword for keyword in node.keywords if keyword.arg != "condition"]
        yield _changed(node, keywords=kept)


def _changed(node: ast.Call, **changes: Any) -> ast.Call:
    other = copy.copy(node)
    for name, value in changes.items():
        setattr(other, name, value)
    return other


def _is_log(node: ast.expr) -> bool:
    """A call of ``log.…``, or of ``_note``, which is what modules call their own way to it."""
    function = getattr(node, "func", None)
    if isinstance(function, ast.Name):
        return function.id == "_note"
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "log"
    )


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _text(node: ast.AST) -> str:
    """A node on one line, as it is shown."""
    head = copy.copy(node)
    if isinstance(head, ast.If | ast.For | ast.While | ast.With | ast.Try):
        head.body = [ast.Pass()]
        if not isinstance(head, ast.With):
            head.orelse = []
    text = " ".join(ast.unparse(ast.fix_missing_locations(copy.deepcopy(head))).split())
    return text if len(text) <= 90 else f"{text[:60]}…{text[-29:]}"
