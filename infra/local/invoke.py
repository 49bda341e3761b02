"""Invoke a function of the running local stack, as an admin does in the AWS console.

    python -m infra.local.invoke                            the functions there are
    python -m infra.local.invoke NAME [EVENT] [--csv FILE]  what it answers, as JSON

``EVENT`` is the JSON that the function takes; ``--csv`` puts a file's content into it as ``csv``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from handlers import wiring
from handlers.settings import Settings
from handlers.wiring import Services
from infra.local.run import stack_here
from infra.local.stack import Stack
from models.base.errors import Unavailable

Function = Callable[[Mapping[str, Any], object], Mapping[str, Any]]


def main(words: Sequence[str] | None = None, stack: Stack | None = None) -> int:
    """Run one command; 0 when the function refused nothing."""
    asked = _parser().parse_args(words)
    known = functions()
    if asked.name is None:
        print("\n".join(sorted(known)))
        return 0
    if asked.name not in known:
        print(f"没有这个函数 (no such function): {asked.name}", file=sys.stderr)
        return 1
    stack = stack or stack_here()
    wiring.use_services(Services(Settings.read(stack.environment())))
    event = dict(asked.event)
    if asked.csv is not None:
        event["csv"] = asked.csv.read_text(encoding="utf-8")
    try:
        answer = known[asked.name](event, None)
    except Unavailable:
        print("服务没有运行，请先 make run (the service is not running)", file=sys.stderr)
        return 1
    print(json.dumps(answer, ensure_ascii=False, indent=2))
    return 1 if answer.get("refused") else 0


def functions() -> dict[str, Function]:
    """What admins invoke, by name; schedules and queues are the pump's."""
    module = importlib.import_module("app")
    return {one.name: getattr(module, one.name) for one in module.app.pure_lambda_functions}


def _event(text: str) -> Mapping[str, Any]:
    event = json.loads(text)
    if not isinstance(event, dict):
        raise ValueError("an event is a JSON object")
    return event


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local.invoke")
    parser.add_argument("name", nargs="?")
    parser.add_argument("event", nargs="?", type=_event, default="{}")
    parser.add_argument("--csv", type=Path)
    return parser


def _log_beside() -> None:
    """The answer alone goes to the output; what the app logs goes beside it."""
    functions()
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(sys.stderr)


if __name__ == "__main__":
    _log_beside()
    sys.exit(main())
