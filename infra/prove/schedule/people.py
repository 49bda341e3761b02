"""What officials and riders do with a case when they come across it, by chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from infra.prove.schedule.town import Town, officials
from models.base.ids import derived_id
from models.cases import handling
from models.cases.commands import Command
from models.cases.entities import Action
from models.people.entities import Actor

ALONE = ("nothing", 1.0)
CHOICES: Mapping[str, tuple[tuple[str, float], ...]] = {
    "assigned": (
        *(("claim", 0.4), ("assign", 0.15), ("reject", 0.04), ("withdraw", 0.05)),
        ("nothing", 0.36),
    ),
    "claimed": (
        *(("resolve", 0.25), ("return", 0.12), ("assign", 0.1), ("start", 0.1), ("ask", 0.12)),
        *(("extend", 0.08), ("defer", 0.04), ("approve", 0.08), ("nothing", 0.11)),
    ),
    "waiting": (("resume", 0.4), ("nothing", 0.6)),
    "deferred": (("resume", 0.3), ("nothing", 0.7)),
    "resolved": (("confirm", 0.3), ("contest", 0.35), ("reopen", 0.1), ("nothing", 0.25)),
    "disputed": (("verify", 0.4), ("reopen", 0.4), ("nothing", 0.2)),
    "closed": (("contest", 0.4), ("nothing", 0.6)),
}
REASONS = {
    "reject": "not_a_problem",
    "return": "wrong_grid",
    "resolve": "gone_on_arrival",
    "reopen": "not_fixed",
    "extend": "weather",
    "defer": "season",
    "resume": "ready_to_go_on",
}
_BY_LEAD = frozenset({"assign", "approve", "verify", "reopen"})
_BY_REPORTER = frozenset({"withdraw", "confirm", "contest"})


def choose(chance: random.Random, status: str) -> str:
    """What somebody does with a case that stands so."""
    choices = CHOICES.get("claimed" if status == "handling" else status, (ALONE,))
    names, weights = zip(*choices, strict=True)
    action: str = chance.choices(names, weights)[0]
    if action in _BY_REPORTER or action == "nothing" or action in handling.OFFERED:
        return action
    return "nothing"


class People:
    """Carries out what was chosen; ``doing`` is told who it is about first."""

    def __init__(
        self, town: Town, chance: random.Random, doing: Callable[[str | None], None]
    ) -> None:
        self._town = town
        self._chance = chance
        self._doing = doing
        self._officials = officials()

    def act(
        self,
        action: str,
        *,
        case_id: str,
        version: int,
        claimer_id: str | None,
        rider: Actor,
        request_id: str,
    ) -> None:
        """Do it. Raises what the use case raises."""
        if action in _BY_REPORTER:
            self._doing(rider.member_id)
            self._as_reporter(action, rider, request_id)
            return
        actor = self._actor(action, claimer_id)
        officer = None
        about = actor.member_id
        if action == "assign":
            about = self._chance.choice(self._officials[:2]).member_id
            officer = derived_id("off", case_id, about)
        self._doing(about)
        command = Command(
            client_request_id=request_id,
            action=Action(action),
            version=version,
            reason=REASONS.get(action),
            officer=officer,
            text="请补充照片" if action == "ask" else None,
        )
        self._town.handling.act(actor, case_id, command)

    def _actor(self, action: str, claimer_id: str | None) -> Actor:
        if action in _BY_LEAD:
            return self._officials[2]
        mine = next((one for one in self._officials if one.member_id == claimer_id), None)
        return mine or self._chance.choice(self._officials[:2])

    def _as_reporter(self, action: str, rider: Actor, request_id: str) -> None:
        report_id = derived_id("rpt", rider.member_id, "report")
        if action == "withdraw":
            self._town.closing.withdraw(rider, report_id, request_id)
            return
        self._town.closing.verdict(
            rider,
            report_id,
            satisfied=action == "confirm",
            comment=None,
            client_request_id=request_id,
        )
