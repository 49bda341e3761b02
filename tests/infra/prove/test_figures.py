"""The figures of ``make prove`` say when something is not as it must be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.client import Client
from infra.prove import figures, storms
from infra.prove.kills import Diary
from infra.prove.losses import Findings
from infra.prove.phones import Sent


def a_diary() -> Diary:
    """Two reports of one rider, one of them claimed, and a request that was repeated."""
    rider = Client("http://127.0.0.1:1")
    diary = Diary(
        kills=4,
        sent=[
            Sent(
                rider=rider,
                report_id=f"rpt_{number}",
                case_id=f"case_{number}",
                upload_id=f"up_{number}",
                sha256="0" * 64,
                day="2026-03-18",
            )
            for number in range(2)
        ],
        claimed=["case_0"],
    )
    diary.repeats.add()
    return diary


def broken(*, diary: Diary | None = None, seconds: float = 60.0, **found: Any) -> set[str]:
    """The names of the figures that are not as they must be."""
    findings = Findings(**{"lost": (), "doubled": (), "alerts": 2, **found})
    drawn = storms.figures_of(diary or a_diary(), findings, kills=4, seconds=seconds)
    return {figure.name for figure in drawn if not figure.ok}


def test_a_clean_run_is_within_every_budget() -> None:
    assert broken() == set()


@pytest.mark.parametrize(
    ("found", "figure"),
    [
        ({"lost": ("report: rpt_1",)}, "kills.lost"),
        ({"doubled": ("alert at WeChat: case_1",)}, "kills.doubled"),
        ({"alerts": 1}, "kills.alerts"),
        ({"seconds": 601.0}, "kills.seconds"),
    ],
)
def test_what_is_found_breaks_its_figure(found: dict[str, Any], figure: str) -> None:
    assert broken(**found) == {figure}


def test_a_storm_that_hit_nothing_proves_nothing() -> None:
    assert broken(diary=Diary(), alerts=0) == {
        "kills.kills",
        "kills.reports",
        "kills.claims",
        "kills.repeated",
    }


def test_the_file_holds_every_figure(tmp_path: Path) -> None:
    findings = Findings(lost=(), doubled=(), alerts=2)
    found = storms.figures_of(a_diary(), findings, kills=4, seconds=60.0)

    figures.write(found, tmp_path / "build" / "prove.json")

    written = json.loads((tmp_path / "build" / "prove.json").read_text(encoding="utf-8"))
    assert [set(figure) for figure in written["figures"]] == [
        {"name", "value", "unit", "budget", "ok"}
    ] * len(found)
    assert written["figures"][0] == {
        "name": "kills.kills",
        "value": 4,
        "unit": "kills",
        "budget": 4,
        "ok": True,
    }
