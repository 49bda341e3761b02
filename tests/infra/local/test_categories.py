"""The categories from a shell: the newest list out, a changed one in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers import wiring
from handlers.settings import Settings
from handlers.wiring import Services
from infra.local import categories as shell
from infra.local import engine as engines
from infra.local.seed import geography
from infra.local.stack import Ports, Stack
from models.base.ids import new_id
from models.base.tables import Database, use_database
from models.cases.categories import first_sheet
from models.cases.sheets import read

COUNTY = geography.WEST_COUNTY


@pytest.fixture
def stack(engine: engines.Engine, database: Database, tmp_path: Path) -> Iterator[Stack]:
    """A stack with only its engine running, with tables of its own and the seeded grids."""
    prefix = new_id("categories") + "-"
    engines.create_tables(engine.url, prefix)
    port = int(engine.url.rsplit(":", 1)[1])
    made = Stack(home=tmp_path, ports=Ports(engine=port), extra={"TABLE_PREFIX": prefix})
    Services(Settings.read(made.environment())).places.put_grids(geography.grids())
    yield made
    wiring.use_services(None)
    use_database(database)


def written(tmp_path: Path, text: str) -> str:
    file = tmp_path / "sheet.csv"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_the_list_comes_out_as_it_stands(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.main(["show"], stack) == 0

    assert read(capsys.readouterr().out) == list(first_sheet())


def test_a_county_publishes_its_limits_after_a_dry_run(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, "code,limit,claim\nE0493a,30 wm,10 wm\n")

    assert shell.main(["publish", file, COUNTY, "--dry-run"], stack) == 0
    assert capsys.readouterr().out == "+ E0493a\nv1 没有发布 (not published)\n"
    assert shell.main(["publish", file, COUNTY], stack) == 0
    assert capsys.readouterr().out == "+ E0493a\nv1 已发布 (published)\n"
    assert shell.main(["show", COUNTY], stack) == 0
    assert "E0493a,,30 wm,10 wm" in capsys.readouterr().out


def test_the_citys_list_tells_what_was_taken_away_and_changed(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.main(["show"], stack)
    lines = capsys.readouterr().out.splitlines()[:-1]
    file = written(tmp_path, "\n".join(lines).replace("非机动车乱停放", "非机动车乱停"))

    assert shell.main(["publish", file], stack) == 0

    told = capsys.readouterr().out
    assert told == "- X9901\n~ E0410: zh\nv2 已发布 (published)\n"


def test_every_error_is_told_and_nothing_is_published(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, "code,limit\nE0493a,soon\nnone,1 wd\n")

    assert shell.main(["publish", file, COUNTY], stack) == 1

    told = capsys.readouterr().err
    assert "3: code: category.unknown" in told
    assert "nothing was changed" in told


def test_without_a_service_it_says_so(
    tmp_path: Path, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    away = Stack(home=tmp_path, ports=Ports(engine=20001), extra={"TABLE_PREFIX": "none-"})

    done = shell.main(["show"], away)

    use_database(database)
    wiring.use_services(None)
    assert (done, "not running" in capsys.readouterr().err) == (1, True)
