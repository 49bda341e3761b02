"""Log lines name an event and its facts, never a person.

A ``member_id`` is a pseudonym made with a key, so it may stand there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.support import source

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
EVENT = re.compile(r"[a-z_]+(\.[a-z_]+)+")
PERSONAL = re.compile(
    r"openid|unionid|union_key|phone|token|secret|session_key|password|"
    r"url|body|text$|name$|nickname|photo_?s?$|lon$|lat$",
)
RESERVED = {"name", "args", "msg", "message", "module", "filename", "process", "thread"}


def log_lines() -> Iterator[tuple[str, ast.Call]]:
    for path, tree in source.modules().items():
        for name, call in source.calls(tree):
            owner = ast.unparse(call.func).rpartition(".")[0]
            if name in LEVELS and owner in {"log", "logger", "logging"}:
                yield f"{path}:{call.lineno}", call


LINES = dict(log_lines())


def test_something_is_logged() -> None:
    assert LINES


@pytest.mark.parametrize("place", LINES)
def test_a_log_line_is_a_constant_event_name(place: str) -> None:
    line = LINES[place]

    assert len(line.args) == 1
    assert isinstance(line.args[0], ast.Constant)
    assert EVENT.fullmatch(line.args[0].value)


@pytest.mark.parametrize("place", LINES)
def test_a_log_lines_facts_are_not_about_a_person(place: str) -> None:
    facts = {
        key.value
        for word in LINES[place].keywords
        if word.arg == "extra" and isinstance(word.value, ast.Dict)
        for key in word.value.keys
        if isinstance(key, ast.Constant)
    }

    assert {fact for fact in facts if PERSONAL.search(fact)} == set()
    assert facts & RESERVED == set()
    assert {word.arg for word in LINES[place].keywords} <= {"extra", "exc_info"}


def test_nothing_is_printed_by_what_is_deployed() -> None:
    printed = [
        f"{path}:{call.lineno}"
        for path, tree in source.modules().items()
        for name, call in source.calls(tree)
        if name == "print"
    ]

    assert printed == []


def test_only_the_clock_reads_the_time() -> None:
    read = [
        f"{path}:{call.lineno}"
        for path, tree in source.modules().items()
        if path != "models/base/clock.py"
        for _, call in source.calls(tree)
        if re.fullmatch(
            r"(datetime\.)?(datetime|date)\.(now|utcnow|today)|time\.time", ast.unparse(call.func)
        )
    ]

    assert read == []
