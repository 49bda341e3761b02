"""What officials and riders do with a case when they come across it, by chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from infra.prove.schedule.town import Town, officials
from models.base.ids import derived_id
from models.cases.asking import Reply
from models.cases.commands import Command
from models.cases.entities import Action, Receiver
from models.people.entities import Actor

ALONE = ("nothing", 1.0)
CHOICES: Mapping[str, tuple[tuple[str, float], ...]] = {
    "assigned": (
        *(("claim", 0.4), ("assign", 0.15), ("reject", 0.04), ("withdraw", 0.05)),
        *(("transfer", 0.06), ("nothing", 0.3)),
    ),
    "claimed": (
        *(("resolve", 0.25), ("return", 0.12), ("assign", 0.1), ("start", 0.1), ("ask", 0.12)),
        *(("extend", 0.08), ("defer", 0.04), ("transfer", 0.04), ("nothing", 0.15)),
    ),
    "transferred": (("accept", 0.6), ("return", 0.15), ("nothing", 0.25)),
    "external": (("return", 0.35), ("resolve", 0.35), ("nothing", 0.3)),
    "proposed": (("approve", 0.6), ("decline", 0.1), ("resolve", 0.2), ("nothing", 0.1)),
    "waiting": (("resume", 0.2), ("reply", 0.3), ("nothing", 0.5)),
    "deferred": (("resume", 0.3), ("nothing", 0.7)),
    "resolved": (("confirm", 0.3), ("contest", 0.35), ("reopen", 0.1), ("nothing", 0.25)),
    "disputed": (("verify", 0.4), ("reopen", 0.4), ("nothing", 0.2)),
    "closed": (("contest", 0.4), ("nothing", 0.6)),
    "rejected": (("appeal", 0.5), ("nothing", 0.5)),
}
REASONS = {
    "reject": "not_a_problem",
    "return": "wrong_grid",
    "resolve": "gone_on_arrival",
    "reopen": "not_fixed",
    "extend": "weather",
    "defer": "season",
    "decline": "reason_not_shown",
    "resume": "ready_to_go_on",
    "transfer": "other_department",
}
DEFERRED_DAYS = (1, 2, 3, 30)
_BY_LEAD = frozenset({"assign", "approve", "decline", "verify", "reopen", "transfer", "accept"})
_ELSEWHERE = frozenset({"transferred", "external"})
"""Where only the lead speaks for the receiver."""
_BY_REPORTER = frozenset({"withdraw", "confirm", "contest", "reply", "appeal"})


def choose(chance: random.Random, status: str, *, is_proposed: bool) -> str:
    """What somebody does with a case that stands so, and perhaps with a proposal to decide."""
    if status in ("claimed", "handling"):
        status = "proposed" if is_proposed else "claimed"
    choices = CHOICES.get(status, (ALONE,))
    names, weights = zip(*choices, strict=True)
    action: str = chance.choices(names, weights)[0]
    return action


class People:
    """Carries out what was chosen; ``doing`` is told who it is about first."""

    def __init__(
        self,
        town: Town,
        chance: random.Random,
        doing: Callable[[str | None, datetime | None], None],
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
        status: str,
        version: int,
        claimer_id: str | None,
        rider: Actor,
        request_id: str,
    ) -> None:
        """Do it. Raises what the use case raises."""
        if action in _BY_REPORTER:
            self._doing(rider.member_id, None)
            self._as_reporter(action, rider, request_id)
            return
        is_led = action in _BY_LEAD or status in _ELSEWHERE
        actor = self._officials[2] if is_led else self._officer(claimer_id)
        officer = None
        about = actor.member_id
        if action == "assign":
            about = self._chance.choice(self._officials[:2]).member_id
            officer = derived_id("off", case_id, about)
        until = None
        if action == "defer":
            until = self._town.clock.now() + timedelta(days=self._chance.choice(DEFERRED_DAYS))
        self._doing(about, until)
        command = Command(
            client_request_id=request_id,
            action=Action(action),
            version=version,
            reason=REASONS.get(action),
            officer=officer,
            text="请补充照片" if action == "ask" else None,
            receiver=Receiver.POLICE if action == "transfer" else None,
            external_ref=case_id if action == "accept" else None,
            until=until,
        )
        self._town.handling.act(actor, case_id, command)

    def _officer(self, claimer_id: str | None) -> Actor:
        mine = next((one for one in self._officials if one.member_id == claimer_id), None)
        return mine or self._chance.choice(self._officials[:2])

    def _as_reporter(self, action: str, rider: Actor, request_id: str) -> None:
        report_id = derived_id("rpt", rider.member_id, "report")
        if action == "withdraw":
            self._town.closing.withdraw(rider, report_id, request_id)
        elif action == "reply":
            self._town.answering.reply(rider, report_id, Reply(text="在路口东侧"), request_id)
        elif action == "appeal":
            self._town.answering.appeal(rider, report_id, "请再看一次", request_id)
        else:
            self._town.closing.verdict(
                rider,
                report_id,
                satisfied=action == "confirm",
                comment=None,
                client_request_id=request_id,
            )
