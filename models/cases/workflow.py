"""Asks the transition table: what may be done, what is refused and why, how it is drawn."""

from __future__ import annotations

from collections.abc import Iterable

from models.base.errors import Conflict
from models.cases.entities import Action, Facts, Party, Status
from models.cases.transitions import (
    MAX_EXTENSIONS,
    MAX_REOPENED,
    OFFICIALS,
    REASONS_BY_ACTION,
    TRANSITIONS,
    Guard,
    Transition,
)

__all__ = [
    "MAX_EXTENSIONS",
    "MAX_REOPENED",
    "OFFICIALS",
    "REASONS_BY_ACTION",
    "TRANSITIONS",
    "Guard",
    "Transition",
    "allowed",
    "diagram",
    "ever",
    "find",
    "judge",
]

_BY_KEY: dict[tuple[Status, Party, Action], list[Transition]] = {}
for _row in TRANSITIONS:
    _BY_KEY.setdefault((_row.source, _row.party, _row.action), []).append(_row)


def find(source: Status, parties: Iterable[Party], action: Action) -> list[Transition]:
    """Every row that one of the actor's parts offers, whatever the facts."""
    return [row for party in parties for row in _BY_KEY.get((source, party, action), ())]


def judge(source: Status, parties: Iterable[Party], action: Action, facts: Facts) -> Transition:
    """Find the row whose guards hold. Raises ``Conflict`` with the last refusal's code.

    An action that no row allows is refused with ``case.not_possible``, whoever asks. An actor with
    two parts (a lead who is also an officer) acts in whichever part may.
    """
    refusal = "case.not_possible"
    for row in find(source, parties, action):
        failed = next((guard.code for guard in row.guards if not guard.holds(facts)), None)
        if failed is None:
            return row
        refusal = failed
    raise Conflict(refusal, status=source.value, action=action.value)


def allowed(source: Status, parties: Iterable[Party], facts: Facts) -> list[Transition]:
    """List what may be done now, in the table's order, each action once."""
    wanted = set(parties)
    found: dict[Action, Transition] = {}
    for row in TRANSITIONS:
        is_offered = row.source is source and row.party in wanted
        if is_offered and all(guard.holds(facts) for guard in row.guards):
            found.setdefault(row.action, row)
    return list(found.values())


def diagram() -> str:
    """Draw the table as a Mermaid state diagram; what leaves a case in its state is left out."""
    lines = ["stateDiagram-v2", "    [*] --> assigned: reporter submit"]
    labels: dict[tuple[Status, Status, Action], list[Party]] = {}
    for row in TRANSITIONS:
        if row.source is not row.target:
            labels.setdefault((row.source, row.target, row.action), []).append(row.party)
    for (source, target, action), parties in labels.items():
        names = ", ".join(parties)
        lines.append(f"    {source} --> {target}: {names} {action}")
    left = {row.source for row in TRANSITIONS if row.source is not row.target}
    lines += [f"    {status} --> [*]" for status in Status if status not in left]
    return "\n".join(lines) + "\n"


def ever(parties: Iterable[Party], action: Action) -> bool:
    """Whether one of these parts may do this at all, in whatever state."""
    wanted = set(parties)
    return any(row.party in wanted and row.action is action for row in TRANSITIONS)
