"""What happens exactly between another's reading and its writing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from models.base import store
from models.base.errors import Conflict
from models.base.ids import new_id
from models.base.store import query
from models.people.roster import Roster
from models.people.tables import SessionRow
from tests.support.people import (
    PSEUDONYMS,
    People,
    a_county,
    a_line,
    a_phone,
    a_request_id,
    import_lines,
)

Meanwhile = Callable[[Callable[[], object]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Let something happen when the next transaction is just about to be sent."""

    def happen(deed: Callable[[], object]) -> None:
        send = store.Transaction._send

        def late(tx: store.Transaction) -> None:
            monkeypatch.setattr(store.Transaction, "_send", send)
            deed()
            send(tx)

        monkeypatch.setattr(store.Transaction, "_send", late)

    return happen


def test_a_role_taken_away_while_its_phone_is_bound_is_not_granted(
    people: People, meanwhile: Meanwhile
) -> None:
    openid, phone, county = new_id("openid"), a_phone(), a_county()
    import_lines([a_line(phone, county=county)], county=county)
    signed_in = people.sign_in(openid)
    meanwhile(lambda: import_lines([], county=county))

    people.bind(signed_in.actor, openid, phone)

    assert people.sessions.authenticate(signed_in.token).roles == ()


def test_a_role_given_while_its_phone_is_bound_is_granted_and_on_duty(
    people: People, meanwhile: Meanwhile
) -> None:
    openid, phone, county, grid = new_id("openid"), a_phone(), a_county(), new_id("grid")
    line = a_line(phone, county=county, scope=f"grid:{grid}")
    signed_in = people.sign_in(openid)
    meanwhile(lambda: import_lines([line], county=county))

    people.bind(signed_in.actor, openid, phone)

    (entry,) = Roster(clock=people.clock).on_duty(grid)
    assert entry.member_id == signed_in.actor.member_id
    assert people.sessions.authenticate(signed_in.token).has(entry.role, entry.scope)


def test_a_phone_bound_while_its_role_is_imported_is_on_duty(
    people: People, meanwhile: Meanwhile
) -> None:
    openid, phone, county, grid = new_id("openid"), a_phone(), a_county(), new_id("grid")
    line = a_line(phone, county=county, scope=f"grid:{grid}")
    signed_in = people.sign_in(openid)
    meanwhile(lambda: people.bind(signed_in.actor, openid, phone))

    import_lines([line], county=county)

    (entry,) = Roster(clock=people.clock).on_duty(grid)
    assert entry.member_id == signed_in.actor.member_id
    assert people.sign_in(openid).actor.has(entry.role, entry.scope)


def test_a_consent_withdrawn_while_signing_in_is_not_in_the_new_session(
    people: People, meanwhile: Meanwhile
) -> None:
    openid = new_id("openid")
    first = people.sign_in(openid)
    people.members.change_profile(first.actor, consents={"report": "1"})
    meanwhile(lambda: people.members.change_profile(first.actor, consents={"report": None}))

    second = people.sign_in(openid)

    assert people.sessions.authenticate(second.token).consents == {}


def test_a_session_row_that_goes_in_between_does_not_come_back(
    people: People, meanwhile: Meanwhile
) -> None:
    openid = new_id("openid")
    signed_in, gone = people.sign_in(openid), people.sign_in(openid)
    row = SessionRow(gone.actor.member_id, gone.actor.session_id)
    meanwhile(row.delete)

    people.members.change_profile(signed_in.actor, consents={"report": "1"})

    left = query(SessionRow, PSEUDONYMS.member_id(openid))
    assert [session.session_id for session in left] == [signed_in.actor.session_id]


def test_a_session_opened_while_all_are_ended_ends_too_or_opens_after(
    people: People, meanwhile: Meanwhile
) -> None:
    openid = new_id("openid")
    member_id = people.sign_in(openid).actor.member_id
    meanwhile(lambda: people.sign_in(openid))

    people.sessions.end_sessions(member_id)

    rows = query(SessionRow, member_id)
    assert [row.revoked_at is not None for row in rows] == [True, True]


def test_a_phone_bound_by_another_in_between_stays_his(
    people: People, meanwhile: Meanwhile
) -> None:
    phone, mine, his = a_phone(), new_id("openid"), new_id("openid")
    me, him = people.sign_in(mine).actor, people.sign_in(his).actor
    code = people.wechat.phone_code(phone, mine)
    meanwhile(lambda: people.bind(him, his, phone))

    with pytest.raises(Conflict) as error:
        people.members.bind_phone(me, code, a_request_id())

    assert error.value.code == "phone.bound_elsewhere"
