"""WeChat's pushes over HTTP: stored before `success` is said, and only if they are WeChat's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from app import app
from chalice.test import Client, HTTPResponse

from handlers import wiring
from handlers.http import callbacks
from handlers.settings import Settings
from infra.local.wechat import safe_mode
from infra.local.wechat.accounts import MINI, SERVICE, Account
from infra.local.wechat.events import service_event, subscription_event
from infra.local.wechat.pushes import Envelope, seal
from models.alerts.entities import CallbackPush
from models.base.clock import FixedClock
from models.base.errors import Unavailable

PATHS = {"mini": "/wechat/callback", "service": "/wechat/service-callback"}
POPUP = subscription_event(
    "subscribe_msg_popup_event",
    "synthetic-openid",
    [{"TemplateId": "sub-1", "SubscribeStatusString": "accept", "PopupScene": "0"}],
    at=1.0,
)
FOLLOW = service_event("subscribe", "synthetic-openid", at=1.0, EventKey="")
PUSHES = [(MINI, POPUP), (SERVICE, FOLLOW)]
NAMES = ["mini", "service"]


class Taken:
    """Notes what is taken in; ``models.alerts`` has its own tests."""

    def __init__(self) -> None:
        self.pushes: list[CallbackPush] = []
        self.is_away = False

    def take_in(self, push: CallbackPush) -> None:
        if self.is_away:
            raise Unavailable("store.busy")
        self.pushes.append(push)


@pytest.fixture
def taken(tmp_path: Path, clock: FixedClock) -> Iterator[Taken]:
    secrets = tmp_path / "secrets.json"
    known = {
        "mini_push_token": MINI.token,
        "mini_push_key": MINI.aes_key,
        "service_push_token": SERVICE.token,
        "service_push_key": SERVICE.aes_key,
    }
    secrets.write_text(json.dumps(known))
    wired = wiring.Services(
        Settings(mini_appid=MINI.appid, service_appid=SERVICE.appid, secrets_from=f"file:{secrets}")
    )
    taken = Taken()
    wired.__dict__ |= {"clock": clock, "callbacks": taken}
    wiring.use_services(wired)
    yield taken
    wiring.use_services(None)


def push(account: Account, event: dict[str, object], clock: FixedClock) -> Envelope:
    return seal(account, event, at=int(clock.now().timestamp()), nonce="4156")


def post(path: str, envelope: Envelope, *, media_type: str | None = None) -> HTTPResponse:
    with Client(app) as client:
        return client.http.post(
            f"{path}?{urlencode(envelope.query)}",
            headers={"Content-Type": media_type or envelope.content_type},
            body=envelope.body,
        )


@pytest.mark.parametrize(("account", "event"), PUSHES, ids=NAMES)
def test_push_is_taken_in_and_answered_with_success(
    taken: Taken, clock: FixedClock, account: Account, event: dict[str, object]
) -> None:
    answer = post(PATHS[account.name], push(account, event, clock))

    assert (answer.status_code, answer.body) == (200, b"success")
    assert answer.headers["Content-Type"].startswith("text/plain")
    [pushed] = taken.pushes
    assert (pushed.account, pushed.event["Event"]) == (account.name, event["Event"])


@pytest.mark.parametrize("media_type", [*callbacks.CONTENT_TYPES, "text/xml; charset=utf-8"])
def test_push_is_read_whatever_media_type_it_names(
    taken: Taken, clock: FixedClock, media_type: str
) -> None:
    for account, event in PUSHES:
        answer = post(PATHS[account.name], push(account, event, clock), media_type=media_type)

        assert answer.status_code == 200


@pytest.mark.parametrize(("account", "event"), PUSHES, ids=NAMES)
def test_forged_push_is_refused_and_not_taken_in(
    taken: Taken, clock: FixedClock, account: Account, event: dict[str, object]
) -> None:
    good = push(account, event, clock)
    other = SERVICE if account is MINI else MINI
    for bad in (
        Envelope(query={}, body=good.body, content_type=good.content_type),
        Envelope(query=good.query, body=b"junk", content_type=good.content_type),
        Envelope(query=good.query, body=b"", content_type=good.content_type),
        push(other, event, clock),
    ):
        answer = post(PATHS[account.name], bad)

        assert answer.status_code == 403
    assert taken.pushes == []


def test_push_that_cannot_be_stored_is_not_acknowledged(taken: Taken, clock: FixedClock) -> None:
    taken.is_away = True

    answer = post(PATHS["mini"], push(MINI, POPUP, clock))

    assert answer.status_code == 503
    assert b"success" not in answer.body


@pytest.mark.parametrize("account", [MINI, SERVICE], ids=NAMES)
def test_address_check_is_echoed_only_to_wechat(
    taken: Taken, clock: FixedClock, account: Account
) -> None:
    at, nonce = str(int(clock.now().timestamp())), "4156"
    query = {
        "signature": safe_mode.signature(account.token, at, nonce),
        "timestamp": at,
        "nonce": nonce,
        "echostr": "4375120948345356249",
    }

    with Client(app) as client:
        good = client.http.get(f"{PATHS[account.name]}?{urlencode(query)}")
        bad = client.http.get(f"{PATHS[account.name]}?{urlencode({**query, 'signature': '0'})}")
        none = client.http.get(PATHS[account.name])

    assert (good.status_code, good.body) == (200, b"4375120948345356249")
    assert good.headers["Content-Type"].startswith("text/plain")
    assert (bad.status_code, none.status_code) == (403, 403)
