"""The roster from a shell: list it, change it, import it; it stays, and who lost a role is out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers import wiring
from handlers.settings import Settings
from handlers.wiring import Services
from infra.local import engine as engines
from infra.local import roster as shell
from infra.local.seed import geography, stations
from infra.local.seed import roster as seeded
from infra.local.stack import Ports, Stack
from models.base.ids import new_id
from models.base.tables import Database, use_database
from models.people.tables import scan_roster

COUNTY = geography.WEST_COUNTY
GRID = next(grid.grid_id for grid in geography.grids() if grid.county == COUNTY)
HEADING = ",".join(shell.COLUMNS)


@pytest.fixture
def stack(engine: engines.Engine, database: Database, tmp_path: Path) -> Iterator[Stack]:
    """A stack with only its engine running, with tables of its own and the seeded grids."""
    prefix = new_id("roster") + "-"
    engines.create_tables(engine.url, prefix)
    port = int(engine.url.rsplit(":", 1)[1])
    yield Stack(home=tmp_path, ports=Ports(engine=port), extra={"TABLE_PREFIX": prefix})
    wiring.use_services(None)
    use_database(database)


@pytest.fixture
def services(stack: Stack) -> Services:
    wired = Services(Settings.read(stack.environment()))
    wired.places.put_grids(geography.grids())
    return wired


def lines_of(county: str) -> int:
    return len(scan_roster(county))


def test_a_roster_is_imported_from_a_file_with_keys_made_here(
    stack: Stack,
    services: Services,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("10099999991\n\n10099999992\n"))
    assert shell.main(["key"], stack) == 0
    keys = capsys.readouterr().out.split()
    file = tmp_path / "roster.csv"
    rows = [f"{key},officer,grid:{GRID},{COUNTY},网格员,2026-01-01," for key in keys]
    file.write_text("\n".join([HEADING, *rows]), encoding="utf-8")

    done = shell.main(["import", str(file), COUNTY], stack)

    assert (done, capsys.readouterr().out) == (0, "+2 ~0 -0\n")
    assert {row.phone_key for row in scan_roster(COUNTY)} == set(keys)
    assert keys == [services.pseudonyms.phone(f"1009999999{n}") for n in (1, 2)]


def test_what_is_listed_imports_as_no_change(
    stack: Stack, services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seeded.plant(services)
    services.stations.put_stations(stations.stations())
    assert shell.main(["list", COUNTY], stack) == 0
    file = tmp_path / "roster.csv"
    file.write_text(capsys.readouterr().out, encoding="utf-8")

    done = shell.main(["import", str(file), COUNTY], stack)

    assert (done, capsys.readouterr().out) == (0, "+0 ~0 -0\n")


def test_the_seed_leaves_an_imported_roster_alone(
    stack: Stack, services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seeded.plant(services)
    before = lines_of(COUNTY)
    shell.main(["list", COUNTY], stack)
    heading, _removed, *rest = capsys.readouterr().out.splitlines()
    file = tmp_path / "roster.csv"
    file.write_text("\n".join([heading, *rest]), encoding="utf-8")
    services.stations.put_stations(stations.stations())

    assert shell.main(["import", str(file), COUNTY], stack) == 0
    changed = seeded.plant(services, without=stack.own_rosters())

    assert (lines_of(COUNTY), changed) == (before - 1, 0)


def test_one_bad_line_changes_nothing_and_is_named(
    stack: Stack, services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "roster.csv"
    key = services.pseudonyms.phone("10099999991")
    rows = [
        f"{key},officer,grid:{GRID},{COUNTY},员,2026-01-01,",
        f"{key},mayor,grid:1,{COUNTY},员,2026-01-01,",
    ]
    file.write_text("\n".join([HEADING, *rows]), encoding="utf-8")

    done = shell.main(["import", str(file), COUNTY], stack)

    assert done == 1
    assert f"{file}:3: roster.unknown_role" in capsys.readouterr().err
    assert lines_of(COUNTY) == 0
    assert stack.own_rosters() == frozenset()


def test_what_is_no_phone_gets_no_key(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("not a phone\n"))

    assert shell.main(["key"], stack) == 1
    assert capsys.readouterr().out == ""


def test_leaves_are_imported_from_a_file_and_listed_as_they_were(
    stack: Stack, services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seeded.plant(services)
    services.stations.put_stations(stations.stations())
    before = lines_of(COUNTY)
    officers = [row for row in scan_roster(COUNTY) if row.role == "officer"]
    away = next(row for row in officers if row.scope == f"grid:{GRID}")
    deputy = next(row for row in officers if row.phone_key != away.phone_key)
    row = f"{away.phone_key},{away.scope},{COUNTY},2026-03-20,2026-03-23,{deputy.phone_key},sick"
    file = tmp_path / "leaves.csv"
    file.write_text(f"{','.join(shell.LEAVE_COLUMNS)}\n{row}\n", encoding="utf-8")

    assert shell.main(["leaves", COUNTY, str(file)], stack) == 0
    assert shell.main(["leaves", COUNTY], stack) == 0
    report, listed = capsys.readouterr().out.split("\n", 1)
    file.write_text(listed, encoding="utf-8")
    assert shell.main(["leaves", COUNTY, str(file)], stack) == 0

    assert (report, capsys.readouterr().out) == ("+1 ~0 -0", "+0 ~0 -0\n")
    assert lines_of(COUNTY) == before + 1


def test_a_roster_listed_during_a_leave_imports_as_no_change(
    stack: Stack, services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seeded.plant(services)
    services.stations.put_stations(stations.stations())
    secretaries = [row for row in scan_roster(COUNTY) if row.role == "community"]
    away = secretaries[0]
    deputy = next(row for row in secretaries if row.phone_key != away.phone_key)
    row = f"{away.phone_key},,{COUNTY},2026-03-20,2026-03-23,{deputy.phone_key},sick"
    file = tmp_path / "file.csv"
    file.write_text(f"{','.join(shell.LEAVE_COLUMNS)}\n{row}\n", encoding="utf-8")
    shell.main(["leaves", COUNTY, str(file)], stack)
    capsys.readouterr()
    shell.main(["list", COUNTY], stack)
    file.write_text(capsys.readouterr().out, encoding="utf-8")

    done = shell.main(["import", str(file), COUNTY], stack)

    assert (done, capsys.readouterr().out) == (0, "+0 ~0 -0\n")


def test_one_bad_leave_changes_nothing_and_is_named(
    stack: Stack, services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "leaves.csv"
    key = services.pseudonyms.phone("10099999991")
    row = f"{key},,{COUNTY},2026-03-20,2026-03-23,{key},sick"
    file.write_text(f"{','.join(shell.LEAVE_COLUMNS)}\n{row}\n", encoding="utf-8")

    assert shell.main(["leaves", COUNTY, str(file)], stack) == 1

    assert f"{file}:2: leave.own_deputy" in capsys.readouterr().err
