"""The categories of the running local stack, from a shell.

    python -m infra.local.categories show [COUNTY]               the newest sheet, as CSV
    python -m infra.local.categories publish FILE [COUNTY] [--from INSTANT] [--dry-run]

Without a county it is the city's list; with one, what that county does otherwise.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from handlers import wiring
from handlers.console import categories
from handlers.settings import Settings
from handlers.wiring import Services
from infra.local.run import stack_here
from infra.local.stack import Stack
from models.base.errors import Unavailable

PUBLISHED_BY = "local-shell"


def main(words: Sequence[str] | None = None, stack: Stack | None = None) -> int:
    """Run one command; 0 when it did what was asked."""
    asked = _parser().parse_args(words)
    stack = stack or stack_here()
    wiring.use_services(Services(Settings.read(stack.environment())))
    try:
        answer = categories.on_invoke(_event(asked))
    except Unavailable:
        print("服务没有运行，请先 make run (the service is not running)", file=sys.stderr)
        return 1
    if "csv" in answer:
        print(answer["csv"], end="")
        return 0
    return _tell(answer)


def _event(asked: argparse.Namespace) -> dict[str, Any]:
    event = {"actor": PUBLISHED_BY, "county": asked.county}
    if asked.command == "publish":
        event |= {
            "content": asked.file.read_text(encoding="utf-8"),
            "effective_from": getattr(asked, "from"),
            "dry_run": asked.dry_run,
        }
    return event


def _tell(answer: Mapping[str, Any]) -> int:
    for bad in answer["refused"]:
        county = f" ({bad['county']})" if bad["county"] else ""
        print(f"{bad['row']}: {bad['column']}: {bad['code']}{county}", file=sys.stderr)
    if answer["refused"]:
        print("有错，什么都没有改 (nothing was changed)", file=sys.stderr)
        return 1
    for mark, codes in (("+", answer["added"]), ("-", answer["removed"])):
        for code in codes:
            print(f"{mark} {code}")
    for code, columns in answer["changed"].items():
        print(f"~ {code}: {', '.join(columns)}")
    published = "已发布 (published)" if answer["published"] else "没有发布 (not published)"
    print(f"v{answer['version']} {published}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local.categories")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("show").add_argument("county", nargs="?")
    publishing = commands.add_parser("publish")
    publishing.add_argument("file", type=Path)
    publishing.add_argument("county", nargs="?")
    publishing.add_argument("--from", metavar="INSTANT")
    publishing.add_argument("--dry-run", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
