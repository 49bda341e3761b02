"""Replay what a proof of the ledger found.

python -m infra.prove.ledger SEED [EVENTS]            a history
python -m infra.prove.ledger engine SEED [EVENTS]     a history on the engine
python -m infra.prove.ledger faults 17=crash_after 19=unsent
"""

from __future__ import annotations

import logging
import sys
from collections import deque

from infra.local import engine as engines
from infra.prove.fake.faults import Fault
from infra.prove.ledger import mirror, seeds
from infra.prove.ledger.exhaustive import Search
from infra.prove.ledger.proof import AT_ONCE

LAST = 60


def main(words: list[str]) -> int:
    """Run it again; print the last deliveries and what is wrong."""
    logging.disable(logging.CRITICAL)
    if not words:
        print(__doc__)
        return 2
    if words[0] == "faults":
        pairs = (word.split("=") for word in words[1:])
        wrong: list[str] = []
        Search().run({int(number): Fault(kind) for number, kind in pairs}, wrong)
    else:
        wrong = _history(words)
    print("\n".join(f"✗ {line}" for line in wrong) or "✓")
    return 1 if wrong else 0


def _history(words: list[str]) -> list[str]:
    is_mirrored = words[0] == "engine"
    seed, *rest = (int(word) for word in words[is_mirrored:])
    events = rest[0] if rest else AT_ONCE
    last: deque[str] = deque(maxlen=LAST)
    if is_mirrored:
        engine = engines.Engine().start()
        try:
            ended = mirror.live(engine.url, seed, events, last.append)
        finally:
            engine.stop()
    else:
        ended = seeds.live(seed, events, last.append)
    print("\n".join(last))
    print(f"{ended.events} events, {ended.faults} faults, {ended.digest}")
    return ended.wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
