"""Signing in, being known, and no longer being known."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from models.base import store
from models.base.clock import FixedClock
from models.base.errors import Unauthorised, Unavailable
from models.base.ids import new_id
from models.base.store import query
from models.base.tables import Database, connection
from models.people import members
from models.people.entities import RoleName, SignedIn, Standing
from models.people.gateways import LoginBlocked
from models.people.pseudonyms import session_id_of
from models.people.tables import SessionRow
from tests.support.people import PSEUDONYMS, People, a_county, a_line, a_request_id, import_lines


@pytest.fixture
def calls(database: Database) -> Iterator[list[str]]:
    """The names of the calls that reach the engine."""
    made: list[str] = []

    def note(model: Any, **_: Any) -> None:
        made.append(model.name)

    events = connection().client.meta.events
    events.register("before-call.dynamodb", note)
    yield made
    events.unregister("before-call.dynamodb", note)


def refused(people: People, token: str) -> str:
    with pytest.raises(Unauthorised) as error:
        people.sessions.authenticate(token)
    return error.value.code


def test_a_first_sign_in_makes_a_guest_without_roles(people: People, clock: FixedClock) -> None:
    signed_in = people.sign_in("openid-of-a-new-user")

    assert signed_in.actor.standing == Standing.GUEST
    assert signed_in.actor.roles == ()
    assert signed_in.actor.member_id == PSEUDONYMS.member_id("openid-of-a-new-user")
    assert signed_in.expires_at == clock.now() + timedelta(days=30)


def test_the_same_user_is_the_same_member_again(people: People) -> None:
    openid = new_id("openid")

    first, second = people.sign_in(openid), people.sign_in(openid)

    assert first.actor.member_id == second.actor.member_id
    assert first.token != second.token


def test_authentication_is_exactly_one_read(people: People, calls: list[str]) -> None:
    signed_in = people.sign_in()
    calls.clear()

    actor = people.sessions.authenticate(signed_in.token)

    assert actor == signed_in.actor
    assert calls == ["GetItem"]


@pytest.mark.parametrize(
    "token", ["", "x", "mbr_0.x", f"mbr_{'0' * 26}.{'A' * 43}", f"mbr_{'0' * 26}.{'A' * 43}\n"]
)
def test_a_token_nobody_has_is_missing(people: People, token: str) -> None:
    assert refused(people, token) == "session.missing"


def test_a_malformed_token_costs_no_read(people: People, calls: list[str]) -> None:
    assert refused(people, "mbr_#.nothing") == "session.missing"

    assert calls == []


def test_a_token_with_one_character_changed_is_missing(people: People) -> None:
    token = people.sign_in().token
    other = "A" if token[40] != "A" else "B"

    assert refused(people, token[:40] + other + token[41:]) == "session.missing"


def test_the_token_itself_is_stored_nowhere(people: People) -> None:
    signed_in = people.sign_in()

    rows = query(SessionRow, signed_in.actor.member_id)

    assert [row.session_id for row in rows] == [session_id_of(signed_in.token)]
    assert signed_in.token.split(".")[1] not in str(rows[0].serialize())
    assert signed_in.token not in repr(signed_in)


def test_a_repeated_sign_in_gets_the_first_token_though_the_code_is_spent(people: People) -> None:
    code, request_id = people.wechat.login_code(), a_request_id()

    first = people.sessions.sign_in(code, request_id)
    second = people.sessions.sign_in(code, request_id)

    assert second == first
    assert len(query(SessionRow, first.actor.member_id)) == 1


def test_a_repeated_sign_in_is_refused_after_five_minutes(
    people: People, clock: FixedClock
) -> None:
    code, request_id = people.wechat.login_code(), a_request_id()
    people.sessions.sign_in(code, request_id)
    clock.advance(timedelta(minutes=5, milliseconds=1))

    with pytest.raises(Unauthorised) as error:
        people.sessions.sign_in(code, request_id)

    assert error.value.code == "session.code_used"


def test_a_code_used_by_another_request_is_refused(people: People) -> None:
    code = people.wechat.login_code()
    people.sessions.sign_in(code, a_request_id())

    with pytest.raises(Unauthorised) as error:
        people.sessions.sign_in(code, a_request_id())

    assert error.value.code == "session.code_used"


def test_a_code_used_elsewhere_is_refused(people: People) -> None:
    code = people.wechat.login_code()
    people.wechat.used.add(code)

    with pytest.raises(Unauthorised) as error:
        people.sessions.sign_in(code, a_request_id())

    assert error.value.code == "session.code_used"


def test_a_repeated_sign_in_does_not_bring_an_ended_session_back(people: People) -> None:
    code, request_id = people.wechat.login_code(), a_request_id()
    first = people.sessions.sign_in(code, request_id)
    people.sessions.sign_out(first.actor)

    with pytest.raises(Unauthorised) as error:
        people.sessions.sign_in(code, request_id)

    assert error.value.code == "session.code_used"


def test_an_unknown_or_expired_code_is_refused(people: People) -> None:
    with pytest.raises(Unauthorised) as error:
        people.sessions.sign_in("never-minted", a_request_id())

    assert error.value.code == "session.code_invalid"


def test_a_user_whom_wechat_blocks_is_refused(people: People) -> None:
    people.wechat.refusal = LoginBlocked()

    with pytest.raises(Unauthorised) as error:
        people.sign_in()

    assert error.value.code == "session.blocked"


def test_wechat_away_leaves_the_outcome_open(people: People) -> None:
    people.wechat.is_away = True

    with pytest.raises(Unavailable):
        people.sign_in()


def test_a_lost_reply_to_the_write_is_not_an_error(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = store.Transaction._send
    sent: list[store.Transaction] = []

    def send_twice(tx: store.Transaction) -> None:
        sent.append(tx)
        send(tx)
        if len(sent) == 1:
            send(tx)

    monkeypatch.setattr(store.Transaction, "_send", send_twice)
    signed_in = people.sign_in()

    assert len(sent) == 1
    assert people.sessions.authenticate(signed_in.token) == signed_in.actor
    assert len(query(SessionRow, signed_in.actor.member_id)) == 1


def test_the_same_sign_in_sent_twice_at_once_opens_one_session(people: People) -> None:
    for _ in range(10):
        code, request_id = people.wechat.login_code(), a_request_id()
        answered = threading.Event()
        # The slower twin looks again only after the quicker one has its answer.
        people.sessions._pause = lambda _, answered=answered: answered.wait(20)  # type: ignore[misc]

        def send(
            _: int, code: str = code, request_id: str = request_id, done: threading.Event = answered
        ) -> SignedIn:
            signed_in = people.sessions.sign_in(code, request_id)
            done.set()
            return signed_in

        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(send, range(2)))

        assert both[0].token == both[1].token
        assert len(query(SessionRow, both[0].actor.member_id)) == 1


def test_two_devices_signing_in_at_once_both_get_in(people: People) -> None:
    for _ in range(10):
        openid = new_id("openid")
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(people.sign_in, [openid, openid]))

        assert both[0].token != both[1].token
        assert {people.sessions.authenticate(one.token).member_id for one in both} == {
            PSEUDONYMS.member_id(openid)
        }


def test_a_session_ends_after_thirty_days_without_use(people: People, clock: FixedClock) -> None:
    token = people.sign_in().token
    clock.advance(timedelta(days=30))

    assert refused(people, token) == "session.expired"


def test_use_prolongs_a_session_by_one_write_a_day(
    people: People, clock: FixedClock, calls: list[str]
) -> None:
    token = people.sign_in().token
    clock.advance(timedelta(days=29))
    calls.clear()

    people.sessions.authenticate(token)
    people.sessions.authenticate(token)
    clock.advance(timedelta(days=29))
    people.sessions.authenticate(token)

    assert calls == ["GetItem", "UpdateItem", "GetItem", "GetItem", "UpdateItem"]


def test_a_session_that_cannot_be_prolonged_serves_all_the_same(
    people: People, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = people.sign_in().token
    clock.advance(timedelta(days=2))

    def busy(*_: object) -> bool:
        raise Unavailable("store.busy")

    monkeypatch.setattr("models.people.sessions.update_if", busy)

    assert people.sessions.authenticate(token).standing == Standing.GUEST


def test_signing_out_ends_that_session_only_and_can_be_repeated(people: People) -> None:
    openid = new_id("openid")
    first, second = people.sign_in(openid), people.sign_in(openid)

    people.sessions.sign_out(first.actor)
    people.sessions.sign_out(first.actor)

    assert refused(people, first.token) == "session.revoked"
    assert people.sessions.authenticate(second.token) == second.actor


def test_signing_out_of_a_session_that_is_gone_leaves_no_ghost(people: People) -> None:
    signed_in = people.sign_in()
    SessionRow(signed_in.actor.member_id, signed_in.actor.session_id).delete()

    people.sessions.sign_out(signed_in.actor)

    assert query(SessionRow, signed_in.actor.member_id) == []


def test_ending_all_sessions_ends_each(people: People) -> None:
    openid = new_id("openid")
    tokens = [people.sign_in(openid).token for _ in range(3)]

    people.sessions.end_sessions(PSEUDONYMS.member_id(openid))
    people.sessions.end_sessions(PSEUDONYMS.member_id(openid))

    assert [refused(people, token) for token in tokens] == ["session.revoked"] * 3


def test_ending_the_sessions_of_nobody_does_nothing(people: People) -> None:
    people.sessions.end_sessions(new_id("mbr"))


def test_an_eleventh_session_ends_the_oldest_and_rows_stay_few(
    people: People, clock: FixedClock
) -> None:
    openid = new_id("openid")
    tokens = []
    for _ in range(30):
        clock.advance(timedelta(seconds=1))
        tokens.append(people.sign_in(openid).token)

    for token in tokens[-10:]:
        people.sessions.authenticate(token)
    assert refused(people, tokens[-11]) == "session.revoked"
    assert refused(people, tokens[0]) == "session.missing"
    assert len(query(SessionRow, PSEUDONYMS.member_id(openid))) <= 20


def test_a_union_id_that_appears_later_is_taken_in(people: People) -> None:
    openid = new_id("openid")
    member_id = people.sign_in(openid).actor.member_id
    code = people.wechat.login_code(openid, unionid="union-of-one")

    people.sessions.sign_in(code, a_request_id())

    member = members.get(member_id)
    assert member is not None
    assert member.union_key == PSEUDONYMS.union_key("union-of-one")


def test_a_role_begins_and_ends_by_itself_within_a_session(
    people: People, clock: FixedClock
) -> None:
    signed_in = people.with_roles(county=a_county(), **{"from": "2026-03-19", "to": "2026-03-21"})
    seen = []
    for _ in range(4):
        seen.append(len(people.sessions.authenticate(signed_in.token).roles))
        clock.advance(timedelta(days=1))

    assert seen == [0, 1, 1, 0]


@pytest.mark.slow
def test_no_session_survives_a_roster_change_with_the_old_role(
    people: People, clock: FixedClock
) -> None:
    """A sign-in and the removal of the role, at once, 200 times over."""
    outcomes: set[str] = set()
    for _ in range(200):
        county, openid = a_county(), new_id("openid")
        phone = f"+8610{county}000"
        import_lines([a_line(phone, county=county)], county=county)
        people.bind(people.sign_in(openid).actor, openid, phone)
        with ThreadPoolExecutor(2) as pool:
            signing_in = pool.submit(people.sign_in, openid)
            removing = pool.submit(import_lines, [], county=county)
            token = signing_in.result().token
            assert removing.result().removed == 1
        try:
            actor = people.sessions.authenticate(token)
        except Unauthorised as error:
            outcomes.add(error.code)
        else:
            assert not any(role.role == RoleName.OFFICER for role in actor.roles)
            outcomes.add("without the role")

    assert outcomes <= {"session.revoked", "without the role"}
