"""An admin puts rewards on the shelf, and takes them off again, from the console."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from handlers.console import rewards as handler
from infra.local.seed import geography
from models.base.ids import new_id
from tests.support.world import World, done

COUNTY = geography.WEST_COUNTY


def publish(**event: Any) -> dict[str, Any]:
    return handler.on_publish({"actor": "district", **event})


def change(**event: Any) -> dict[str, Any]:
    return handler.on_change({"actor": "district", **event})


def a_row(**cells: Any) -> dict[str, Any]:
    """A copy of the seeded haircut, under an id of its own."""
    rows = list(csv.DictReader(io.StringIO(publish()["csv"])))
    haircut = next(row for row in rows if row["reward_id"] == f"{COUNTY}-haircut")
    return {**haircut, "reward_id": new_id("rwd"), "quotas": f"{COUNTY}=1", **cells}


def test_a_reward_goes_from_the_sheet_to_the_riders_catalogue_and_off_it(world: World) -> None:
    row = a_row()

    tried = publish(content=[row], dry_run=True)
    answer = publish(content=[row])

    assert (tried["published"], answer["published"]) == (False, True)
    assert tried["added"] == answer["added"] == [row["reward_id"]]
    path = f"/v1/rewards/{row['reward_id']}"
    shown = done(world.bystander.app.get(path)).body["reward"]
    assert (shown["price_points"], shown["stock_left"]) == (10, 1)
    retired = change(reward_id=row["reward_id"], action="retire")
    assert (retired["status"], retired["refused"]) == ("retired", None)
    assert all(clause["zh"] for clause in retired["clauses"])
    assert world.bystander.app.get(path).status == 404


def test_the_whole_shelf_comes_out_and_goes_in_again_unchanged(world: World) -> None:
    taken = [row for row in _rows(publish()["csv"]) if row["reward_id"].startswith(COUNTY)]

    answer = publish(content=taken)

    assert answer["refused"] == []
    assert (answer["added"], answer["changed"]) == ([], {})


def test_a_command_that_lacks_its_words_is_told_which(world: World) -> None:
    published = handler.on_publish({"content": []})
    changed = handler.on_change({"action": "pause", "reward_id": 5})
    nothing = handler.on_change({"actor": "district"})

    assert [(each["column"], each["code"]) for each in published["refused"]] == [
        ("actor", "field.missing")
    ]
    assert (changed["status"], changed["fields"]) == (
        None,
        {"reward_id": "field.wrong_type", "actor": "field.missing"},
    )
    assert nothing["refused"] == "action.unknown"


def test_errors_say_where_they_are_and_nothing_is_published(world: World) -> None:
    answer = publish(content=[a_row(price="free", county="411599")], funds="[", classes="fund_id")

    assert answer["refused"] == [
        {"sheet": "funds", "row": 0, "column": "funds", "code": "sheet.unreadable", "limit": None}
    ]
    answer = publish(content=[a_row(price="free", county="411599")])
    assert [(each["column"], each["code"]) for each in answer["refused"]] == [
        ("price", "field.out_of_range")
    ]
    assert answer["published"] is False


@pytest.mark.parametrize(
    ("reward_id", "action", "refused"),
    [
        ("none", "pause", "reward.not_found"),
        (f"{COUNTY}-haircut", "sell_out", "action.unknown"),
        (f"{COUNTY}-haircut", "restock", "action.unknown"),
    ],
)
def test_a_change_that_cannot_be_is_refused_by_name(
    world: World, reward_id: str, action: str, refused: str
) -> None:
    assert change(reward_id=reward_id, action=action)["refused"] == refused


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))
