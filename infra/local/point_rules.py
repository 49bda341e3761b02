"""The rules of points of the running local stack, from a shell.

    python -m infra.local.point_rules show                      all rules as they hold, as JSON
    python -m infra.local.point_rules publish FILE [--from INSTANT] [--until INSTANT] [--dry-run]

``FILE`` holds a list of objects, each with its ``rule`` and what is to be otherwise in it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from handlers import wiring
from handlers.console import point_rules
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
        answer = point_rules.on_invoke(_event(asked))
    except Unavailable:
        print("服务没有运行，请先 make run (the service is not running)", file=sys.stderr)
        return 1
    if "rules" in answer:
        print(json.dumps(answer["rules"], ensure_ascii=False, indent=2))
        return 0
    return _tell(answer)


def _event(asked: argparse.Namespace) -> dict[str, Any]:
    if asked.command == "show":
        return {}
    return {
        "actor": PUBLISHED_BY,
        "rules": json.loads(asked.file.read_text(encoding="utf-8")),
        "effective_from": getattr(asked, "from"),
        "effective_to": asked.until,
        "dry_run": asked.dry_run,
    }


def _tell(answer: Mapping[str, Any]) -> int:
    for bad in answer["refused"]:
        place = " ".join(bad[part] for part in ("rule", "field") if bad.get(part))
        print(f"{place}: {bad['code']} {bad['message']}", file=sys.stderr)
    if answer["refused"]:
        print("有错，什么都没有改 (nothing was changed)", file=sys.stderr)
        return 1
    for rule, columns in answer["changed"].items():
        for column, (before, after) in columns.items():
            print(f"~ {rule}.{column}: {before} → {after}")
    published = "已发布 (published)" if answer["published"] else "没有发布 (not published)"
    print(f"r{answer['revision']} {published}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local.point_rules")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("show")
    publishing = commands.add_parser("publish")
    publishing.add_argument("file", type=Path)
    publishing.add_argument("--from", metavar="INSTANT")
    publishing.add_argument("--until", metavar="INSTANT")
    publishing.add_argument("--dry-run", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
