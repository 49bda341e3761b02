"""What an act is worth, and what of it is granted: pure decisions from a rule and what went before.

A cap on acts lets through the units that are left of it, of a single act all or nothing. The
overall caps and a campaign's budget then reduce the points to what is left. An act that brings
nothing uses nothing up. It posts all the same, as an entry of zero that says which limit it met.

An award's entry keeps all that its amount follows from under ``source["inputs"]``::

    day       the act's day in China, whose caps and budget were asked
    quantity  units of the act
    severity  the case's, where a rule has a bonus for it
    paid      what was due for the same thing before, if anything
    counted   true where the caps on acts had seen it then
    gross     what the act is worth
    units     the units that a cap on acts let through, where not all
    limit     which limit met it: act_day, act_week, act_month, total_day, total_month, budget
    room      the points that were left under an overall cap or a budget, where it met one
    campaign  whose budget it was taken from, with the ``grid``, if any
    totals    the version of the overall caps, where they count
    granted   what was given
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.base.errors import NotFound
from models.points.entities import Act, Rule

TOTALS = "totals"
URGENT = ("A", "B")

Inputs = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Every version of every rule, oldest first."""

    versions: Mapping[str, Sequence[Rule]]

    def at(self, rule: str, at: datetime) -> Rule:
        """The version in force at an instant: of those that hold, the one published last.

        Raises ``NotFound("rule.not_found")``.
        """
        for one in reversed(self.versions.get(rule, ())):
            if one.holds(at):
                return one
        raise NotFound("rule.not_found")

    def version(self, rule_id: str) -> Rule | None:
        """The version that an entry names (``report.first@1``); None for one that never was."""
        rule, _, version = rule_id.partition("@")
        found = (one for one in self.versions.get(rule, ()) if str(one.version) == version)
        return next(found, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a member has had: units of the act's cap group in the act's day, week and month, and
    points that count to the overall caps."""

    day: int = 0
    week: int = 0
    month: int = 0
    points_day: int = 0
    points_month: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What is given for an act. ``units`` passed the caps on acts; ``limit`` is what met it, None:
    nothing; ``room`` the points that were left, where an overall cap or a budget met it."""

    gross: int
    units: int
    granted: int
    limit: str | None = None
    room: int | None = None

    def uses(self, act: Act) -> int:
        """The units that its cap group has had more of: none of what it has seen."""
        return self.units if self.granted and not act.counted else 0


def gross(rule: Rule, *, quantity: int, severity: str | None = None, paid: int = 0) -> int:
    """What an act is worth, whatever the limits.

    >>> gross(Rule(rule="r", version=1, points=10, urgent_bonus=10), quantity=1, severity="B")
    20
    """
    if quantity < 0 or paid < 0:
        raise ValueError("an act is never negative")
    bonus = rule.urgent_bonus if quantity and severity in URGENT else 0
    return max(0, quantity * rule.points + bonus - paid)


def grant(rule: Rule, totals: Rule, act: Act, used: Used, budget: int | None = None) -> Grant:
    """Decide an act under the caps, and under what is left of a budget (None: there is none)."""
    whole = gross(rule, quantity=act.quantity, severity=act.severity, paid=act.paid)
    units, limit = act.quantity, None
    if whole and not act.counted:
        units, limit = _within(rule, act.quantity, used)
    worth = gross(rule, quantity=units, severity=act.severity, paid=act.paid)
    rooms = _rooms(totals, used) if rule.counts else []
    if budget is not None:
        rooms.append((budget, "budget"))
    room, name = min(rooms, key=lambda one: one[0], default=(worth, ""))
    if room >= worth:
        return Grant(gross=whole, units=units, granted=worth, limit=limit)
    return Grant(gross=whole, units=units, granted=room, limit=name, room=room)


def inputs_of(act: Act, rule: Rule, totals: Rule, granted: Grant, day: str) -> dict[str, Any]:
    """All that an amount follows from, as an entry keeps it."""
    kept: dict[str, Any] = {"day": day, "quantity": act.quantity, "gross": granted.gross}
    if rule.urgent_bonus and act.severity is not None:
        kept["severity"] = act.severity
    if act.paid:
        kept["paid"] = act.paid
    if act.counted:
        kept["counted"] = True
    if granted.units != act.quantity:
        kept["units"] = granted.units
    if granted.limit is not None:
        kept["limit"] = granted.limit
    if granted.room is not None:
        kept["room"] = granted.room
    if rule.campaign is not None and rule.budget_per_grid_day is not None:
        kept |= {"campaign": rule.campaign, "grid": act.grid_id}
    if rule.counts:
        kept["totals"] = totals.id
    return {**kept, "granted": granted.granted}


def derive(rule: Rule, inputs: Inputs) -> int:
    """The points that follow from a rule's version and an entry's inputs.

    Raises ``ValueError`` for inputs that contradict the rule or each other.
    """
    quantity, units = inputs["quantity"], inputs.get("units", inputs["quantity"])
    severity, paid = inputs.get("severity"), inputs.get("paid", 0)
    room = inputs.get("room")
    if inputs["gross"] != gross(rule, quantity=quantity, severity=severity, paid=paid):
        raise ValueError("another gross amount")
    if not 0 <= units <= quantity or (units < quantity or room is not None) != ("limit" in inputs):
        raise ValueError("a limit that met nothing")
    worth = gross(rule, quantity=units, severity=severity, paid=paid)
    if room is None:
        return worth
    if not 0 <= room < worth:
        raise ValueError("a limit that met nothing")
    return int(room)


def _within(rule: Rule, quantity: int, used: Used) -> tuple[int, str | None]:
    """The units that the caps on acts let through, and the narrowest of them if not all."""
    caps = ((rule.per_day, used.day), (rule.per_week, used.week), (rule.per_month, used.month))
    names = ("act_day", "act_week", "act_month")
    rooms = [
        (max(0, cap - had), name)
        for (cap, had), name in zip(caps, names, strict=True)
        if cap is not None
    ]
    room, name = min(rooms, key=lambda one: one[0], default=(quantity, None))
    return (quantity, None) if room >= quantity else (room, name)


def _rooms(totals: Rule, used: Used) -> list[tuple[int, str]]:
    caps = (
        (totals.per_day, used.points_day, "total_day"),
        (totals.per_month, used.points_month, "total_month"),
    )
    return [(max(0, cap - had), name) for cap, had, name in caps if cap is not None]
