"""Points, rewards and redemptions over HTTP: what each route takes, answers and refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from app import app
from chalice.test import Client

from handlers import wiring
from handlers.settings import Settings
from models.base.clock import FixedClock
from models.base.errors import Unauthorised
from models.base.paging import Cursors
from models.base.tables import Database
from models.people.entities import Actor, RoleName
from models.points.ledger import Ledger
from models.points.reading import Statements
from models.rewards import publishing
from models.rewards.entities import Merchant
from tests.support.people import COUNTY, a_role, an_actor
from tests.support.points import award
from tests.support.rewards import Shop, a_request_id


class _Sessions:
    """Knows an actor by a token that is his member id: signing in is tested elsewhere."""

    def __init__(self) -> None:
        self.actors: dict[str, Actor] = {}

    def authenticate(self, token: str) -> Actor:
        if token not in self.actors:
            raise Unauthorised("session.expired")
        return self.actors[token]


class House:
    """The routes on an engine, with a shop and its merchant."""

    def __init__(self, clock: FixedClock, dynamodb_url: str) -> None:
        self.shop = Shop(clock=clock).opened()
        self.merchant, self.keeper = self.shop.merchant(), self.shop.keeper()
        self.sessions = _Sessions()
        self.services = wiring.Services(
            Settings(dynamodb_url=dynamodb_url, refuses_unknown_fields=True, checks_answers=True)
        )
        self.services.__dict__ |= {
            "clock": clock,
            "sessions": self.sessions,
            "ledger": Ledger(),
            "statements": Statements(Cursors(b"c" * 32)),
            "catalogue": self.shop.catalogue,
            "redemptions": self.shop.redemptions,
            "fulfilment": self.shop.fulfilment,
        }

    def get(self, actor: Actor, path: str, *, language: str = "zh-CN") -> Any:
        return self._send("GET", actor, path, language=language)

    def post(self, actor: Actor, path: str, **body: Any) -> Any:
        return self._send("POST", actor, path, {"client_request_id": a_request_id(), **body})

    def raw(self, method: str, path: str, token: str | None, body: bytes = b"") -> Any:
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        with Client(app) as client:
            return client.http.request(method, path, headers=headers, body=body)

    def redeem(self, rider: Actor, **body: Any) -> Any:
        return self.post(rider, "/v1/redemptions", **({"reward_id": self.shop.reward_id} | body))

    def _send(
        self, method: str, actor: Actor, path: str, body: Any = None, *, language: str = "zh-CN"
    ) -> Any:
        self.sessions.actors[actor.member_id] = actor
        headers = {
            "Authorization": f"Bearer {actor.member_id}",
            "Content-Type": "application/json",
            "Accept-Language": language,
        }
        with Client(app) as client:
            return client.http.request(
                method,
                path,
                headers=headers,
                body=b"" if body is None else json.dumps(body).encode(),
            )


@pytest.fixture
def house(database: Database, clock: FixedClock) -> Iterator[House]:
    house = House(clock, str(database.endpoint_url))
    wiring.use_services(house.services)
    yield house
    wiring.use_services(None)


def test_a_rider_sees_his_balances_and_when_they_change(house: House) -> None:
    rider = house.shop.rider(25)
    award(rider.member_id, 10, now=house.shop.now, matures_at=house.shop.now + timedelta(days=7))

    answer = house.get(rider, "/v1/points")

    assert answer.status_code == 200
    assert answer.json_body == {
        "available": 25,
        "pending": 10,
        "held": 0,
        "debt": 0,
        "buckets": [{"last_day": "2028-03-31", "points": 25}],
        "maturing": [{"day": "2026-03-25", "points": 10}],
        "frozen": False,
    }


def test_a_rider_reads_his_statement_page_by_page_in_his_language(house: House) -> None:
    rider = house.shop.rider(25)
    house.redeem(rider)

    first = house.get(rider, "/v1/points/entries?limit=1").json_body
    second = house.get(
        rider, f"/v1/points/entries?limit=1&cursor={first['next_cursor']}", language="en"
    ).json_body

    assert [line["reason"] for line in first["items"]] == ["兑换权益，积分暂扣"]
    assert [line["reason"] for line in second["items"]] == ["First report of a problem accepted"]
    assert second["next_cursor"] is None


def test_a_forged_cursor_is_named_as_the_bad_field(house: House) -> None:
    rider = house.shop.rider(0)

    for path in ("/v1/points/entries", "/v1/rewards", "/v1/redemptions"):
        answer = house.get(rider, f"{path}?cursor=forged")

        assert answer.status_code == 422
        assert [bad["field"] for bad in answer.json_body["fields"]] == ["cursor"]


def test_the_catalogue_says_what_is_left_and_what_is_missing(house: House) -> None:
    rider = house.shop.rider(7, is_confirmed=False)

    found = house.get(rider, f"/v1/rewards/{house.shop.reward_id}").json_body["reward"]

    assert (found["name"], found["price_points"], found["stock_left"]) == ("理发", 10, 5)
    assert found["entitlement"]["name"] == "生活服务"
    assert not found["eligible"]
    assert found["missing"] == [
        {"code": "occupation", "text": "先在驿站、站点或网格员处确认职业"},
        {"code": "points", "text": "还差 3 积分"},
    ]
    assert found["missing_points"] == 3


def test_a_reward_tells_where_it_is_handed_over(house: House) -> None:
    publishing.put_merchants(
        [
            Merchant(
                merchant_id=house.shop.merchant_id,
                county=COUNTY,
                name="街角理发店",
                address="演示街 1 号",
                lon=114.0,
                lat=32.0,
            )
        ]
    )

    found = house.get(house.shop.rider(0), f"/v1/rewards/{house.shop.reward_id}").json_body

    assert [merchant["name"] for merchant in found["merchants"]] == ["街角理发店"]
    assert found["stations"] == [house.shop.station_id]


def test_the_list_of_rewards_pages(house: House) -> None:
    rider = house.shop.rider(0)
    Shop(clock=house.shop.clock).opened()

    first = house.get(rider, "/v1/rewards?limit=1").json_body
    second = house.get(rider, f"/v1/rewards?limit=1&cursor={first['next_cursor']}").json_body

    assert len(first["items"]) == len(second["items"]) == 1
    assert first["items"][0]["id"] != second["items"][0]["id"]


def test_a_rider_reserves_shows_and_the_merchant_hands_over(house: House) -> None:
    rider = house.shop.rider(10)

    reserved = house.redeem(rider)
    voucher = reserved.json_body["redemption"]
    seen = house.post(house.merchant, "/v1/redemptions/preview", code=voucher["code"])
    taken = house.post(house.merchant, "/v1/redemptions/fulfil", code=voucher["qr"])
    day = house.get(house.merchant, "/v1/merchant/day").json_body

    assert (reserved.status_code, voucher["state"], voucher["state_text"]) == (
        201,
        "reserved",
        "待核销",
    )
    assert seen.json_body["redemption"]["reward"]["name"] == "理发"
    assert taken.json_body["redemption"]["state"] == "fulfilled"
    assert taken.json_body["redemption"]["undo_until"] == "2026-03-18T02:05:00.000Z"
    assert (day["count"], day["points"]) == (1, 10)
    assert day["lines"][0]["place"] == f"merchant:{house.shop.merchant_id}"


def test_the_counter_learns_nothing_of_the_rider(house: House) -> None:
    rider = house.shop.rider(10)
    code = house.redeem(rider).json_body["redemption"]["code"]

    for action in ("preview", "fulfil"):
        answer = house.post(house.merchant, f"/v1/redemptions/{action}", code=code)

        assert answer.status_code == 200
        assert rider.member_id not in answer.body.decode()


def test_the_same_request_gives_the_same_redemption(house: House) -> None:
    rider, request = house.shop.rider(10), str(uuid4())

    first = house.redeem(rider, client_request_id=request)
    again = house.redeem(rider, client_request_id=request.upper())
    by_key = house.get(rider, f"/v1/redemptions/by-key/{request.upper()}")

    assert first.json_body == again.json_body
    assert by_key.json_body == first.json_body


def test_too_few_points_say_how_many_are_missing(house: House) -> None:
    answer = house.redeem(house.shop.rider(7))

    assert answer.status_code == 409
    assert answer.json_body["code"] == "points.insufficient"
    assert answer.json_body["message"] == "积分不足，还差 3 分"
    assert answer.json_body["details"]["missing"] == 3


def test_who_is_not_confirmed_is_forbidden_to_spend(house: House) -> None:
    answer = house.redeem(house.shop.rider(10, is_confirmed=False))

    assert (answer.status_code, answer.json_body["code"]) == (403, "occupation.unconfirmed")


def test_a_merchant_takes_a_handover_back_and_the_rider_cancels(house: House) -> None:
    rider = house.shop.rider(10)
    voucher = house.redeem(rider).json_body["redemption"]
    house.post(house.merchant, "/v1/redemptions/fulfil", code=voucher["code"])

    undone = house.post(house.merchant, f"/v1/redemptions/{voucher['id']}/undo")
    cancelled = house.post(rider, f"/v1/redemptions/{voucher['id']}/cancel")

    assert undone.json_body["redemption"]["state"] == "reserved"
    assert cancelled.json_body["redemption"]["state"] == "cancelled"
    assert house.get(rider, "/v1/points").json_body["available"] == 10


def test_own_redemptions_are_listed_newest_first(house: House) -> None:
    rider = house.shop.rider(20)
    first = house.redeem(rider).json_body["redemption"]["id"]
    house.shop.clock.advance(timedelta(seconds=1))
    second = house.redeem(rider).json_body["redemption"]["id"]

    listed = house.get(rider, "/v1/redemptions").json_body

    assert [item["id"] for item in listed["items"]] == [second, first]
    assert listed["next_cursor"] is None


def test_what_is_foreign_answers_as_what_is_unknown(house: House) -> None:
    owner, stranger = house.shop.rider(10), house.shop.rider(10)
    other_merchant = an_actor(a_role(RoleName.MERCHANT, "other"))
    request = str(uuid4())
    voucher = house.redeem(owner, client_request_id=request).json_body["redemption"]

    def bodies(redemption_id: str, key: str, code: str) -> list[Any]:
        answers = [
            house.get(stranger, f"/v1/redemptions/{redemption_id}"),
            house.get(stranger, f"/v1/redemptions/by-key/{key}"),
            house.post(stranger, f"/v1/redemptions/{redemption_id}/cancel"),
            house.post(other_merchant, f"/v1/redemptions/{redemption_id}/undo"),
            house.post(other_merchant, "/v1/redemptions/preview", code=code),
            house.post(other_merchant, "/v1/redemptions/fulfil", code=code),
        ]
        for answer in answers:
            answer.json_body.pop("request_id")
        return [(answer.status_code, answer.json_body) for answer in answers]

    foreign = bodies(voucher["id"], request, voucher["code"])
    unknown = bodies("red_unknown", str(uuid4()), "0000000000")

    assert foreign == unknown
    assert {status for status, _ in foreign} == {404}


@pytest.mark.parametrize("redemption_id", ["x" * 3000, "%00", "a%2Fb", "%E5%85%91"])
def test_an_id_that_cannot_be_ours_is_unknown(house: House, redemption_id: str) -> None:
    rider = house.shop.rider(0)

    answer = house.get(rider, f"/v1/redemptions/{redemption_id}")

    assert answer.status_code == 404
    assert house.get(rider, f"/v1/rewards/{redemption_id}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/redemptions/preview"),
        ("POST", "/v1/redemptions/fulfil"),
        ("POST", "/v1/redemptions/red_1/undo"),
        ("GET", "/v1/merchant/day"),
    ],
)
def test_the_counters_routes_are_closed_to_riders(house: House, method: str, path: str) -> None:
    rider = house.shop.rider(0)

    answer = house.get(rider, path) if method == "GET" else house.post(rider, path, code="x")

    assert (answer.status_code, answer.json_body["code"]) == (403, "role.lacks_action")


ROUTES = [
    ("GET", "/v1/points"),
    ("GET", "/v1/points/entries"),
    ("GET", "/v1/rewards"),
    ("GET", "/v1/rewards/x"),
    ("POST", "/v1/redemptions"),
    ("GET", "/v1/redemptions"),
    ("GET", "/v1/redemptions/x"),
    ("GET", "/v1/redemptions/by-key/x"),
    ("POST", "/v1/redemptions/x/cancel"),
    ("POST", "/v1/redemptions/preview"),
    ("POST", "/v1/redemptions/fulfil"),
    ("POST", "/v1/redemptions/x/undo"),
    ("GET", "/v1/merchant/day"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_a_good_token_nothing_is_answered(house: House, method: str, path: str) -> None:
    without, expired = house.raw(method, path, None), house.raw(method, path, "old")

    assert (without.status_code, without.json_body["code"]) == (401, "session.missing")
    assert (expired.status_code, expired.json_body["code"]) == (401, "session.expired")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/redemptions", {"client_request_id", "reward_id"}),
        ("/v1/redemptions/preview", {"code"}),
        ("/v1/redemptions/fulfil", {"client_request_id", "code"}),
        ("/v1/redemptions/x/undo", {"client_request_id"}),
        ("/v1/redemptions/x/cancel", {"client_request_id"}),
    ],
)
def test_every_missing_field_is_named_at_once(house: House, path: str, fields: set[str]) -> None:
    house.sessions.actors[house.merchant.member_id] = house.merchant

    answer = house.raw("POST", path, house.merchant.member_id, b"{}")

    assert answer.status_code == 422
    assert {bad["field"] for bad in answer.json_body["fields"]} == fields
    assert {bad["code"] for bad in answer.json_body["fields"]} == {"field.missing"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/redemptions", {"reward_id": 5}),
        ("/v1/redemptions", {"reward_id": ""}),
        ("/v1/redemptions", {"reward_id": "x" * 65}),
        ("/v1/redemptions", {"reward_id": "x", "client_request_id": "no uuid"}),
        ("/v1/redemptions", {"reward_id": "x", "points": 0}),
        ("/v1/redemptions/fulfil", {"code": "x" * 201}),
        ("/v1/redemptions/fulfil", {"code": ["x"]}),
        ("/v1/redemptions/preview", {"code": None}),
    ],
)
def test_a_field_of_wrong_type_or_length_is_named(
    house: House, path: str, body: dict[str, Any]
) -> None:
    answer = house.post(house.merchant, path, **body)

    assert answer.status_code == 422
    assert len(answer.json_body["fields"]) == 1


def test_a_huge_body_is_refused(house: House) -> None:
    answer = house.redeem(house.shop.rider(0), reward_id="x" * 70_000)

    assert (answer.status_code, answer.json_body["code"]) == (413, "request.too_large")


@pytest.mark.parametrize("query", ["day=yesterday", "day=2026-3-1"])
def test_a_day_is_written_as_a_date(house: House, query: str) -> None:
    assert house.get(house.merchant, f"/v1/merchant/day?{query}").status_code == 422


def test_a_keeper_sees_his_own_stations_day(house: House) -> None:
    rider = house.shop.rider(10)
    code = house.redeem(rider).json_body["redemption"]["code"]
    house.post(house.keeper, "/v1/redemptions/fulfil", code=code)

    day = house.get(house.keeper, "/v1/merchant/day?day=2026-03-18").json_body

    assert day["lines"][0]["place"] == f"station:{house.shop.station_id}"
    assert house.get(house.merchant, "/v1/merchant/day").json_body["count"] == 0


def test_the_sixth_wrong_code_in_a_minute_waits_as_retry_after_says(house: House) -> None:
    told = [
        house.post(house.merchant, "/v1/redemptions/preview", code="0000000000") for _ in range(6)
    ]

    assert [answer.status_code for answer in told] == [404] * 5 + [429]
    assert told[-1].json_body["code"] == "redemption.too_many_tries"
    assert told[-1].headers["Retry-After"] == "60"
