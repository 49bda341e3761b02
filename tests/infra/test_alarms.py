"""Each alarm listens to a metric that is really counted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handlers import telemetry
from handlers.events import appeals, reconciliation
from models.calendar.china import working_time
from models.calendar.watch import years_missing_soon
from models.points.reconciliation import Night

TEMPLATE = Path(__file__).parents[2] / "infra" / "template" / "app.json"
RESOURCES = json.loads(TEMPLATE.read_text(encoding="utf-8"))["Resources"]


def test_the_alarm_of_a_missing_year_hears_what_the_daily_check_counts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "check_calendar")
    monkeypatch.setenv("STAGE", "prod")
    alarm = RESOURCES["CalendarYearMissing"]["Properties"]

    assert years_missing_soon(working_time(), datetime(2030, 1, 1, tzinfo=UTC))
    telemetry.count("calendar", "year_missing")

    counted = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert value_heard(alarm, counted) >= alarm["Threshold"]


def test_the_alarms_of_the_ledger_hear_a_drift_and_a_night_without_a_root(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "reconcile_points")
    monkeypatch.setenv("STAGE", "prod")
    drifted, unproven = (
        RESOURCES[name]["Properties"] for name in ("LedgerDrifted", "LedgerUnproven")
    )
    night = Night(day="2026-03-18", wallets=3, drifts=1, is_done_now=True, root="f" * 64)
    wired = SimpleNamespace(reconciliation=SimpleNamespace(run=lambda: night))
    monkeypatch.setattr(reconciliation, "services", lambda: wired)

    reconciliation.on_schedule()

    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert value_heard(drifted, said[0]) >= drifted["Threshold"]
    assert value_heard(unproven, said[1]) >= unproven["Threshold"]
    assert unproven["ComparisonOperator"] == "LessThanThreshold"
    assert unproven["TreatMissingData"] == "breaching"


def test_the_alarm_of_appeals_hears_one_that_nobody_decided(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "watch_appeals")
    monkeypatch.setenv("STAGE", "prod")
    alarm = RESOURCES["AppealsWaiting"]["Properties"]
    grid = SimpleNamespace(county="411503")
    wired = SimpleNamespace(
        places=SimpleNamespace(grids=lambda: [grid, grid]),
        point_appeals=SimpleNamespace(overdue=lambda county: 2),
    )
    monkeypatch.setattr(appeals, "services", lambda: wired)

    assert appeals.on_schedule() == {"waiting": 2}

    counted = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert value_heard(alarm, counted) >= alarm["Threshold"]


def value_heard(alarm: dict[str, Any], counted: dict[str, Any]) -> float:
    """The value that an alarm's metric has in a line of CloudWatch's format."""
    directive = counted["_aws"]["CloudWatchMetrics"][0]
    assert directive["Namespace"] == alarm["Namespace"]
    assert directive["Metrics"][0]["Name"] == alarm["MetricName"]
    dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
    assert {name: counted[name] for name in directive["Dimensions"][0]} == dimensions
    return float(counted[alarm["MetricName"]][0])
