"""An admin takes in a receiver's file, and looks for cases that nobody holds any more."""

from __future__ import annotations

from handlers.console import orphans, transfers
from infra.local.seed import geography
from models.cases.transfer_files import COLUMNS
from tests.support.world import World, done


def test_a_receivers_file_is_answered_line_by_line(world: World) -> None:
    filed = world.filed()
    done(filed.act(world.lead, "transfer", reason="police_matter", receiver="police"))
    number = done(world.lead.app.get(f"/v1/cases/{filed.case_id}")).body["number"]
    at = "2026-03-18T09:00:00+08:00"
    text = "\n".join(
        [",".join(COLUMNS), f"police,GA-9,{number},accepted,{at},", f"police,,,resolved,{at},"]
    )

    answer = transfers.on_invoke({"csv": text, "county": geography.EAST_COUNTY})

    assert [line["outcome"] for line in answer["lines"]] == ["done", "refused"]
    assert answer["lines"][1]["column"] == "external_ref"
    shown = done(world.lead.app.get(f"/v1/cases/{filed.case_id}")).body
    assert (shown["status"], shown["external_ref"]) == ("external", "GA-9")


def test_what_is_no_such_file_is_refused_as_a_whole(world: World) -> None:
    answer = transfers.on_invoke({"csv": "a,b\n1,2", "county": geography.EAST_COUNTY})

    assert answer == {
        "lines": [],
        "refused": [{"column": "csv", "code": "hand_over.columns"}],
    }


def test_where_everybody_is_there_no_case_is_an_orphan(world: World) -> None:
    filed = world.filed().claimed()
    grid = world.posts()["officer"].scope.removeprefix("grid:")
    asked = {"county": geography.EAST_COUNTY, "grid": grid}
    orphans.on_invoke(asked)  # what officers of other tests have left behind

    answer = orphans.on_invoke(asked)

    assert answer == {"grids": 1, "released": 0}
    assert done(world.lead.app.get(f"/v1/cases/{filed.case_id}")).body["status"] == "claimed"
