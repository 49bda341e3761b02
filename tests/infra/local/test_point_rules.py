"""The rules of points from a shell: out as they hold, in as they shall be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers import wiring
from infra.local import engine as engines
from infra.local import point_rules as shell
from infra.local.stack import Ports, Stack
from models.base.ids import new_id
from models.base.tables import Database, use_database


@pytest.fixture
def stack(engine: engines.Engine, database: Database, tmp_path: Path) -> Iterator[Stack]:
    """A stack with only its engine running, with tables of its own."""
    prefix = new_id("rules") + "-"
    engines.create_tables(engine.url, prefix)
    port = int(engine.url.rsplit(":", 1)[1])
    yield Stack(home=tmp_path, ports=Ports(engine=port), extra={"TABLE_PREFIX": prefix})
    wiring.use_services(None)
    use_database(database)


def test_rules_are_shown_changed_tried_and_published(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "more.json"
    file.write_text('[{"rule": "report.first", "per_day": 6}]', encoding="utf-8")

    assert shell.main(["show"], stack) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shell.main(["publish", str(file), "--dry-run"], stack) == 0
    tried = capsys.readouterr().out
    assert shell.main(["publish", str(file)], stack) == 0
    published = capsys.readouterr().out

    assert shown[0]["rule"] == "report.first"
    assert tried == "~ report.first.per_day: 5 → 6\nr1 没有发布 (not published)\n"
    assert published == "~ report.first.per_day: 5 → 6\nr1 已发布 (published)\n"


def test_errors_are_told_and_nothing_is_published(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wrong.json"
    file.write_text('[{"rule": "report.first", "points": -1}]', encoding="utf-8")

    assert shell.main(["publish", str(file)], stack) == 1

    assert "report.first points: field.too_small" in capsys.readouterr().err
