"""The mini-program's client: what each API's answers become."""

from __future__ import annotations

import pytest

from infra.local.wechat.accounts import ONCE_RIDER_PROGRESS
from models.base.errors import Unavailable
from models.cases.gateways import JudgementRefused
from models.gateways.wechat.errors import (
    ArgumentInvalid,
    CallRefused,
    NoQuota,
    OpenidUnknown,
    PageUnknown,
    SystemBusy,
    TemplateUnknown,
    Unreachable,
)
from models.people.gateways import (
    LoginBlocked,
    LoginCodeInvalid,
    LoginCodeUsed,
    PhoneCodeInvalid,
)
from tests.models.gateways.wechat.conftest import OPENID, UNIONID, WeChat

SESSION = "/sns/jscode2session"
PHONE = "/wxa/business/getuserphonenumber"
SUBSCRIBE = "/cgi-bin/message/subscribe/send"
FIELDS = {
    "thing1": "占道停放",
    "phrase2": "已派单",
    "thing3": "网格员已收到",
    "character_string4": "C-1",
}


def send(wechat: WeChat, **changes: object) -> str:
    how: dict[str, object] = {
        "openid": OPENID,
        "template_id": ONCE_RIDER_PROGRESS,
        "fields": FIELDS,
        "page": "pages/report/detail?id=1",
    }
    return wechat.mini.send_subscribe(**{**how, **changes})  # type: ignore[arg-type]


def accept(wechat: WeChat) -> None:
    wechat.control("popup", openid=OPENID, templates={ONCE_RIDER_PROGRESS: "accept"})


def test_login_needs_no_access_token(wechat: WeChat) -> None:
    identity = wechat.mini.code_to_session(wechat.login_code())

    assert (identity.openid, identity.unionid) == (OPENID, UNIONID)
    assert wechat.calls == [SESSION]


def test_user_without_an_open_platform_account_has_no_unionid(wechat: WeChat) -> None:
    code = wechat.login_code(openid="synthetic-openid-2", unionid=None)

    assert wechat.mini.code_to_session(code).unionid is None


def test_used_login_code_is_told_as_used(wechat: WeChat) -> None:
    code = wechat.login_code()
    wechat.mini.code_to_session(code)

    with pytest.raises(LoginCodeUsed):
        wechat.mini.code_to_session(code)


def test_unknown_and_expired_login_codes_are_invalid(wechat: WeChat) -> None:
    late = wechat.login_code()
    wechat.control("advance_clock", seconds=301)

    for code in ("never-minted", late):
        with pytest.raises(LoginCodeInvalid):
            wechat.mini.code_to_session(code)


def test_blocked_user_is_not_let_in(wechat: WeChat) -> None:
    wechat.fail(SESSION, errcode=40226)

    with pytest.raises(LoginBlocked):
        wechat.mini.code_to_session(wechat.login_code())


def test_lost_answer_to_a_login_is_unknown_and_the_code_is_not_sent_again(wechat: WeChat) -> None:
    code = wechat.login_code()
    wechat.fail(SESSION, reset=True, after=True)

    with pytest.raises(Unreachable) as lost:
        wechat.mini.code_to_session(code)

    assert lost.value.was_sent
    assert wechat.calls == [SESSION]
    with pytest.raises(LoginCodeUsed):
        wechat.mini.code_to_session(code)


def test_busy_wechat_is_asked_a_second_time_for_a_login_and_not_a_third(wechat: WeChat) -> None:
    wechat.fail(SESSION, errcode=-1)

    assert wechat.mini.code_to_session(wechat.login_code()).openid == OPENID
    assert wechat.calls == [SESSION, SESSION]

    wechat.fail(SESSION, errcode=-1, times=2)
    with pytest.raises(SystemBusy):
        wechat.mini.code_to_session(wechat.login_code())
    assert wechat.calls == [SESSION] * 4


def test_phone_number_has_its_country_code(wechat: WeChat) -> None:
    code = wechat.control("mint_phone_code", phone="10000000001", openid=OPENID)["code"]

    assert wechat.mini.phone_number(code, OPENID) == "+8610000000001"


def test_phone_code_of_another_user_or_used_is_invalid(wechat: WeChat) -> None:
    code = wechat.control("mint_phone_code", phone="10000000001", openid=OPENID)["code"]

    with pytest.raises(PhoneCodeInvalid):
        wechat.mini.phone_number(code, "synthetic-openid-2")
    wechat.mini.phone_number(code, OPENID)
    with pytest.raises(PhoneCodeInvalid):
        wechat.mini.phone_number(code, OPENID)


def test_subscription_message_arrives_as_it_was_written(wechat: WeChat) -> None:
    accept(wechat)

    msgid = send(wechat)

    [message] = wechat.sent()
    assert message["data"] == FIELDS
    assert (message["touser"], message["page"]) == (OPENID, "pages/report/detail?id=1")
    assert msgid == str(message["msgid"])


def test_message_without_an_acceptance_is_refused(wechat: WeChat) -> None:
    accept(wechat)
    send(wechat)

    with pytest.raises(NoQuota) as refused:
        send(wechat)

    assert refused.value.errcode == 43101
    assert refused.value.rid is not None
    assert refused.value.rid.count("-") == 2


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"fields": {**FIELDS, "thing1": "长" * 21}}, ArgumentInvalid),
        ({"page": "pages/none"}, PageUnknown),
        ({"template_id": "none"}, TemplateUnknown),
        ({"openid": "nobody"}, OpenidUnknown),
    ],
)
def test_wrong_message_is_refused_with_its_own_error(
    wechat: WeChat, change: dict[str, object], error: type[CallRefused]
) -> None:
    accept(wechat)

    with pytest.raises(error):
        send(wechat, **change)


@pytest.mark.parametrize("suggest", ["pass", "risky", "review"])
def test_text_is_judged(wechat: WeChat, suggest: str) -> None:
    wechat.control("configure", keywords={"坏词": "risky", "疑词": "review"})
    text = {"pass": "路灯不亮", "risky": "坏词", "review": "疑词"}[suggest]

    assert wechat.mini.check_text(OPENID, text) == suggest


def test_text_of_a_user_long_gone_is_not_judged(wechat: WeChat) -> None:
    wechat.control("advance_clock", seconds=7201)

    with pytest.raises(JudgementRefused):
        wechat.mini.check_text(OPENID, "路灯不亮")
    with pytest.raises(JudgementRefused):
        wechat.mini.check_media("http://127.0.0.1:1/a.jpg", OPENID)


def test_media_check_answers_the_trace_of_the_verdict(wechat: WeChat) -> None:
    trace_id = wechat.mini.check_media(url="http://127.0.0.1:1/a.jpg", openid=OPENID)

    pushes = wechat.transport.get("/_control/pushes", {})["items"]
    assert [push["content"]["trace_id"] for push in pushes] == [trace_id]


def test_unlimited_code_is_a_picture_and_a_refusal_is_an_error(wechat: WeChat) -> None:
    picture = wechat.mini.unlimited_code(scene="s=ST0042", page="pages/checkin/index")

    assert picture.startswith(b"\xff\xd8\xff")
    with pytest.raises(PageUnknown):
        wechat.mini.unlimited_code(scene="s=ST0042", page="pages/none")


@pytest.mark.parametrize(
    "failure",
    [
        {"http": 502},
        {"http": 200},
        {"reset": True},
        {"truncated": True},
        {"timeout_s": 1.5},
        {"errcode": 40164},
    ],
)
def test_every_other_failure_reads_as_wechat_being_away(
    wechat: WeChat, failure: dict[str, object]
) -> None:
    wechat.fail(SUBSCRIBE, **failure)
    accept(wechat)

    with pytest.raises(Unavailable) as away:
        send(wechat)

    assert away.value.code == "wechat.away"


def test_refused_connection_is_tried_twice_for_a_login(wechat: WeChat) -> None:
    wechat.transport.base_url = "http://127.0.0.1:1"

    with pytest.raises(Unreachable) as away:
        wechat.mini.code_to_session("any")

    assert not away.value.was_sent
    assert wechat.calls == [SESSION, SESSION]


def test_verdict_that_is_none_of_the_known_never_passes(
    wechat: WeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"errcode": 0, "result": {"suggest": "maybe"}}
    monkeypatch.setattr(wechat.mini, "_post", lambda path, body: answer)

    with pytest.raises(Unreachable):
        wechat.mini.check_text(OPENID, "路灯不亮")


def test_answers_without_what_they_are_for_are_no_answers(
    wechat: WeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wechat.mini, "_post", lambda path, body: {"errcode": 0})

    with pytest.raises(Unreachable):
        wechat.mini.check_text(OPENID, "路灯不亮")
    with pytest.raises(Unreachable):
        wechat.mini.check_media("http://127.0.0.1:1/a.jpg", OPENID)
    with pytest.raises(Unreachable):
        send(wechat)


def test_page_instead_of_a_picture_is_no_picture(wechat: WeChat) -> None:
    wechat.fail("/wxa/getwxacodeunlimit", http=200)

    with pytest.raises(Unreachable):
        wechat.mini.unlimited_code(scene="s=ST0042", page="pages/checkin/index")
