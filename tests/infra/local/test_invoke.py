"""Functions are invoked here as in the AWS console: with JSON, answered as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers import wiring
from infra.local import engine as engines
from infra.local import invoke
from infra.local.stack import Ports, Stack
from models.base.ids import new_id
from models.base.tables import Database, use_database


@pytest.fixture
def stack(engine: engines.Engine, database: Database, tmp_path: Path) -> Iterator[Stack]:
    """A stack with only its engine running, with tables of its own."""
    prefix = new_id("invoke") + "-"
    engines.create_tables(engine.url, prefix)
    port = int(engine.url.rsplit(":", 1)[1])
    yield Stack(home=tmp_path, ports=Ports(engine=port), extra={"TABLE_PREFIX": prefix})
    wiring.use_services(None)
    use_database(database)


def test_a_function_answers_and_what_it_refuses_fails_the_command(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "links.csv"
    file.write_text("phone_key,other_phone_key,why\na,b,relative\n", encoding="utf-8")

    imported = invoke.main(["import_links", '{"actor": "shell"}', "--csv", str(file)], stack)
    out = capsys.readouterr().out
    told = json.loads(out[out.index("{\n") :])  # after what the app logged
    refused = invoke.main(["list_proposals", '{"county": "000000"}'], stack)

    assert (imported, told["added"]) == (0, 1)
    assert refused == 1
    assert "没有这个区县" in capsys.readouterr().out


def test_the_functions_are_listed_and_an_unknown_one_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert invoke.main([]) == 0
    assert "decide_points" in capsys.readouterr().out.splitlines()
    assert invoke.main(["make_coffee"]) == 1
    assert "make_coffee" in capsys.readouterr().err


def test_an_event_is_a_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("[1]", "no json"):
        with pytest.raises(SystemExit):
            invoke.main(["list_proposals", wrong])

    assert "event" in capsys.readouterr().err
