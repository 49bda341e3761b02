"""An admin takes in who is close to whom."""

from __future__ import annotations

from handlers.console import links
from models.people.links import linked_to
from tests.support.world import Person, World

HEADING = "phone_key,other_phone_key,why"


def key(world: World, person: Person) -> str:
    assert person.post is not None
    return world.services.pseudonyms.phone(person.post.phone)


def imported(*lines: str) -> dict[str, object]:
    return links.on_invoke({"csv": "\n".join([HEADING, *lines]), "actor": "district"})


def test_two_officials_are_linked_until_a_file_says_otherwise(world: World) -> None:
    one, other = world.officer, world.neighbouring_officer
    pair = f"{key(world, one)},{key(world, other)}"

    linked, there = imported(f"{pair},household"), linked_to(one.member_id)
    ended, then = imported(f"{pair},none"), linked_to(one.member_id)

    assert linked == {"added": 1, "changed": 0, "removed": 0, "refused": []}
    assert other.member_id in there
    assert ended == {"added": 0, "changed": 0, "removed": 1, "refused": []}
    assert other.member_id not in then


def test_one_bad_line_and_nothing_is_written(world: World) -> None:
    one, other = world.officer, world.neighbouring_officer
    pair = f"{key(world, one)},{key(world, other)}"

    answer = imported(f"{pair},relative", f"{pair},friends")

    assert answer["refused"] == [{"line": 3, "code": "link.unknown_why"}]
    assert other.member_id not in linked_to(one.member_id)
