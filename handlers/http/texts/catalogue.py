"""Finds the text for a code. Every capability keeps its texts in a module beside this one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Any

import handlers.http.texts as package


@cache
def texts() -> Mapping[str, tuple[str, str]]:
    """All texts by code: (Chinese, English). Two modules never say the same code differently."""
    collected: dict[str, tuple[str, str]] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        found = getattr(importlib.import_module(f"{package.__name__}.{module}"), "TEXTS", {})
        for code, text in found.items():
            if collected.setdefault(code, text) != text:
                raise ValueError(f"{code} has two texts")
    return collected


def language_of(accept_language: str | None) -> str:
    """``en`` when the client prefers it, else ``zh``."""
    first = (accept_language or "").split(",")[0].strip().lower()
    return "en" if first.startswith("en") else "zh"


def text(code: str, language: str, details: Mapping[str, Any] | None = None) -> str:
    """The text for ``code``; a code without one says that it is unknown rather than nothing."""
    zh, en = texts().get(code, (code, code))
    chosen = en if language == "en" else zh
    return chosen.format_map(_Known(details or {}))


class _Known(dict[str, Any]):
    """Leaves a place empty when its value is not among the details."""

    def __missing__(self, key: str) -> str:
        return ""
