"""People against the simulated WeChat, through the client that the service uses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from infra.local.wechat import accounts
from infra.local.wechat.simulator import Simulator, start_simulator
from models.base.clock import SystemClock
from models.base.errors import Invalid, Unauthorised
from models.base.ids import new_id
from models.base.tables import Database
from models.gateways.wechat.client import WeChatClient
from models.gateways.wechat.service_account import ServiceAccount
from models.gateways.wechat.tokens import Account, Tokens
from models.gateways.wechat.transport import Transport
from models.people import members
from models.people.followers import Followers, service_openid_of
from models.people.members import Members
from models.people.sessions import Sessions
from tests.support.people import PSEUDONYMS, a_county, a_line, a_phone, a_request_id, import_lines


class House:
    """The people's use cases, wired to the simulator as the service wires them."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator, self.clock = simulator, SystemClock()
        transport = Transport(simulator.base_url)
        mini = Account(appid=accounts.MINI.appid, secret=lambda: accounts.MINI.secret)
        service = Account(appid=accounts.SERVICE.appid, secret=lambda: accounts.SERVICE.secret)
        client = WeChatClient(
            account=mini,
            tokens=Tokens(account=mini, transport=transport, clock=self.clock),
            transport=transport,
        )
        followed = ServiceAccount(
            tokens=Tokens(account=service, transport=transport, clock=self.clock),
            transport=transport,
            appid=service.appid,
            mini_appid=mini.appid,
        )
        self.sessions = Sessions(pseudonyms=PSEUDONYMS, clock=self.clock, login=client)
        self.members = Members(pseudonyms=PSEUDONYMS, clock=self.clock, phones=client)
        self.followers = Followers(pseudonyms=PSEUDONYMS, users=followed)

    def code(self, **identity: object) -> str:
        return str(self.simulator.control("mint_login_code", **identity)["code"])


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    running = start_simulator()
    yield running
    running.stop()


@pytest.fixture
def house(database: Database, simulator: Simulator) -> House:
    return House(simulator)


def refusal(house: House, code: str) -> str:
    with pytest.raises(Unauthorised) as error:
        house.sessions.sign_in(code, a_request_id())
    return error.value.code


def test_a_code_signs_in_once_and_its_repetition_gets_the_same(house: House) -> None:
    code, request_id = house.code(openid=new_id("openid")), a_request_id()

    first = house.sessions.sign_in(code, request_id)
    again = house.sessions.sign_in(code, request_id)

    assert again.token == first.token
    assert refusal(house, code) == "session.code_used"


def test_an_unknown_and_an_expired_code_are_refused(house: House) -> None:
    expired = house.code(openid=new_id("openid"))
    house.simulator.control("advance_clock", seconds=timedelta(minutes=6).total_seconds())

    assert refusal(house, expired) == "session.code_invalid"
    assert refusal(house, "no-such-code") == "session.code_invalid"


def test_a_phone_brings_the_rosters_roles_for_its_own_user_only(house: House) -> None:
    openid, phone, county = new_id("openid"), a_phone(), a_county()
    import_lines([a_line(phone, county=county)], county=county)
    signed_in = house.sessions.sign_in(house.code(openid=openid), a_request_id())
    minted = house.simulator.control(
        "mint_phone_code", phone=phone.removeprefix("+86"), openid=openid
    )
    other = house.sessions.sign_in(house.code(openid=new_id("openid")), a_request_id())

    with pytest.raises(Invalid, match=r"phone\.code_invalid"):
        house.members.bind_phone(other.actor, minted["code"], a_request_id())
    profile = house.members.bind_phone(signed_in.actor, minted["code"], a_request_id())

    assert [role.county for role in profile.roles] == [county]


def test_a_follower_is_joined_with_the_member_and_parted_again(house: House) -> None:
    openid, unionid, service_openid = new_id("openid"), new_id("union"), new_id("service")
    signed_in = house.sessions.sign_in(house.code(openid=openid, unionid=unionid), a_request_id())
    member = members.get(signed_in.actor.member_id)
    assert member is not None
    assert member.union_key is not None
    seen = []

    for deed in ("follow", "unfollow"):
        house.simulator.control(deed, unionid=unionid, service_openid=service_openid)
        house.followers.changed(service_openid, at=house.clock.now())
        seen.append(service_openid_of(member.union_key))

    assert seen == [service_openid, None]
