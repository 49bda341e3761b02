"""Entities and rules are pure: they can be read, tested and trusted by themselves."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

import pytest

from tests.support import source

PURE = re.compile(r"models/\w+/(\w+_)?(entities|rules)\.py")
ALLOWED = re.compile(
    r"models\.base\.(errors|ids|geometry|clock)\b|models\.\w+\.(\w+_)?(entities|rules)\b"
)
IMPURE = {"os", "random", "secrets", "socket", "time", "urllib", "logging", "pathlib"}
MODULES = {path: tree for path, tree in source.modules().items() if PURE.fullmatch(path)}


def imported(tree: ast.Module) -> Iterator[str]:
    """Everything imported, at whatever depth: ``module`` or ``module.name``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES)
def test_a_pure_module_imports_the_standard_library_and_other_pure_modules_only(path: str) -> None:
    foreign = {
        name
        for name in imported(MODULES[path])
        if name.split(".")[0] not in sys.stdlib_module_names and not ALLOWED.match(name)
    }

    assert foreign == set()


@pytest.mark.parametrize("path", MODULES)
def test_a_pure_module_reads_neither_clock_nor_chance_nor_environment(path: str) -> None:
    reached = {name for name in imported(MODULES[path]) if name.split(".")[0] in IMPURE}

    assert reached == set()


def test_every_capability_keeps_its_decisions_in_rules() -> None:
    assert len(MODULES) >= 10
