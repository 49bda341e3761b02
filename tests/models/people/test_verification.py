"""An occupation is confirmed by someone else, once per code, for 180 days."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from models.base.clock import FixedClock
from models.base.errors import Conflict, DomainError, Forbidden, NotFound
from models.base.ids import new_id
from models.base.tables import Database
from models.people import members
from models.people.entities import Actor, Confirmation, Occupation, RoleName, SignedIn, Standing
from models.people.tables import VerificationRow
from models.people.verification import Verifications
from tests.support.people import (
    COUNTY,
    PSEUDONYMS,
    People,
    a_request_id,
    a_role,
    an_actor,
)


@pytest.fixture
def verifications(database: Database, clock: FixedClock) -> Verifications:
    return Verifications(pseudonyms=PSEUDONYMS, clock=clock)


def a_keeper(county: str = COUNTY) -> Actor:
    return an_actor(a_role(RoleName.KEEPER, "s1", county=county), county=county)


def a_code(verifications: Verifications, rider: SignedIn) -> str:
    return verifications.request(rider.actor, Occupation.RIDER, a_request_id()).code


def confirm(
    verifications: Verifications, actor: Actor, code: str, request_id: str = ""
) -> Confirmation | str:
    try:
        return verifications.confirm(actor, code, request_id or a_request_id())
    except DomainError as error:
        return error.code


def test_confirming_is_known_to_every_session_of_the_rider_at_once(
    people: People, verifications: Verifications, clock: FixedClock
) -> None:
    openid = new_id("openid")
    rider, other = people.sign_in(openid), people.sign_in(openid)
    code = a_code(verifications, rider)

    confirmation = verifications.confirm(a_keeper(), code, a_request_id())

    assert confirmation.confirmed_until == clock.now() + timedelta(days=180)
    for session in (rider, other, people.sign_in(openid)):
        actor = people.sessions.authenticate(session.token)
        assert (actor.standing, actor.county) == (Standing.CONFIRMED, COUNTY)
        assert actor.may_spend(clock.now())


def test_a_confirmation_lapses_after_180_days(
    people: People, verifications: Verifications, clock: FixedClock
) -> None:
    rider = people.sign_in()
    confirm(verifications, a_keeper(), a_code(verifications, rider))
    for _ in range(9):
        clock.advance(timedelta(days=20) - timedelta(milliseconds=1))
        people.sessions.authenticate(rider.token)
    last = people.sessions.authenticate(rider.token)
    clock.advance(timedelta(milliseconds=9))

    after = people.sessions.authenticate(rider.token)

    assert (last.standing, last.may_spend(clock.now() - timedelta(milliseconds=1))) == (
        Standing.CONFIRMED,
        True,
    )
    assert (after.standing, after.may_spend(clock.now())) == (Standing.GUEST, False)


@pytest.mark.parametrize("role", [RoleName.KEEPER, RoleName.DEPOT, RoleName.OFFICER])
def test_keepers_depots_and_officers_confirm(
    people: People, verifications: Verifications, role: RoleName
) -> None:
    code = a_code(verifications, people.sign_in())

    assert isinstance(confirm(verifications, an_actor(a_role(role, "x")), code), Confirmation)


@pytest.mark.parametrize(
    "role", [RoleName.GRID_LEAD, RoleName.COMMUNITY, RoleName.DISTRICT, RoleName.MERCHANT, None]
)
def test_nobody_else_confirms(
    people: People, verifications: Verifications, role: RoleName | None
) -> None:
    code = a_code(verifications, people.sign_in())
    actor = an_actor(a_role(role, "x")) if role else an_actor()

    with pytest.raises(Forbidden):
        verifications.confirm(actor, code, a_request_id())


def test_asking_again_gives_the_same_code_and_stores_only_its_key(
    people: People, verifications: Verifications
) -> None:
    rider, request_id = people.sign_in().actor, a_request_id()

    first = verifications.request(rider, Occupation.RIDER, request_id)
    second = verifications.request(rider, Occupation.RIDER, request_id)

    row = VerificationRow.get(PSEUDONYMS.verification_key(first.code))
    assert second == first
    assert len(first.code) == 8
    assert first.code not in str(row.serialize())


def test_the_same_request_for_another_occupation_is_refused(
    people: People, verifications: Verifications
) -> None:
    rider, request_id = people.sign_in().actor, a_request_id()
    verifications.request(rider, Occupation.RIDER, request_id)

    with pytest.raises(Conflict) as error:
        verifications.request(rider, Occupation.DRIVER, request_id)

    assert error.value.code == "request.reused"


def test_a_code_that_someone_else_has_is_passed_over(
    people: People, verifications: Verifications
) -> None:
    rider, other, request_id = people.sign_in().actor, people.sign_in().actor, a_request_id()
    first_choice = PSEUDONYMS.verification_code(rider.member_id, request_id, 0)
    taken = verifications._waiting(
        other, Occupation.RIDER, a_request_id(), first_choice, verifications._clock.now()
    )
    taken.save()

    given = verifications.request(rider, Occupation.RIDER, request_id)

    assert given.code == PSEUDONYMS.verification_code(rider.member_id, request_id, 1)


def test_confirming_is_safe_to_repeat(people: People, verifications: Verifications) -> None:
    code, keeper, request_id = a_code(verifications, people.sign_in()), a_keeper(), a_request_id()

    first = confirm(verifications, keeper, code, request_id)
    second = confirm(verifications, keeper, code.lower(), request_id)

    assert isinstance(first, Confirmation)
    assert second == first


def test_a_used_code_is_refused_for_another_request(
    people: People, verifications: Verifications
) -> None:
    code, keeper = a_code(verifications, people.sign_in()), a_keeper()
    confirm(verifications, keeper, code)

    assert confirm(verifications, keeper, code) == "verification.used"
    assert confirm(verifications, a_keeper(), code) == "verification.used"


def test_one_request_confirms_one_code_only(people: People, verifications: Verifications) -> None:
    rider, keeper, request_id = people.sign_in(), a_keeper(), a_request_id()
    confirm(verifications, keeper, a_code(verifications, people.sign_in()), request_id)

    assert (
        confirm(verifications, keeper, a_code(verifications, rider), request_id) == "request.reused"
    )
    assert people.sessions.authenticate(rider.token).standing == Standing.GUEST


def test_of_two_who_confirm_at_once_one_does(people: People, verifications: Verifications) -> None:
    for _ in range(10):
        code = a_code(verifications, people.sign_in())
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(
                pool.map(confirm, [verifications] * 2, [a_keeper(), a_keeper()], [code] * 2)
            )

        assert outcomes.count("verification.used") == 1
        assert any(isinstance(outcome, Confirmation) for outcome in outcomes)


def test_nobody_confirms_himself(people: People, verifications: Verifications) -> None:
    rider = people.sign_in()
    keeper = an_actor(a_role(RoleName.KEEPER, "s1"), member_id=rider.actor.member_id)

    assert confirm(verifications, keeper, a_code(verifications, rider)) == "verification.own"


def test_a_code_expires_after_24_hours(
    people: People, verifications: Verifications, clock: FixedClock
) -> None:
    in_time, late = (a_code(verifications, people.sign_in()) for _ in range(2))
    clock.advance(timedelta(hours=24) - timedelta(milliseconds=1))
    assert isinstance(confirm(verifications, a_keeper(), in_time), Confirmation)
    clock.advance(timedelta(milliseconds=1))

    assert confirm(verifications, a_keeper(), late) == "verification.expired"


@pytest.mark.parametrize("code", ["00000000", "short", "", "UUUUUUUU", "😀" * 8])
def test_an_unknown_code_is_not_found(verifications: Verifications, code: str) -> None:
    assert confirm(verifications, a_keeper(), code) == "verification.not_found"


def test_a_rider_of_another_county_is_as_unknown(
    people: People, verifications: Verifications
) -> None:
    rider = people.sign_in()
    confirm(verifications, a_keeper(), a_code(verifications, rider))
    code = a_code(verifications, rider)

    with pytest.raises(NotFound) as error:
        verifications.confirm(a_keeper(county="411502"), code, a_request_id())

    assert error.value.code == "verification.not_found"
    member = members.get(rider.actor.member_id)
    assert member is not None
    assert member.county == COUNTY
