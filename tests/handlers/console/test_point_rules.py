"""An admin publishes rules of points from the console."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from handlers.console import point_rules as handler
from infra.local.engine import Engine
from models.base.clock import utc_text
from models.base.errors import Conflict
from models.base.tables import Database, _shared, use_database
from models.points.rule_sheets import DEFAULT_LEAD
from tests.support.categories import own_tables
from tests.support.world import World

CACHED = ("point_rules", "rule_publishing", "ledger")


@pytest.fixture
def city(world: World, engine: Engine) -> Iterator[World]:
    """The seeded city, whose rules are this test's alone."""
    database = _shared.database
    assert isinstance(database, Database)
    known = {name: world.services.__dict__.pop(name, None) for name in CACHED}
    own_tables(engine.url, "point-rules")
    yield world
    use_database(database)
    for name, service in known.items():
        world.services.__dict__.pop(name, None)
        if service is not None:
            world.services.__dict__[name] = service


def invoke(*rules: dict[str, Any], **event: Any) -> dict[str, Any]:
    answer = handler.on_invoke({"actor": "city-desk", "rules": list(rules), **event})
    json.dumps(answer)
    return answer


def test_the_rules_come_as_they_hold_change_and_hold_from_then_on(city: World) -> None:
    before = handler.on_invoke({})
    answer = invoke({"rule": "report.first", "per_day": 6}, based_on=before["revision"])

    assert answer == {
        "revision": 1,
        "published": True,
        "versions": {"report.first": 2},
        "changed": {"report.first": {"per_day": [5, 6]}},
        "refused": [],
    }
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


def test_the_clauses_that_a_year_would_break_are_told(
    city: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Conflict("solvency.refused", clauses=[{"code": "solvency.uncovered"}])

    monkeypatch.setattr(city.services.rule_publishing, "publish", refuse)

    (refused,) = invoke({"rule": "report.first", "per_day": 7})["refused"]

    assert refused["details"] == {"clauses": [{"code": "solvency.uncovered"}]}
