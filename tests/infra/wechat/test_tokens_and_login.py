"""Tokens, login codes, phone codes and followers."""

from typing import Any

import pytest

from infra.local.wechat.accounts import MINI, SERVICE

SEND = "cgi-bin/message/subscribe/send"


def credentials(**changes: str) -> dict[str, str]:
    given = {"grant_type": "client_credential", "appid": MINI.appid, "secret": MINI.secret}
    return given | changes


def login(wechat: Any, code: str, **changes: str) -> dict[str, Any]:
    query = {
        "appid": MINI.appid,
        "secret": MINI.secret,
        "js_code": code,
        "grant_type": "authorization_code",
    }
    return dict(wechat.get("sns/jscode2session", **(query | changes)))


def test_stable_token_is_the_same_until_five_minutes_before_its_end(wechat: Any) -> None:
    first = wechat.stable()
    wechat.control("advance_clock", seconds=6800)
    again = wechat.stable()
    wechat.control("advance_clock", seconds=150)
    renewed = wechat.stable()

    assert first["expires_in"] == 7200
    assert again["access_token"] == first["access_token"]
    assert 390 <= again["expires_in"] <= 400
    assert renewed["access_token"] != first["access_token"]
    assert wechat.post(SEND, {}, access_token=first["access_token"])["errcode"] == 40003
    assert wechat.post(SEND, {}, access_token=renewed["access_token"])["errcode"] == 40003


def test_token_older_than_two_hours_is_expired(wechat: Any) -> None:
    token = wechat.token()
    wechat.control("advance_clock", seconds=7200)

    assert wechat.post(SEND, {}, access_token=token)["errcode"] == 42001


def test_token_is_wanted_in_the_query_and_must_be_known(wechat: Any) -> None:
    missing = wechat.post(SEND, {"access_token": wechat.token()})
    unknown = wechat.post(SEND, {}, access_token="stable_unknown")

    assert missing["errcode"] == 41001
    assert unknown["errcode"] == 40001
    assert " rid: " in unknown["errmsg"]


def test_token_of_the_other_account_is_not_authorised(wechat: Any) -> None:
    foreign = wechat.token(SERVICE)

    assert wechat.post("wxa/msg_sec_check", {}, access_token=foreign)["errcode"] == 48001
    path = "cgi-bin/message/template/send"
    assert wechat.post(path, {}, access_token=wechat.token())["errcode"] == 48001


def test_forced_refresh_kills_the_old_token_and_repeats_are_ignored_for_30_s(wechat: Any) -> None:
    old = wechat.token()
    forced = wechat.token(force_refresh=True)
    too_soon = wechat.token(force_refresh=True)

    assert forced != old
    assert too_soon == forced
    assert wechat.post(SEND, {}, access_token=old)["errcode"] == 40001


def test_forced_refresh_ends_after_twenty_a_day(wechat: Any) -> None:
    wechat.token()
    for _ in range(20):
        assert "access_token" in wechat.stable(force_refresh=True)
        wechat.control("advance_clock", seconds=31)

    assert wechat.stable(force_refresh=True)["errcode"] == 45009


def test_legacy_token_replaces_the_one_before_and_leaves_the_stable_one(wechat: Any) -> None:
    stable = wechat.token()
    first = wechat.get("cgi-bin/token", **credentials())["access_token"]
    second = wechat.get("cgi-bin/token", **credentials())["access_token"]
    assert wechat.post(SEND, {}, access_token=first)["errcode"] == 40003
    wechat.control("advance_clock", seconds=301)

    assert first != second
    assert wechat.post(SEND, {}, access_token=first)["errcode"] == 42001
    assert wechat.post(SEND, {}, access_token=second)["errcode"] == 40003
    assert wechat.post(SEND, {}, access_token=stable)["errcode"] == 40003


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"grant_type": "other"}, 40002),
        ({"appid": ""}, 41002),
        ({"secret": ""}, 41004),
        ({"appid": "wx0000000000000009"}, 40013),
        ({"secret": "wrong"}, 40125),
    ],
)
def test_wrong_credentials_have_their_own_codes(
    wechat: Any, changes: dict[str, str], errcode: int
) -> None:
    assert wechat.post("cgi-bin/stable_token", credentials(**changes))["errcode"] == errcode
    assert wechat.get("cgi-bin/token", **credentials(**changes))["errcode"] == errcode


@pytest.mark.parametrize("errcode", [42001, 40001])
def test_control_ends_every_token_as_expired_or_as_replaced(wechat: Any, errcode: int) -> None:
    token = wechat.token()

    wechat.control("expire_token", appid=MINI.appid, errcode=errcode)

    assert wechat.post(SEND, {}, access_token=token)["errcode"] == errcode
    assert wechat.token() != token


def test_login_code_gives_a_session_once_without_access_token(wechat: Any) -> None:
    code = wechat.control("mint_login_code", openid="o-rider", unionid="u-rider")["code"]

    session = login(wechat, code)

    assert session["openid"] == "o-rider"
    assert session["unionid"] == "u-rider"
    assert "errcode" not in session
    assert login(wechat, code)["errcode"] == 40163


def test_login_answers_are_text_plain_good_or_bad(wechat: Any) -> None:
    answer = wechat.raw("GET", "sns/jscode2session", {})

    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.json()["errcode"] == 40002


def test_session_has_no_unionid_when_there_is_none(wechat: Any) -> None:
    code = wechat.control("mint_login_code", openid="o-rider")["code"]

    assert "unionid" not in login(wechat, code)


def test_unknown_missing_and_expired_login_codes_are_refused(wechat: Any) -> None:
    code = wechat.control("mint_login_code", openid="o-rider")["code"]
    assert login(wechat, code, secret="wrong")["errcode"] == 40125
    wechat.control("advance_clock", seconds=300)

    assert login(wechat, code)["errcode"] == 40029
    assert login(wechat, "unknown")["errcode"] == 40029
    assert login(wechat, "")["errcode"] == 41008


def test_hundred_logins_of_one_user_fill_a_minute(wechat: Any) -> None:
    for _ in range(100):
        code = wechat.control("mint_login_code", openid="o-rider")["code"]
        assert "session_key" in login(wechat, code)
    code = wechat.control("mint_login_code", openid="o-rider")["code"]

    assert login(wechat, code)["errcode"] == 45011
    wechat.control("advance_clock", seconds=60)
    assert login(wechat, code)["openid"] == "o-rider"


def test_phone_code_gives_the_number_once_and_to_its_owner_only(wechat: Any) -> None:
    path = "wxa/business/getuserphonenumber"
    code = wechat.control("mint_phone_code", phone="00000000001", openid="o-a")["code"]

    assert wechat.send(path, {"code": code, "openid": "o-b"})["errcode"] == 40029
    answer = wechat.send(path, {"code": code, "openid": "o-a"})
    assert answer["phone_info"]["purePhoneNumber"] == "00000000001"
    assert answer["phone_info"]["countryCode"] == 86
    assert answer["phone_info"]["watermark"]["appid"] == MINI.appid
    assert wechat.send(path, {"code": code, "openid": "o-a"})["errcode"] == 40029


def test_phone_code_lives_five_minutes(wechat: Any) -> None:
    code = wechat.control("mint_phone_code", phone="00000000001")["code"]
    wechat.control("advance_clock", seconds=300)

    assert wechat.send("wxa/business/getuserphonenumber", {"code": code})["errcode"] == 40029


def test_user_info_tells_the_unionid_of_followers_only(wechat: Any) -> None:
    openid = wechat.control("follow", unionid="u-officer")["service_openid"]
    token = wechat.token(SERVICE)
    following = wechat.get("cgi-bin/user/info", access_token=token, openid=openid)
    wechat.control("unfollow", service_openid=openid)
    gone = wechat.get("cgi-bin/user/info", access_token=token, openid=openid)

    assert (following["subscribe"], following["unionid"]) == (1, "u-officer")
    assert gone == {"subscribe": 0, "openid": openid}
    unknown = wechat.get("cgi-bin/user/info", access_token=token, openid="o-x")
    assert unknown["errcode"] == 40003


def test_wrong_method_path_and_body_are_refused(wechat: Any) -> None:
    assert wechat.get("cgi-bin/stable_token")["errcode"] == 43002
    assert wechat.post("sns/jscode2session", {})["errcode"] == 43001
    assert wechat.get("cgi-bin/nothing")["errcode"] == 40066
    query = {"access_token": wechat.token()}
    assert wechat.raw("POST", SEND, query, [1]).json()["errcode"] == 47001
