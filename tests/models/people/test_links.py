"""Who is close to whom: what an admin declares, and what phones tell."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from models.base.clock import FixedClock
from models.base.ids import new_id
from models.people import links
from models.people.importing import ImportReport
from models.people.links import import_links, linked_to
from tests.support.people import PSEUDONYMS, People, a_phone, a_request_id


def bound(people: People, phone: str) -> str:
    """A new member who has bound a phone."""
    openid = new_id("openid")
    signed_in = people.sign_in(openid)
    people.members.bind_phone(
        signed_in.actor, people.wechat.phone_code(phone, openid), a_request_id()
    )
    return signed_in.actor.member_id


def declare(clock: FixedClock, one: str, other: str, why: str = "relative") -> ImportReport:
    line = {
        "phone_key": PSEUDONYMS.phone(one),
        "other_phone_key": PSEUDONYMS.phone(other),
        "why": why,
    }
    return import_links([line], now=clock.now(), actor="district")


def test_relatives_whose_phones_are_bound_are_linked_both_ways(
    people: People, clock: FixedClock
) -> None:
    one_phone, other_phone = a_phone(), a_phone()
    one, other = bound(people, one_phone), bound(people, other_phone)

    report = declare(clock, one_phone, other_phone)

    assert report == ImportReport(added=1)
    assert (linked_to(one), linked_to(other)) == ({other}, {one})


@pytest.mark.parametrize("first_bound", [True, False])
def test_a_declared_link_counts_from_when_both_phones_are_bound(
    people: People, clock: FixedClock, first_bound: bool
) -> None:
    one_phone, other_phone = a_phone(), a_phone()
    earlier = [bound(people, one_phone)] if first_bound else []

    declare(clock, one_phone, other_phone)
    later = [bound(people, phone) for phone in (one_phone, other_phone)[len(earlier) :]]

    one, other = [*earlier, *later]
    assert (linked_to(one), linked_to(other)) == ({other}, {one})


def test_importing_twice_changes_nothing_and_none_ends_it(
    people: People, clock: FixedClock
) -> None:
    one_phone, other_phone = a_phone(), a_phone()
    one, other = bound(people, one_phone), bound(people, other_phone)
    declare(clock, one_phone, other_phone)

    assert declare(clock, one_phone, other_phone) == ImportReport()
    assert declare(clock, one_phone, other_phone, "none") == ImportReport(removed=1)
    assert declare(clock, one_phone, other_phone, "none") == ImportReport()
    assert (linked_to(one), linked_to(other)) == (frozenset(), frozenset())


def test_two_accounts_that_had_one_phone_are_linked_for_good(
    people: People, clock: FixedClock
) -> None:
    phone = a_phone()
    one = bound(people, phone)
    people.members.release_phone(one)

    other = bound(people, phone)

    assert (linked_to(one), linked_to(other)) == ({other}, {one})
    declare(clock, phone, a_phone(), "none")
    assert linked_to(one) == {other}


def test_whoever_has_only_his_own_phone_is_linked_to_nobody(people: People) -> None:
    phone = a_phone()
    member_id = bound(people, phone)

    assert linked_to(member_id) == frozenset()
    assert linked_to(new_id("mbr")) == frozenset()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"phone_key": ""}, "link.needs_two"),
        ({"other_phone_key": "phk_1"}, "link.needs_two"),
        ({"why": "friend"}, "link.unknown_why"),
        ({"why": "bound"}, "link.unknown_why"),
    ],
)
def test_a_refused_line_stops_the_file_whole(
    people: People, clock: FixedClock, changed: dict[str, str], code: str
) -> None:
    one_phone, other_phone = a_phone(), a_phone()
    one = bound(people, one_phone)
    bound(people, other_phone)
    good = {
        "phone_key": PSEUDONYMS.phone(one_phone),
        "other_phone_key": PSEUDONYMS.phone(other_phone),
        "why": "relative",
    }
    bad = {"phone_key": "phk_1", "other_phone_key": "phk_2", "why": "relative", **changed}

    report = import_links([good, bad], now=clock.now(), actor="district")

    assert report == ImportReport(refused=((3, code),))
    assert linked_to(one) == frozenset()


def test_many_links_made_at_once_are_all_kept(people: People, clock: FixedClock) -> None:
    phone = PSEUDONYMS.phone(a_phone())
    members = [new_id("mbr") for _ in range(6)]

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda who: links.record_phone(phone, who, clock.now()), members))

    for member_id in members:
        links.record_phone(phone, member_id, clock.now())
        assert linked_to(member_id) == set(members) - {member_id}
