"""Every example in a docstring is true."""

from __future__ import annotations

import ast
import doctest
import importlib

import pytest

from tests.support import source

WITH_EXAMPLES = [
    path.removesuffix(".py").replace("/", ".")
    for path, tree in source.modules().items()
    if path != "chalice_app/app.py"
    for node in [tree, *ast.walk(tree)]
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    and ">>>" in (ast.get_docstring(node) or "")
]


@pytest.mark.parametrize("name", sorted(set(WITH_EXAMPLES)))
def test_the_examples_of_a_module_are_true(name: str) -> None:
    tried = doctest.testmod(importlib.import_module(name))

    assert tried.attempted > 0
    assert tried.failed == 0
