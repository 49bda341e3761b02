"""Log lines are JSON, and on Lambda every outcome is a metric."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from handlers import telemetry


@pytest.fixture(autouse=True)
def _usual_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_log_line_is_json_with_its_facts(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.set_up(service="partners", level="INFO")

    logging.getLogger("models.cases").info("case.closed", extra={"case_id": "case_1"})

    line = json.loads(capsys.readouterr().out)
    assert (line["message"], line["case_id"], line["service"]) == (
        "case.closed",
        "case_1",
        "partners",
    )


def test_libraries_that_would_log_requests_are_kept_quiet() -> None:
    telemetry.set_up(service="partners", level="DEBUG")

    for name in ("botocore", "urllib3", "pynamodb", "PIL"):
        assert not logging.getLogger(f"{name}.anything").isEnabledFor(logging.INFO)


def test_on_lambda_an_outcome_is_counted_in_cloudwatchs_format(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "partners-prod")
    monkeypatch.setenv("STAGE", "prod")

    telemetry.count("submit_report", "accepted")

    line = json.loads(capsys.readouterr().out)
    assert line["submit_report.accepted"] == [1.0]
    assert line["stage"] == "prod"
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == telemetry.NAMESPACE


def test_elsewhere_nothing_is_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)

    telemetry.count("submit_report", "accepted")

    assert capsys.readouterr().out == ""
