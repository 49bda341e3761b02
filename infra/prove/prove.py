"""``make prove``: what holds while parts die, as figures in ``build/prove.json``.

``SCALE`` sets the size; at 1 (the default) fifty parts are killed, and it takes under ten minutes.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.local.seed import plant
from infra.local.stack import ROOT, temporary_stack
from infra.prove.kills import VICTIMS, Diary, Storm
from infra.prove.losses import Findings, Search

KILLS = 50
SEED = 20260318
OUTPUT = ROOT / "build" / "prove.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the file: a figure and what it is held to."""

    name: str
    value: float
    unit: str
    budget: float
    ok: bool


def main() -> int:
    """Prove, write the figures, and answer 0 when all are within their budgets."""
    scale = float(os.environ.get("SCALE", "1"))
    kills = max(len(VICTIMS), round(KILLS * scale))
    started = time.monotonic()
    with temporary_stack() as stack:
        plant.in_stack(stack)
        storm = Storm(stack, kills=kills, seed=SEED)
        diary = storm.rage(lambda done: _show(started, f"{done}/{kills} kills", storm.diary))
        _show(started, "looking for losses", storm.diary)
        found = Search(stack, diary, storm.officer).findings()
    print(file=sys.stderr)
    for line in (*found.lost, *found.doubled):
        print(f"✗ {line}", file=sys.stderr)
    figures = figures_of(diary, found, kills=kills, seconds=time.monotonic() - started)
    write(figures, OUTPUT)
    for figure in figures:
        print(f"{'✓' if figure.ok else '✗'} {figure.name} {figure.value:g} {figure.unit}")
    return 0 if all(figure.ok for figure in figures) else 1


def figures_of(diary: Diary, found: Findings, *, kills: int, seconds: float) -> tuple[Figure, ...]:
    """The figures of a storm and of what was found after it."""
    reports = len(diary.sent)
    return (
        _at_least("kills.kills", diary.kills, "kills", kills),
        _at_least("kills.reports", reports, "reports", 1),
        _at_least("kills.photos", len({sent.upload_id for sent in diary.sent}), "photos", reports),
        _at_least("kills.alerts", found.alerts, "alerts", reports),
        _at_least("kills.claims", len(diary.claimed), "claims", 1),
        _at_least("kills.repeated", diary.repeats.count, "requests", 1),
        _at_most("kills.lost", len(found.lost), "things", 0),
        _at_most("kills.doubled", len(found.doubled), "things", 0),
        _at_most("kills.seconds", round(seconds, 1), "s", 600 * max(1.0, kills / KILLS)),
    )


def write(figures: Sequence[Figure], path: Path) -> None:
    """Write the file that ``make prove`` leaves."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"figures": [asdict(figure) for figure in figures]}
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _at_least(name: str, value: float, unit: str, budget: float) -> Figure:
    return Figure(name=name, value=value, unit=unit, budget=budget, ok=value >= budget)


def _at_most(name: str, value: float, unit: str, budget: float) -> Figure:
    return Figure(name=name, value=value, unit=unit, budget=budget, ok=value <= budget)


def _show(started: float, what: str, diary: Diary) -> None:
    line = f"{time.monotonic() - started:4.0f} s  {what}  {len(diary.sent)} reports"
    print(f"\r{line:<60}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
