"""A rider takes his ledger away and checks it himself, even after he has left."""

from __future__ import annotations

import json
import re

import pytest

from infra.local.client import Reply
from infra.prove import verify_statement
from models.people.withdrawals import Withdrawn
from models.points.checking import check_member
from models.points.checkpoint_tables import ROOT, RootRow
from tests.support.world import InProcess, Person, World, done

PLAIN = re.compile(r"[A-Za-z0-9_.@:#+-]+")
"""What an id, a code, a day or a number is made of; nobody's name or words are."""


def paid_and_spending(world: World) -> Person:
    """A rider who was paid for a report and for more, and reserved a reward."""
    rider = world.redeemer(points=15)
    world.filed(rider).claimed()
    world.work()
    rider.sign_in()
    done(rider.app.post("/v1/redemptions", {"reward_id": world.haircut}))
    return rider


def exported(rider: Person) -> Reply:
    reply = rider.app.get("/v1/points/export")
    assert reply.status == 200
    return reply


def test_the_export_is_checked_offline_and_agrees_with_the_balances(world: World) -> None:
    rider = paid_and_spending(world)

    statement = exported(rider).body

    assert verify_statement.verify([statement], "").startswith("OK 3 lines")
    balances = done(rider.app.get("/v1/points")).body
    assert statement["wallet"]["balances"] == {
        name: balances[name] for name in ("available", "pending", "held", "debt")
    }


def test_a_line_that_was_changed_on_the_way_is_named(world: World) -> None:
    statement = exported(paid_and_spending(world)).body
    statement["entries"][1]["body"] = statement["entries"][1]["body"].replace("1", "2")

    with pytest.raises(SystemExit, match="WRONG line 2:"):
        verify_statement.verify([statement], "")


def test_a_foreign_cursor_is_the_bad_field(world: World) -> None:
    reply = world.bystander.app.get("/v1/points/export?cursor=AAAA")

    assert (reply.status, reply.body["fields"][0]["field"]) == (422, "cursor")


def test_the_root_of_a_day_is_shown_to_everybody_once_its_night_is_done(world: World) -> None:
    RootRow(
        "2020-02-29",
        ROOT,
        root="f" * 64,
        previous="0" * 64,
        tops=[],
        wallets=3,
        entries=7,
        totals={"a": 5},
        drifts=0,
        at=world.clock.now(),
    ).save()

    shown = InProcess(world.gateway).get("/v1/points/roots/2020-02-29")
    missing = InProcess(world.gateway).get("/v1/points/roots/2020-03-01")

    assert shown.body == {
        "day": "2020-02-29",
        "root": "f" * 64,
        "previous": "0" * 64,
        "wallets": 3,
        "entries": 7,
    }
    assert (missing.status, missing.body["code"]) == (404, "root.not_found")


def test_nothing_that_is_hashed_is_personal_and_erasing_a_member_leaves_the_chain_whole(
    world: World,
) -> None:
    rider = paid_and_spending(world)
    before = exported(rider).body

    for part in world.services._forgetful:
        part.forget(rider.member_id, Withdrawn.ACCOUNT)

    assert check_member(rider.member_id) == ()
    after = world.services.exports.piece(rider.member_id)
    assert [entry.body for entry in after.entries] == [line["body"] for line in before["entries"]]
    for entry in after.entries:
        assert rider.openid not in entry.body
        for text in _texts(json.loads(entry.body)):
            assert PLAIN.fullmatch(text) or not text, text


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(text for each in value.values() for text in _texts(each))]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("day", ["9" * 3000, "%E6%9C%88" * 800, "2026-11-31x"])
def test_what_is_no_day_has_no_root(world: World, day: str) -> None:
    reply = world.bystander.app.get(f"/v1/points/roots/{day}")

    assert (reply.status, reply.body["code"]) == (404, "root.not_found")
