"""What a member says of himself, and the phone that brings the roles."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from models.base.clock import FixedClock
from models.base.errors import Conflict, DomainError, Invalid, NotFound, Unauthorised, Unavailable
from models.base.ids import new_id
from models.people import members
from models.people.accounts import load_phone
from models.people.entities import Actor, Occupation, Profile, RoleName, SignedIn, Standing
from models.people.tables import MemberRow
from tests.support.people import (
    PSEUDONYMS,
    People,
    a_county,
    a_line,
    a_phone,
    a_request_id,
    an_actor,
    import_lines,
)


def an_officer(people: People) -> tuple[str, str, SignedIn]:
    """Someone on the roster who has not bound his phone yet: openid, phone, session."""
    openid, phone, county = new_id("openid"), a_phone(), a_county()
    import_lines([a_line(phone, county=county)], county=county)
    return openid, phone, people.sign_in(openid)


def bind(people: People, actor: Actor, code: str, request_id: str = "") -> Profile:
    return people.members.bind_phone(actor, code, request_id or a_request_id())


def consents_of(people: People, signed_in: SignedIn) -> dict[str, str]:
    return dict(people.sessions.authenticate(signed_in.token).consents)


def test_consent_is_known_to_every_session_at_once(people: People) -> None:
    openid = new_id("openid")
    one, other = people.sign_in(openid), people.sign_in(openid)

    people.members.change_profile(one.actor, consents={"report": "2026-01"})

    assert consents_of(people, one) == {"report": "2026-01"}
    assert consents_of(people, other) == {"report": "2026-01"}
    assert consents_of(people, people.sign_in(openid)) == {"report": "2026-01"}


def test_consent_is_recorded_with_its_first_time(people: People, clock: FixedClock) -> None:
    signed_in = people.sign_in()
    given_at = clock.now()
    people.members.change_profile(signed_in.actor, consents={"report": "1"})
    clock.advance(timedelta(hours=1))

    again = people.members.change_profile(signed_in.actor, consents={"report": "1", "points": "1"})

    assert again.member.consents["report"].at == given_at
    assert again.member.consents["points"].at == clock.now()


def test_a_withdrawn_consent_no_longer_holds_but_stays_on_record(
    people: People, clock: FixedClock
) -> None:
    signed_in = people.sign_in()
    people.members.change_profile(signed_in.actor, consents={"report": "1", "points": "1"})

    people.members.change_profile(signed_in.actor, consents={"report": None})

    assert consents_of(people, signed_in) == {"points": "1"}
    row = MemberRow.get(signed_in.actor.member_id)
    assert row.consents["report"]["version"] == "1"
    assert row.consents["report"]["withdrawn_at"] == "2026-03-18T02:00:00.000Z"


def test_a_consent_can_be_given_again(people: People) -> None:
    signed_in = people.sign_in()
    for version in ("1", None, "1"):
        people.members.change_profile(signed_in.actor, consents={"report": version})

    assert consents_of(people, signed_in) == {"report": "1"}


def test_consent_to_an_unknown_purpose_is_refused(people: People) -> None:
    signed_in = people.sign_in()

    with pytest.raises(Invalid) as error:
        people.members.change_profile(signed_in.actor, consents={"selling": "1"})

    assert [bad.field for bad in error.value.fields] == ["consents.selling"]


def test_another_occupation_ends_its_confirmation(people: People, clock: FixedClock) -> None:
    signed_in = people.sign_in()
    people.members.change_profile(signed_in.actor, consents={}, occupation=Occupation.RIDER)
    MemberRow(signed_in.actor.member_id).update(
        actions=[MemberRow.confirmed_until.set(clock.now() + timedelta(days=1))]
    )

    same = people.members.change_profile(signed_in.actor, consents={}, occupation=Occupation.RIDER)
    other = people.members.change_profile(
        signed_in.actor, consents={}, occupation=Occupation.DRIVER
    )

    assert same.standing == Standing.CONFIRMED
    assert other.standing == Standing.GUEST
    assert not people.sessions.authenticate(signed_in.token).may_spend(clock.now())


def test_consents_given_at_once_are_all_kept(people: People) -> None:
    signed_in = people.sign_in()
    purposes = ["report", "points", "photos"]

    with ThreadPoolExecutor(3) as pool:
        list(
            pool.map(
                lambda purpose: people.members.change_profile(
                    signed_in.actor, consents={purpose: "1"}
                ),
                purposes,
            )
        )

    assert consents_of(people, signed_in) == dict.fromkeys(purposes, "1")


def test_a_member_who_is_gone_is_not_found(people: People) -> None:
    with pytest.raises(NotFound):
        people.members.profile(an_actor())
    assert members.get(new_id("mbr")) is None


def test_binding_the_phone_gives_the_present_session_the_roles_and_ends_the_others(
    people: People,
) -> None:
    openid, phone, present = an_officer(people)
    other = people.sign_in(openid)

    profile = bind(people, present.actor, people.wechat.phone_code(phone, openid))

    actor = people.sessions.authenticate(present.token)
    assert profile.standing == actor.standing == Standing.PHONE
    assert profile.roles == actor.roles
    assert [(role.role, role.scope) for role in actor.roles] == [(RoleName.OFFICER, "grid:g1")]
    assert actor.county == actor.roles[0].county
    with pytest.raises(Unauthorised) as error:
        people.sessions.authenticate(other.token)
    assert error.value.code == "session.revoked"


def test_binding_a_phone_leaves_a_members_county_as_it_is(people: People) -> None:
    openid, phone, signed_in = an_officer(people)
    MemberRow(signed_in.actor.member_id).update(actions=[MemberRow.county.set("411502")])

    profile = bind(people, signed_in.actor, people.wechat.phone_code(phone, openid))

    assert profile.member.county == "411502"
    assert profile.roles[0].county != "411502"


def test_binding_a_phone_that_is_on_no_roster_gives_no_role(people: People) -> None:
    openid = new_id("openid")
    signed_in = people.sign_in(openid)

    profile = bind(people, signed_in.actor, people.wechat.phone_code(a_phone(), openid))

    assert profile.roles == ()
    assert people.sign_in(openid).actor.standing == Standing.PHONE


def test_only_entries_valid_now_give_roles(people: People) -> None:
    openid, phone, county = new_id("openid"), a_phone(), a_county()
    import_lines(
        [
            a_line(phone, county=county, scope="grid:past", to="2026-03-18"),
            a_line(phone, county=county, scope="grid:now", to="2026-03-19"),
            a_line(phone, county=county, scope="grid:future", **{"from": "2026-03-19"}),
        ],
        county=county,
    )

    profile = bind(people, people.sign_in(openid).actor, people.wechat.phone_code(phone, openid))

    assert [role.scope for role in profile.roles] == ["grid:now"]


def test_binding_is_safe_to_repeat_though_the_code_is_spent(people: People) -> None:
    openid, phone, signed_in = an_officer(people)
    code, request_id = people.wechat.phone_code(phone, openid), a_request_id()

    first = bind(people, signed_in.actor, code, request_id)
    second = bind(people, signed_in.actor, code, request_id)

    assert second == first
    assert people.wechat.calls.count("phone_number") == 1


def test_binding_sent_twice_at_once_binds_once(people: People) -> None:
    for _ in range(5):
        openid, phone, signed_in = an_officer(people)
        code, request_id = people.wechat.phone_code(phone, openid), a_request_id()

        def send(
            _: int, actor: Actor = signed_in.actor, code: str = code, request_id: str = request_id
        ) -> object:
            try:
                return bind(people, actor, code, request_id).roles
            except DomainError as error:
                return error.code

        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(send, range(2)))

        # The slower twin may come before the first has written; its next repetition succeeds.
        roles = bind(people, signed_in.actor, code, request_id).roles
        assert len(roles) == 1
        assert roles in answers
        assert set(answers) <= {roles, "phone.code_invalid"}


def test_the_same_request_with_another_code_is_refused(people: People) -> None:
    openid, phone, signed_in = an_officer(people)
    request_id = a_request_id()
    bind(people, signed_in.actor, people.wechat.phone_code(phone, openid), request_id)

    with pytest.raises(Conflict) as error:
        bind(people, signed_in.actor, people.wechat.phone_code(phone, openid), request_id)

    assert error.value.code == "request.reused"


def test_another_users_phone_code_is_refused(people: People) -> None:
    _, phone, signed_in = an_officer(people)

    with pytest.raises(Invalid) as error:
        bind(people, signed_in.actor, people.wechat.phone_code(phone, "openid-of-another"))

    assert error.value.code == "phone.code_invalid"
    assert people.sessions.authenticate(signed_in.token).roles == ()


def test_a_phone_is_bound_by_one_member_only(people: People) -> None:
    openid, phone, signed_in = an_officer(people)
    bind(people, signed_in.actor, people.wechat.phone_code(phone, openid))
    another = new_id("openid")

    with pytest.raises(Conflict) as error:
        bind(people, people.sign_in(another).actor, people.wechat.phone_code(phone, another))

    assert error.value.code == "phone.bound_elsewhere"


def test_of_two_members_binding_one_phone_at_once_one_gets_it(people: People) -> None:
    for _ in range(10):
        phone, county = a_phone(), a_county()
        import_lines([a_line(phone, county=county)], county=county)
        openids = [new_id("openid"), new_id("openid")]
        actors = [people.sign_in(openid).actor for openid in openids]

        def send(
            number: int,
            actors: list[Actor] = actors,
            openids: list[str] = openids,
            phone: str = phone,
        ) -> str:
            code = people.wechat.phone_code(phone, openids[number])
            try:
                bind(people, actors[number], code)
            except Conflict as error:
                return error.code
            return "bound"

        with ThreadPoolExecutor(2) as pool:
            outcomes = sorted(pool.map(send, range(2)))

        assert outcomes == ["bound", "phone.bound_elsewhere"]


def test_binding_another_phone_gives_up_the_first_with_its_roles(people: People) -> None:
    openid, phone, signed_in = an_officer(people)
    bind(people, signed_in.actor, people.wechat.phone_code(phone, openid))

    profile = bind(people, signed_in.actor, people.wechat.phone_code(a_phone(), openid))

    left = load_phone(PSEUDONYMS.phone(phone))
    assert profile.roles == ()
    assert people.sessions.authenticate(signed_in.token).roles == ()
    assert left.member_id is None
    assert [entry.member_id for entry in left.entries()] == [None]


def test_a_released_phone_can_be_bound_by_another(people: People) -> None:
    openid, phone, signed_in = an_officer(people)
    bind(people, signed_in.actor, people.wechat.phone_code(phone, openid))
    another = new_id("openid")

    people.members.release_phone(signed_in.actor.member_id)
    people.members.release_phone(signed_in.actor.member_id)
    profile = bind(people, people.sign_in(another).actor, people.wechat.phone_code(phone, another))

    assert len(profile.roles) == 1
    with pytest.raises(Unauthorised):
        people.sessions.authenticate(signed_in.token)
    assert people.sign_in(openid).actor.standing == Standing.GUEST


def test_wechat_away_leaves_the_binding_open(people: People) -> None:
    openid, phone, signed_in = an_officer(people)
    code, request_id = people.wechat.phone_code(phone, openid), a_request_id()
    people.wechat.is_away = True

    with pytest.raises(Unavailable):
        bind(people, signed_in.actor, code, request_id)
    people.wechat.is_away = False

    assert len(bind(people, signed_in.actor, code, request_id).roles) == 1


def test_logs_hold_nothing_by_which_a_person_is_known(
    people: People, caplog: pytest.LogCaptureFixture
) -> None:
    openid, phone, county = "openid-not-to-be-logged", a_phone(), a_county()
    with caplog.at_level("INFO"):
        import_lines([a_line(phone, county=county)], county=county)
        signed_in = people.sign_in(openid)
        code = people.wechat.phone_code(phone, openid)
        bind(people, signed_in.actor, code)

    logged = str([vars(record) for record in caplog.records])
    assert {record.message for record in caplog.records} == {
        "roster.imported",
        "session.opened",
        "phone.bound",
    }
    for secret in (openid, phone, phone[-11:], code, signed_in.token.split(".")[1]):
        assert secret not in logged
