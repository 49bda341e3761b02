"""An admin publishes rules of points from the console."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from handlers.console import point_rules as handler
from models.base.clock import utc_text
from models.base.store import scan
from models.points.rule_sheets import DEFAULT_LEAD
from models.points.rule_tables import RuleRow
from tests.support.world import World


@pytest.fixture
def city(world: World) -> Iterator[World]:
    """The seeded city; what was published is gone afterwards, for the rules are everybody's."""
    yield world
    for row in scan(RuleRow):
        row.delete()
    world.services.point_rules.forget()


def invoke(*rules: dict[str, Any], **event: Any) -> dict[str, Any]:
    answer = handler.on_invoke({"actor": "city-desk", "rules": list(rules), **event})
    json.dumps(answer)
    return answer


def test_the_rules_come_as_they_hold_change_and_hold_from_then_on(city: World) -> None:
    before = handler.on_invoke({})
    answer = invoke({"rule": "report.first", "per_day": 6}, based_on=before["revision"])

    assert (answer["refused"], answer["clauses"]) == ([], [])
    assert (answer["revision"], answer["published"]) == (1, True)
    assert answer["versions"] == {"report.first": 2}
    assert answer["changed"] == {"report.first": {"per_day": [5, 6]}}
    assert len(answer["months"]) >= 12
    first = next(one for one in before["rules"] if one["rule"] == "report.first")
    assert (first["version"], first["points"], first["per_day"]) == (1, 10, 5)
    at = city.clock.now() + DEFAULT_LEAD
    assert city.services.ledger.rule("report.first", at).per_day == 6


def test_what_comes_out_goes_in_again_and_changes_nothing(city: World) -> None:
    rules = handler.on_invoke({})["rules"]

    answer = invoke(*rules)

    assert answer == {
        "revision": 0,
        "published": False,
        "versions": {},
        "changed": {},
        "refused": [],
        "clauses": [],
    }


def test_a_dry_run_publishes_nothing(city: World) -> None:
    answer = invoke({"rule": "report.first", "per_day": 6}, dry_run=True)

    assert (answer["published"], answer["versions"]) == (False, {"report.first": 2})
    assert handler.on_invoke({})["revision"] == 0


def test_every_error_of_the_command_is_told_at_once(city: World) -> None:
    answer = invoke(
        effective_from="tomorrow", effective_to=5, based_on="1", dry_run="yes", rules={"a": 1}
    )

    assert [(bad["field"], bad["code"]) for bad in answer["refused"]] == [
        ("rules", "field.wrong_type"),
        ("effective_from", "field.invalid"),
        ("effective_to", "field.invalid"),
        ("based_on", "field.wrong_type"),
        ("dry_run", "field.wrong_type"),
    ]


def test_every_error_of_a_rule_has_its_text(city: World) -> None:
    soon = utc_text(city.clock.now() + timedelta(seconds=119))

    answer = invoke({"rule": "report.first", "points": 5000}, effective_from=soon)

    early, large = answer["refused"]
    assert (early["code"], large["code"], large["limit"]) == (
        "rule.too_early",
        "field.too_large",
        1000,
    )
    assert early["limit"] in early["message"]


def test_what_was_published_meanwhile_is_told(city: World) -> None:
    invoke({"rule": "report.first", "per_day": 6})

    answer = invoke({"rule": "report.first", "per_day": 7}, based_on=0)

    assert [bad["code"] for bad in answer["refused"]] == ["rule.published_meanwhile"]
    assert not answer["published"]


def test_what_a_year_could_not_bear_is_refused_with_the_clause(city: World) -> None:
    answer = invoke(
        {"rule": "report.first", "points": 1000, "per_day": 100},
        {"rule": "totals", "per_day": 10_000, "per_month": 10_000},
    )

    assert [bad["code"] for bad in answer["refused"]] == ["solvency.refused"]
    assert answer["clauses"]
    assert all(clause["zh"] and clause["en"] for clause in answer["clauses"])
    assert handler.on_invoke({})["revision"] == 0
