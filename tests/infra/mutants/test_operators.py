"""Each way to change one thing is offered, one at a time, and what is only said is left alone."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from infra.mutants import targets
from infra.mutants.mutants import ROOT
from infra.mutants.operators import function_lines, function_source, mutants, mutated


def _after(source: str) -> list[str]:
    """The source with each mutant in it, as text."""
    text = dedent(source)
    return [ast.unparse(mutated(text, one.number)) for one in mutants("m.py", text)]


@pytest.mark.parametrize(
    ("source", "after"),
    [
        ("a < b", ["a <= b"]),
        ("a == b", ["a != b"]),
        ("a < b <= c", ["a <= b <= c", "a < b < c"]),
        ("a in b", ["a not in b"]),
        ("x = a and b", ["x = a or b"]),
        ("x = not a", ["x = a"]),
        ("x = a - b", ["x = a + b"]),
        ("x = -a", ["x = a"]),
        ("x = 7", ["x = 8"]),
        ("x = True", ["x = False"]),
        ("x += a", ["pass"]),
        ("raise E", ["pass"]),
        ("f(a)", ["pass"]),
        ("x = min(a)", ["x = max(a)"]),
        ("x = a if b else c", ["x = a if not b else c"]),
        ("x = [a for a in b if c]", ["x = [a for a in b if not c]"]),
    ],
)
def test_one_thing_is_changed(source: str, after: list[str]) -> None:
    assert _after(source) == after


def test_a_guard_that_guards_nothing_and_a_write_without_its_condition_are_offered() -> None:
    source = """
    tx.guard("redemption", row)
    tx.update("stock", row, changes, condition)
    done = update_if(row, changes, condition)
    """

    after = _after(source)

    assert any("tx.put('redemption', row)" in text for text in after)
    assert any("tx.update('stock', row, changes)\n" in text for text in after)


def test_documents_types_logs_and_assertions_are_left_alone() -> None:
    source = '''
    """A document of 7."""
    Legs: TypeAlias = Mapping[str, Literal[1]]

    @dataclass(frozen=True)
    class Row:
        """Another."""

        points: Annotated[int, 3]

    def f(a: Literal[1]) -> Literal[2]:
        """And a third."""
        assert a < 3
        log.info("done", extra={"n": 1})
        return f"{a:03d}"
    '''

    assert _after(source) == []


def test_equal_changes_of_one_function_have_names_of_their_own() -> None:
    found = mutants("m.py", "def f(a):\n    return g(a < 1) or h(a < 1)\n")

    names = [one.name for one in found]

    assert len(set(names)) == len(names)
    assert "m.py f: a < 1 → a <= 1 #2" in names


def test_a_mutant_knows_its_function_and_its_lines() -> None:
    source = "X = 1\n\n\nclass C:\n    def f(self):\n        if self:\n            return X < 2\n"
    (module, *_, last) = mutants("m.py", source)

    assert function_source(source, module) == source
    assert function_lines(source, module) == frozenset()
    assert function_source(source, last).startswith("class C")
    assert function_lines(source, last) == {6, 7}


@pytest.mark.parametrize("path", targets.modules())
def test_every_mutant_of_the_product_compiles(path: str) -> None:
    source = (ROOT / path).read_text(encoding="utf-8")
    found = mutants(path, source)

    assert len({one.name for one in found}) == len(found)
    for one in found[::7]:
        compile(mutated(source, one.number), path, "exec")
