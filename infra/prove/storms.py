"""The part of ``make prove`` in which the stack's processes are killed under traffic."""

from __future__ import annotations

import time

from infra.local.seed import plant
from infra.local.stack import temporary_stack
from infra.prove.figures import Figure, Show, at_least, at_most, complain
from infra.prove.kills import VICTIMS, Diary, Storm
from infra.prove.losses import Findings, Search

KILLS = 50
SEED = 20260318


def prove(scale: float, show: Show) -> tuple[Figure, ...]:
    """Kill fifty parts (at scale 1) of a stack in use, then look for what was lost or doubled."""
    kills = max(len(VICTIMS), round(KILLS * scale))
    started = time.monotonic()
    with temporary_stack() as stack:
        plant.in_stack(stack)
        storm = Storm(stack, kills=kills, seed=SEED)
        diary = storm.rage(
            lambda done: show(f"{done}/{kills} kills  {len(storm.diary.sent)} reports")
        )
        show("looking for losses")
        found = Search(stack, diary, storm.officer).findings()
    complain((*found.lost, *found.doubled))
    return figures_of(diary, found, kills=kills, seconds=time.monotonic() - started)


def figures_of(diary: Diary, found: Findings, *, kills: int, seconds: float) -> tuple[Figure, ...]:
    """The figures of a storm and of what was found after it."""
    reports = len(diary.sent)
    return (
        at_least("kills.kills", diary.kills, "kills", kills),
        at_least("kills.reports", reports, "reports", 1),
        at_least("kills.photos", len({sent.upload_id for sent in diary.sent}), "photos", reports),
        at_least("kills.alerts", found.alerts, "alerts", reports),
        at_least("kills.claims", len(diary.claimed), "claims", 1),
        at_least("kills.repeated", diary.repeats.count, "requests", 1),
        at_most("kills.lost", len(found.lost), "things", 0),
        at_most("kills.doubled", len(found.doubled), "things", 0),
        at_most("kills.seconds", round(seconds, 1), "s", 600 * max(1.0, kills / KILLS)),
    )
