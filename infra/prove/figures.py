"""A figure of ``make prove``: its value, and what it is held to."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

Show = Callable[[str], None]
"""Says on one line of the terminal how far a part has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the file: a figure and what it is held to."""

    name: str
    value: float
    unit: str
    budget: float
    ok: bool


class CutShort(KeyboardInterrupt):
    """Ctrl-C within a part; ``figures`` are what had been measured by then."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        self.figures = tuple(figures)
        super().__init__()


def at_least(name: str, value: float, unit: str, budget: float) -> Figure:
    """A figure that must reach its budget."""
    return Figure(name=name, value=value, unit=unit, budget=budget, ok=value >= budget)


def at_most(name: str, value: float, unit: str, budget: float) -> Figure:
    """A figure that must stay within its budget."""
    return Figure(name=name, value=value, unit=unit, budget=budget, ok=value <= budget)


def write(figures: Sequence[Figure], path: Path) -> None:
    """Write the file that ``make prove`` leaves."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"figures": [asdict(figure) for figure in figures]}
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def complain(lines: Sequence[str], limit: int = 20) -> None:
    """Print what was violated, the first of it."""
    print(file=sys.stderr)
    for line in lines[:limit]:
        print(f"✗ {line}", file=sys.stderr)
    if len(lines) > limit:
        print(f"✗ … {len(lines) - limit} more", file=sys.stderr)


def progress() -> Show:
    """A line on the terminal that is written over, with the seconds since it began."""
    started = time.monotonic()

    def show(text: str) -> None:
        line = f"{time.monotonic() - started:4.0f} s  {text}"
        print(f"\r{line:<70}", end="", file=sys.stderr, flush=True)

    return show
