"""Whatever can be answered has a text in Chinese and in English, and no text is left over."""

from __future__ import annotations

import ast
import re
import string

import pytest

from handlers.http.texts.catalogue import language_of, text, texts
from models.base.errors import DomainError
from tests.support import source

DOTTED = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
GATEWAY = ast.parse((source.ROOT / "infra/local/server.py").read_text(encoding="utf-8"))
"""Answers what never reaches the app, as the API's gateway responses do on AWS."""
HAN = re.compile(r"[\u4e00-\u9fff]")


def error_classes() -> set[str]:
    """The names of all errors, and of the part of an error that is about one field."""
    bases = {"FieldError", "DomainError", *(kind.__name__ for kind in DomainError.__subclasses__())}
    for tree in source.modules().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                named = {base.id for base in node.bases if isinstance(base, ast.Name)}
                if named & bases:
                    bases.add(node.name)
    return bases


def raised_codes() -> dict[str, str]:
    """Every code that a request may be refused with, and one module that does so.

    Codes stand as an error's first argument, as its ``code=``, as a class's ``code``, or are what
    a pure decision returns.
    """
    errors = error_classes()
    found: dict[str, str] = {}
    for path, tree in source.modules().items():
        for name, call in source.calls(tree):
            said = [word.value for word in call.keywords if word.arg == "code"]
            for part in [*call.args[:1], *said] if name in errors else ():
                found |= dict.fromkeys(filter(DOTTED.fullmatch, source.strings(part)), path)
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name in errors:
                for line in node.body:
                    if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "code":
                        found |= dict.fromkeys(source.strings(line.value), path)
            if (
                isinstance(node, ast.Return)
                and node.value
                and path.endswith(("rules.py", "workflow.py"))
            ):
                found |= dict.fromkeys(filter(DOTTED.fullmatch, source.strings(node.value)), path)
    found.pop("error", None)  # the tree's root, which nobody raises
    return found


RAISED = raised_codes()


@pytest.mark.parametrize("code", sorted(RAISED))
def test_every_error_has_its_text(code: str) -> None:
    has_text = code in texts()

    assert has_text, f"{RAISED[code]} raises {code}"


@pytest.mark.parametrize("code", sorted(texts()))
def test_every_text_is_chinese_and_english_and_fills_the_same_places(code: str) -> None:
    zh, en = texts()[code]

    assert HAN.search(zh)
    assert en.strip()
    assert not HAN.search(en)
    places = [
        {name for _, name, _, _ in string.Formatter().parse(part) if name} for part in (zh, en)
    ]
    assert places[0] == places[1]


def test_no_text_is_left_over() -> None:
    used = source.strings(GATEWAY)
    begun: set[str] = set()
    for path, tree in source.modules().items():
        if "/texts/" not in path:
            used |= source.strings(tree)
            begun |= {prefix for prefix in source.prefixes(tree) if "." in prefix}

    left_over = {
        code
        for code in texts()
        if code not in used and not any(code.startswith(prefix) for prefix in begun)
    }

    assert left_over == set()


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "zh"),
        ("", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("EN-us", "en"),
        ("fr", "zh"),
    ],
)
def test_the_first_preferred_language_decides_and_chinese_is_the_default(
    header: str | None, language: str
) -> None:
    assert language_of(header) == language


def test_a_text_is_filled_from_the_details_and_a_missing_one_leaves_its_place_empty() -> None:
    assert text("field.too_long", "zh", {"limit": 200}) == "超出长度上限 200"
    assert text("field.too_long", "en") == "Longer than "


def test_a_code_without_a_text_shows_itself() -> None:
    assert text("no.such_code", "zh") == "no.such_code"
