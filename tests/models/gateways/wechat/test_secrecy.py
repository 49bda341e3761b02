"""No log line and no error says a secret, a token, an openid, a code or a phone number."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable

import pytest

from infra.local.wechat.accounts import MINI, ONCE_RIDER_PROGRESS, SERVICE
from models.base.store import get
from models.gateways.wechat.tables import TokenRow
from models.gateways.wechat.tokens import Account
from tests.models.gateways.wechat.conftest import OPENID, WeChat

PHONE = "10000000001"
SERVICE_OPENID = "synthetic-follower-1"
FAILURES: list[dict[str, object]] = [
    {"reset": True},
    {"timeout_s": 1.2},
    {"truncated": True},
    {"http": 500},
    {"errcode": 40003},
    {"errcode": 40001, "times": 3},
]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Every line at DEBUG, but for the loggers that the edge always keeps at WARNING."""
    for noisy in ("botocore", "pynamodb"):
        caplog.set_level(logging.WARNING, logger=noisy)
    caplog.set_level(logging.DEBUG, logger="urllib3")  # the edge quietens it, if it was imported
    caplog.set_level(logging.DEBUG)  # the last call also sets what is caught
    return caplog


def calls_of(wechat: WeChat, code: str, phone_code: str) -> dict[str, Callable[[], object]]:
    fields = {"thing1": "事项", "phrase2": "已派单", "thing3": "说明", "character_string4": "C-1"}
    page = "pages/report/detail"
    return {
        "/sns/jscode2session": lambda: wechat.mini.code_to_session(code),
        "/wxa/business/getuserphonenumber": lambda: wechat.mini.phone_number(phone_code, OPENID),
        "/cgi-bin/message/subscribe/send": lambda: wechat.mini.send_subscribe(
            openid=OPENID, template_id=ONCE_RIDER_PROGRESS, fields=fields, page=page
        ),
        "/cgi-bin/user/info": lambda: wechat.service.user_info(SERVICE_OPENID),
        "/cgi-bin/message/template/send": lambda: wechat.service.send_template(
            service_openid=SERVICE_OPENID,
            template_id="svc-officer-alert",
            fields=fields,
            page=page,
            client_msg_id="ntc_1",
        ),
    }


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_nothing_personal_or_secret_is_said_when_calls_fail(
    wechat: WeChat, logged: pytest.LogCaptureFixture, failure: dict[str, object]
) -> None:
    code = wechat.login_code()
    phone_code = wechat.control("mint_phone_code", phone=PHONE, openid=OPENID)["code"]
    said: list[str] = []
    wechat.mini.check_text(OPENID, "路灯不亮")
    with pytest.raises(Exception):  # noqa: B017  # never followed; it fetches the token
        wechat.service.user_info("nobody")

    for path, call in calls_of(wechat, code, phone_code).items():
        wechat.fail(path, **failure)
        said += all_said_by(call)

    wechat.transport.base_url = "http://127.0.0.1:1"
    wechat.service._client.API_BASE_URL = "http://127.0.0.1:1/cgi-bin/"
    for call in calls_of(wechat, code, phone_code).values():
        said += all_said_by(call)

    said += [line_of(record) for record in logged.records]
    assert [line for line in said if "/cgi-bin/stable_token HTTP" in line]
    tokens = [row.token for row in (get(TokenRow, a.appid) for a in (MINI, SERVICE)) if row]
    assert len(tokens) == 2
    secret = (MINI.secret, SERVICE.secret, OPENID, SERVICE_OPENID, PHONE, code, phone_code)
    for word in (*secret, *tokens):
        assert not [line for line in said if word in line]


def test_account_and_stored_token_do_not_show_themselves(wechat: WeChat) -> None:
    token = wechat.tokens().calling(lambda found: found)

    assert token not in repr(get(TokenRow, MINI.appid))
    assert MINI.secret not in repr(Account(appid=MINI.appid, secret=lambda: MINI.secret))


def all_said_by(call: Callable[[], object]) -> list[str]:
    """What a failing call's error says, whichever way it is printed."""
    try:
        call()
    except Exception as error:
        whole = traceback.format_exception(error)
        return [repr(error), *whole, *(str(link) for link in chain_of(error))]
    return []


def chain_of(error: BaseException) -> list[BaseException]:
    """All that hangs on an error, shown or suppressed."""
    found = [error]
    for link in (error.__cause__, error.__context__):
        if link is not None and link not in found:
            found += chain_of(link)
    return found


def line_of(record: logging.LogRecord) -> str:
    """A record with its extra fields, as JSON logging would write it."""
    return f"{record.getMessage()} {record.exc_text or ''} {vars(record)}"
