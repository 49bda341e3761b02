"""The README says what the product has, alike in both languages."""

from __future__ import annotations

import re

import pytest
from app import app

from tests.support.source import ROOT

BOTH = ("README.md", "README.zh-CN.md")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def functions(name: str) -> list[tuple[str, str]]:
    """The table of functions: each with when it runs."""
    sections = re.split(r"^## ", read(name), flags=re.MULTILINE)
    table = next(part for part in sections if part.startswith(("Functions", "函数")))
    return re.findall(r"^\| `(\w+)` \| ([^|]+) \|", table, flags=re.MULTILINE)


def skeleton(name: str) -> list[str]:
    """The levels of headings and the first cells of tables that are code, in order."""
    found = re.findall(r"^(#+) |^\| (`[^`]+`)", read(name), flags=re.MULTILINE)
    return [level or cell for level, cell in found]


@pytest.mark.parametrize("name", BOTH)
def test_the_readme_has_every_function_and_no_other(name: str) -> None:
    registered = [each.name for each in (*app.pure_lambda_functions, *app.event_sources)]

    assert sorted(key for key, _ in functions(name)) == sorted(registered)


@pytest.mark.parametrize("name", BOTH)
def test_the_readme_says_how_often_a_schedule_runs(name: str) -> None:
    rates = {
        each.name: f"`{each.schedule_expression.to_string()}`"
        for each in app.event_sources
        if hasattr(each, "schedule_expression")
    }

    said = {key: when for key, when in functions(name) if re.search(r"\b(rate|cron)\(", when)}

    assert rates
    assert said == rates


def test_both_languages_have_the_same_sections_and_tables() -> None:
    english, chinese = (skeleton(name) for name in BOTH)

    assert english == chinese
