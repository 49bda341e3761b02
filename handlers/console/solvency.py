"""Whether points stay worth something: an admin's question, run as a function from the console."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handlers.console import refusals
from handlers.http.texts.catalogue import text
from handlers.wiring import services
from models.rewards.solvency import Judgement
from models.rewards.solvency_entities import Verdict

MEMBERS_AT_MOST = 1_000_000


def on_invoke(event: Mapping[str, Any]) -> dict[str, Any]:
    """Show the simulated year as things stand; ``{"members": {county: n}, "actor"}`` plans first.

    ``members`` are the active members that a county is planned for; a county that has not begun is
    planned for 0 and not judged. Planning publishes nothing and is never refused: it is a fact.
    Safe to repeat. Answers ``told``, or ``{"refused": [{"field", "code"}]}``.
    """
    wired, planned = services(), event.get("members")
    if planned is not None:
        refused = [*_refused(planned, wired.grids_by_county())]
        for name, code in refusals.bad_texts(event, "actor").items():
            refused.append({"field": name, "code": code})
        if refused:
            return {"refused": refused}
        wired.solvency.plan(planned, actor=refusals.post_of(event), now=wired.clock.now())
    return told(wired.solvency.standing(wired.clock.now()))


def told(judgement: Judgement) -> dict[str, Any]:
    """A judgement with its figures: ``passes``, ``violated`` with a sentence in both languages,
    ``members``, and month by month and county by county what it follows from."""
    return {
        "passes": not judgement.violated,
        "violated": sentences(judgement.details),
        "members": dict(judgement.members),
        **figures(judgement.verdict),
    }


def figures(verdict: Verdict) -> dict[str, Any]:
    """The months' ends, and what the member in the middle reaches, by county."""
    return {
        "months": [
            {
                "month": end.month,
                "county": end.county,
                "issued": end.issued,
                "lapsed": end.lapsed,
                "liability": end.liability,
                "stock": end.stock,
            }
            for end in verdict.months
        ],
        "reach": [
            {
                "county": reach.county,
                "points_in_60_days": reach.points,
                "cheapest": reach.cheapest,
                "units": reach.units,
                "needed": reach.needed,
            }
            for reach in verdict.reaches
        ],
    }


def sentences(clauses: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Clauses with a sentence in Chinese, which names the county, and one in English."""
    return [
        {
            **clause,
            "zh": text(clause["code"], "zh", {**clause, "county": _named(clause.get("county"))}),
            "en": text(clause["code"], "en", clause),
        }
        for clause in clauses
    ]


def _named(county: str | None) -> str:
    division = services().places.division(county) if county else None
    return f"{division.name}（{county}）" if division else county or ""


def _refused(planned: object, known: Mapping[str, int]) -> list[dict[str, str]]:
    if not isinstance(planned, Mapping):
        return [{"field": "members", "code": "field.invalid"}]
    wrong = []
    for county, count in planned.items():
        if county not in known:
            wrong.append({"field": f"members.{county}", "code": "county.unknown"})
        elif type(count) is not int or not 0 <= count <= MEMBERS_AT_MOST:
            wrong.append({"field": f"members.{county}", "code": "field.invalid"})
    return wrong
