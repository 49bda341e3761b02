"""A transaction whose reply was lost is sent again, and finds what it did itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from models.base import store
from models.base.ids import new_id
from models.people import members
from models.people.entities import Actor, Occupation, RoleName
from models.people.verification import Verifications
from tests.support.people import (
    PSEUDONYMS,
    People,
    a_county,
    a_line,
    a_phone,
    a_request_id,
    a_role,
    an_actor,
    import_lines,
)


@pytest.fixture
def lose_replies(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[int]]:
    """From now on every transaction is applied, answered into the void, and sent again."""
    sent: list[int] = []
    send = store.Transaction._send

    def send_and_send_again(tx: store.Transaction) -> None:
        sent.append(1)
        send(tx)
        send(tx)

    def begin() -> list[int]:
        monkeypatch.setattr(store.Transaction, "_send", send_and_send_again)
        return sent

    return begin


def test_a_phone_is_bound_once(people: People, lose_replies: Callable[[], list[int]]) -> None:
    openid, phone, county = new_id("openid"), a_phone(), a_county()
    import_lines([a_line(phone, county=county)], county=county)
    signed_in = people.sign_in(openid)
    code = people.wechat.phone_code(phone, openid)
    sent = lose_replies()

    profile = people.members.bind_phone(signed_in.actor, code, a_request_id())

    assert sent == [1, 1], "that the phone was his, and the binding"
    assert [role.county for role in profile.roles] == [county]
    assert people.sessions.authenticate(signed_in.token).roles == profile.roles


def test_consents_are_recorded_once(people: People, lose_replies: Callable[[], list[int]]) -> None:
    signed_in = people.sign_in()
    sent = lose_replies()

    people.members.change_profile(signed_in.actor, consents={"report": "1"})

    assert sent == [1]
    assert people.sessions.authenticate(signed_in.token).consents == {"report": "1"}


def test_an_occupation_is_confirmed_once(
    people: People, lose_replies: Callable[[], list[int]]
) -> None:
    verifications = Verifications(pseudonyms=PSEUDONYMS, clock=people.clock)
    rider = people.sign_in().actor
    keeper: Actor = an_actor(a_role(RoleName.KEEPER, "s1"))
    code = verifications.request(rider, Occupation.RIDER, a_request_id()).code
    sent = lose_replies()

    confirmation = verifications.confirm(keeper, code, a_request_id())

    member = members.get(rider.member_id)
    assert sent == [1]
    assert member is not None
    assert member.confirmed_until == confirmation.confirmed_until


def test_a_roster_is_imported_once(people: People, lose_replies: Callable[[], list[int]]) -> None:
    county = a_county()
    lines = [a_line(a_phone(), county=county) for _ in range(3)]
    sent = lose_replies()

    import_lines(lines, county=county)

    assert len(sent) == 3
    assert import_lines(lines, county=county).added == 0


def test_all_sessions_end_once(people: People, lose_replies: Callable[[], list[int]]) -> None:
    openid = new_id("openid")
    member_id = people.sign_in(openid).actor.member_id
    people.sign_in(openid)
    sent = lose_replies()

    people.sessions.end_sessions(member_id)
    people.members.release_phone(member_id)

    assert sent == [1]
