"""What two people decide about points: admins' commands, run as functions from the console.

Each answers with what stands and with what was ``refused``, by code and in Chinese; it raises for
nothing that an admin can put right. ``actor`` names the post of who acts, always the same way. Who
gives a member's id or a phone's key as his name cannot act for himself or for those close to him.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from handlers import telemetry
from handlers.http.texts.catalogue import text
from handlers.wiring import services
from models.base.errors import DomainError, FieldError, Invalid
from models.people.importing import read_csv
from models.points.appeals import Verdict
from models.points.proposal_rules import Decision

_Choice = TypeVar("_Choice", bound=StrEnum)


def on_propose(event: Mapping[str, Any]) -> dict[str, Any]:
    """Propose ``{"county", "actor", "csv"}``, or one thing by its columns instead of ``csv``.

    Columns: ``kind`` (adjustment, write_off, claw_back, hardship, service_hours, activity,
    correction), ``member_id`` or ``phone_key`` (a keyed hash, never a phone), ``reason`` (a code),
    ``reference`` (what it is for; of a claw-back the award's transfer), ``points`` or ``quantity``,
    and for acts ``day`` and ``grid``. One bad line and nothing is written. Safe to repeat.
    """

    def propose(county: str) -> dict[str, Any]:
        proposals, who = services().proposals, _who(county, event)
        if "csv" in event:
            found = proposals.propose_all(_lines(event["csv"]), **who)
        else:
            found = proposals.propose(event, **who)
        refused = [{"line": bad.line, **_bad(bad.error)} for bad in found.refused]
        return {"batch": found.batch, "proposals": list(found.proposals), "refused": refused}

    return _answered("propose_points", event, propose, {"batch": None, "proposals": []})


def on_decide(event: Mapping[str, Any]) -> dict[str, Any]:
    """Decide ``{"county", "actor", "decision", "proposal_id" or "batch"}``.

    ``decision`` is approve or decline by another than the maker, withdraw by himself. Of a batch,
    everything that still waits is decided, each by itself. Safe to repeat.
    """

    def decide(county: str) -> dict[str, Any]:
        decision = _choice(Decision, "decision", event)
        decisions, who = services().decisions, _who(county, event)
        if event.get("batch"):
            done = decisions.decide_batch(str(event["batch"]), decision, **who)
            refused = [{"proposal_id": one, **_code(code)} for one, code in done.refused]
            return {"decided": list(done.decided), "refused": refused}
        told = decisions.decide(str(event.get("proposal_id", "")), decision, **who)
        return {"decided": [told], "refused": []}

    return _answered("decide_points", event, decide, {"decided": []})


def on_list(event: Mapping[str, Any]) -> dict[str, Any]:
    """List what waits in ``{"county", "batch"?}``: proposals and appeals, oldest first."""

    def find(county: str) -> dict[str, Any]:
        wired = services()
        return {
            "proposals": wired.proposals.open(county, batch=event.get("batch")),
            "appeals": wired.point_appeals.open(county),
            "refused": [],
        }

    return _answered("list_proposals", event, find, {"proposals": [], "appeals": []})


def on_appeal(event: Mapping[str, Any]) -> dict[str, Any]:
    """Decide an appeal: ``{"county", "actor", "member_id", "seq", "decision"}``.

    ``decision`` is dismiss, or uphold: that proposes the points, and another person approves them
    with ``decide_points``. Not for who took the points. Safe to repeat.
    """

    def decide(county: str) -> dict[str, Any]:
        verdict = _choice(Verdict, "decision", event)
        seq = event.get("seq")
        if type(seq) is not int or seq < 1:
            raise Invalid(fields=[FieldError(field="seq", code="field.invalid")])
        member_id, who = str(event.get("member_id", "")), _who(county, event)
        found = services().point_appeals.decide(member_id, seq, verdict, **who)
        return {"appeal": found, "refused": []}

    return _answered("decide_appeal", event, decide, {"appeal": None})


def _answered(
    name: str,
    event: Mapping[str, Any],
    use: Callable[[str], dict[str, Any]],
    nothing: dict[str, Any],
) -> dict[str, Any]:
    """What a command led to; ``nothing`` with the refusal where it was refused as a whole.

    Counted by what it led to, the first refusal standing for all.
    """
    answer = _tried(event, use, nothing)
    telemetry.count(name, answer["refused"][0]["code"] if answer["refused"] else "accepted")
    return answer


def _tried(
    event: Mapping[str, Any], use: Callable[[str], dict[str, Any]], nothing: dict[str, Any]
) -> dict[str, Any]:
    county = event.get("county")
    if not any(grid.county == county for grid in services().places.grids()):
        return {**nothing, "refused": [{"column": "county", **_code("county.unknown")}]}
    try:
        return use(str(county))
    except Invalid as bad:
        refused = [_bad(error) for error in bad.fields]
    except DomainError as error:
        refused = [_code(error.code, error.details)]
    return {**nothing, "refused": refused}


def _who(county: str, event: Mapping[str, Any]) -> dict[str, str]:
    return {"county": county, "actor": event.get("actor", "")}


def _lines(content: object) -> list[dict[str, str]]:
    """The lines of a file; one that cannot be read is refused as a whole."""
    try:
        return read_csv(str(content))
    except csv.Error as error:
        raise Invalid(fields=[FieldError(field="csv", code="field.invalid")]) from error


def _choice(choices: type[_Choice], field: str, event: Mapping[str, Any]) -> _Choice:
    given = event.get(field)
    if given not in tuple(choices):  # which also takes what cannot be hashed
        code = "field.not_allowed" if given else "field.missing"
        raise Invalid(fields=[FieldError(field=field, code=code)])
    return choices(given)


def _bad(error: FieldError) -> dict[str, Any]:
    return {"column": error.field, **_code(error.code, {"limit": error.limit})}


def _code(code: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"code": code, "message": text(code, "zh", details)}
