"""``make prove``: what holds while parts die, as figures in ``build/prove.json``.

``SCALE`` sets the size (1 by default). Ctrl-C leaves the figures of the parts that had ended.
``PARTS`` names some of the parts, with commas between, to run those alone. ``ENGINE`` names another
engine (``infra/prove/ledger/engines.py``); then the parts that need a real one run, and no others.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping

from infra.local.stack import ROOT
from infra.prove import calendar, officer_days, storms
from infra.prove.fake import differences
from infra.prove.figures import CutShort, Figure, Show, progress, write
from infra.prove.ledger import elsewhere, engines, histories, rush
from infra.prove.ledger import proof as ledger
from infra.prove.schedule import proof as escalation

OUTPUT = ROOT / "build" / "prove.json"

PARTS: Mapping[str, Callable[[float, Show], tuple[Figure, ...]]] = {
    "calendar": calendar.prove,
    "fake": differences.prove,
    "ledger": ledger.prove,
    "escalation": escalation.prove,
    "alerts": officer_days.prove,
    "kills": storms.prove,
    "histories": histories.prove,
    "rush": rush.prove,
}
"""Each part proves one thing at a scale, and says how far it has come."""

ON_ANY_ENGINE: Mapping[str, Callable[[float, Show], tuple[Figure, ...]]] = {
    "mirror": elsewhere.prove,
    "histories": histories.prove,
    "rush": rush.prove,
}
"""The parts that run on the engine that ``ENGINE`` names."""


def main() -> int:
    """Prove, write the figures, and answer 0 when all are within their budgets."""
    scale = float(os.environ.get("SCALE", "1"))
    possible = ON_ANY_ENGINE if os.environ.get("ENGINE") else PARTS
    wanted = [name for name in os.environ.get("PARTS", "").split(",") if name] or list(possible)
    unknown = sorted(set(wanted) - set(possible))
    if unknown:
        print(f"没有这些部分 unknown parts: {unknown}; {sorted(possible)}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    try:
        for name in wanted:
            figures += possible[name](scale, _show(name))
    except KeyboardInterrupt as stopped:
        figures += stopped.figures if isinstance(stopped, CutShort) else ()
        print("\n已中断 interrupted: what was measured is written down", file=sys.stderr)
        return 130
    except engines.EngineUnavailable as away:
        print(f"\n{away}", file=sys.stderr)
        return 2
    finally:
        write(figures, OUTPUT)
        _print(figures)
    return 0 if all(figure.ok for figure in figures) else 1


def _show(name: str) -> Show:
    show = progress()
    return lambda text: show(f"{name}: {text}")


def _print(figures: list[Figure]) -> None:
    print(file=sys.stderr)
    for figure in figures:
        print(f"{'✓' if figure.ok else '✗'} {figure.name} {figure.value:g} {figure.unit}")


if __name__ == "__main__":
    sys.exit(main())
