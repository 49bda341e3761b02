"""Each alarm listens to a metric that is really counted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from handlers import telemetry
from models.calendar.china import working_time
from models.calendar.watch import years_missing_soon

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
    directive = counted["_aws"]["CloudWatchMetrics"][0]
    assert directive["Namespace"] == alarm["Namespace"]
    assert directive["Metrics"][0]["Name"] == alarm["MetricName"]
    dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
    assert {name: counted[name] for name in directive["Dimensions"][0]} == dimensions
    assert counted[alarm["MetricName"]][0] >= alarm["Threshold"]
