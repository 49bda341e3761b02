"""Which modules are mutated, and which tests are asked.

Mutated is what moves points and redemptions: what an act is worth, the ledger, and a voucher's
life. What people decide, publish, export and audit on top of it is tested, but not mutated.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from infra.local.stack import ROOT

MODULES = {
    "models/points": (
        *("acts", "awarding", "budgets", "caps", "chains"),
        *("ledger", "planning", "posting", "rules"),
    ),
    "models/rewards": (
        *("changes", "codes", "expiry", "fulfilment", "limits", "pools", "redemptions"),
        *("refunds", "refusals", "reserving", "reversals", "rules", "stocks", "supply_rules"),
        "tries",
    ),
}
ELSEWHERE = (
    *("appeal", "approval", "catalogue", "chaos", "correction", "decision", "export", "flow"),
    *("forgetting", "import", "life_rules", "notices", "proposal", "publi", "reconciliation"),
    *("root", "sentence", "sheet", "solvency", "tree"),
)
"""Tests of other modules, and crowds that take seconds and say less than the tests of one thing."""


def modules() -> list[str]:
    """Paths of the modules that are mutated, from the root, in order."""
    return [f"{package}/{name}.py" for package, names in MODULES.items() for name in names]


def test_files() -> list[Path]:
    """The files of the tests that are asked, in order."""
    folders = [ROOT / "tests" / package for package in MODULES]
    found = [path for folder in folders for path in sorted(folder.glob("test_*.py"))]
    return [path for path in found if not any(part in path.stem for part in ELSEWHERE)]


def tests_digest() -> str:
    """Changes with anything that a test says or builds on."""
    files = [*test_files(), *sorted((ROOT / "tests" / "support").glob("*.py"))]
    return digest(*(path.read_text(encoding="utf-8") for path in files))


def digest(*texts: str) -> str:
    """A short name for texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:20]
