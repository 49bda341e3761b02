"""Content checks, and codes and links into the mini-program."""

import hashlib
import io
from typing import Any

import pytest
from PIL import Image

from infra.local.wechat.accounts import MINI

TEXT = "wxa/msg_sec_check"
MEDIA = "wxa/media_check_async"
CODE = "wxa/getwxacodeunlimit"


def a_text(content: str, **changes: object) -> dict[str, object]:
    return {"version": 2, "scene": 2, "openid": "o-rider", "content": content, **changes}


def a_picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(out, "PNG")
    return out.getvalue()


def check_picture(wechat: Any, url: str, **changes: object) -> dict[str, Any]:
    wechat.control("visit", openid="o-rider")
    body = {"media_url": url, "media_type": 2, "version": 2, "scene": 2, "openid": "o-rider"}
    return dict(wechat.send(MEDIA, body | changes))


@pytest.mark.parametrize(
    ("content", "suggest", "label"),
    [
        ("路灯不亮", "pass", 100),
        ("这里有赌博", "risky", 20002),
        ("一个待审样词", "review", 21000),
        ("待审样词和赌博", "risky", 20002),
    ],
)
def test_text_is_judged_by_the_keyword_table(
    wechat: Any, content: str, suggest: str, label: int
) -> None:
    wechat.control("visit", openid="o-rider")

    answer = wechat.send(TEXT, a_text(content))

    assert answer["errcode"] == 0
    assert answer["result"] == {"suggest": suggest, "label": label}
    assert len(answer["detail"]) == (1 if suggest == "pass" else 2)
    assert answer["trace_id"]


def test_text_of_someone_who_was_not_here_for_two_hours_is_refused(wechat: Any) -> None:
    code = wechat.control("mint_login_code", openid="o-rider")["code"]
    assert wechat.send(TEXT, a_text("路灯"))["errcode"] == 40003
    query = {"appid": MINI.appid, "secret": MINI.secret, "js_code": code}
    wechat.get("sns/jscode2session", grant_type="authorization_code", **query)
    assert wechat.send(TEXT, a_text("路灯"))["errcode"] == 0
    wechat.control("advance_clock", seconds=7201)

    assert wechat.send(TEXT, a_text("路灯"))["errcode"] == 61010


def test_odd_text_checks_are_refused(wechat: Any) -> None:
    wechat.control("visit", openid="o-rider")

    assert wechat.send(TEXT, a_text("路灯", scene=9))["errcode"] == 40129
    assert wechat.send(TEXT, a_text(""))["errcode"] == 47001
    assert wechat.send(TEXT, a_text("字" * 2501))["errcode"] == 45002


def test_text_check_without_a_version_answers_in_the_first_shape(wechat: Any) -> None:
    assert wechat.send(TEXT, {"content": "路灯"}) == {"errcode": 0, "errmsg": "ok"}
    assert wechat.send(TEXT, {"content": "赌博"})["errcode"] == 87014


def test_picture_is_fetched_and_its_verdict_pushed(wechat: Any, callback: Any) -> None:
    picture = a_picture()
    callback.files["/a.png"] = picture
    wechat.control("verdict", **{hashlib.sha256(picture).hexdigest(): "risky"})

    asked = check_picture(wechat, f"{callback.url}/a.png")
    event = callback.next()

    assert event["Event"] == "wxa_media_check"
    assert event["trace_id"] == asked["trace_id"]
    assert event["result"]["suggest"] == "risky"
    assert event["appid"] == MINI.appid


def test_label_comes_as_number_and_as_text(wechat: Any, callback: Any) -> None:
    callback.files["/a.png"] = a_picture()
    for _ in range(2):
        check_picture(wechat, f"{callback.url}/a.png")

    labels = [callback.next()["result"]["label"] for _ in range(2)]

    assert sorted(map(str, labels)) == ["100", "100"]
    assert {type(label) for label in labels} == {int, str}


@pytest.mark.parametrize(
    "content",
    [None, b"no picture", b"\xff\xd8\xff".ljust(10 * 1024 * 1024 + 1)],
    ids=["missing", "no picture", "more than 10 MB"],
)
def test_what_cannot_be_fetched_has_no_result(
    wechat: Any, callback: Any, content: bytes | None
) -> None:
    if content is not None:
        callback.files["/a.png"] = content
    asked = check_picture(wechat, f"{callback.url}/a.png")

    event = callback.next()

    assert event["trace_id"] == asked["trace_id"]
    assert event["errcode"] == -1008
    assert event["detail"] == []
    assert "result" not in event


def test_verdict_waits_for_the_virtual_clock(wechat: Any, callback: Any) -> None:
    callback.files["/a.png"] = a_picture()
    wechat.control("configure", media_delay_s=1200)
    asked = check_picture(wechat, f"{callback.url}/a.png")
    assert callback.received.empty()
    wechat.control("advance_clock", seconds=1201)

    assert callback.next()["trace_id"] == asked["trace_id"]


def test_picture_declared_as_sound_passes_unseen(wechat: Any, callback: Any) -> None:
    callback.files["/a.png"] = a_picture()
    wechat.control("verdict", default="risky")
    check_picture(wechat, f"{callback.url}/a.png", media_type=1)

    assert callback.next()["result"]["suggest"] == "pass"


def test_odd_media_checks_are_refused(wechat: Any) -> None:
    assert check_picture(wechat, "not a url")["errcode"] == 47001
    assert check_picture(wechat, "http://127.0.0.1:9/a", version=1)["errcode"] == 40097
    assert check_picture(wechat, "http://127.0.0.1:9/a", media_type=3)["errcode"] == 40097
    assert check_picture(wechat, "http://127.0.0.1:9/a", openid="o-x")["errcode"] == 40003


def test_unlimited_code_is_a_picture(wechat: Any) -> None:
    body = {"scene": "c=0123456789abcdefghij", "page": "pages/checkin/index"}

    answer = wechat.raw("POST", CODE, {"access_token": wechat.token()}, body)

    assert answer.headers["Content-Type"] == "image/jpeg"
    picture = Image.open(io.BytesIO(answer.content))
    picture.load()
    assert picture.format == "JPEG"


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"scene": "x" * 33}, 40169),
        ({"scene": ""}, 40169),
        ({"scene": "站点"}, 40169),
        ({"scene": "a%20"}, 40169),
        ({"scene": 5}, 40169),
        ({"scene": "a", "page": "pages/none"}, 41030),
        ({"scene": "a", "page": "/pages/checkin/index"}, 41030),
        ({"scene": "a", "page": "pages/checkin/index?a=1", "check_path": False}, 41030),
        ({"scene": "a", "width": 100}, 40097),
    ],
)
def test_unlimited_code_is_refused_in_json(
    wechat: Any, body: dict[str, object], errcode: int
) -> None:
    answer = wechat.raw("POST", CODE, {"access_token": wechat.token()}, body)

    assert answer.headers["Content-Type"] == "application/json; encoding=utf-8"
    assert answer.json()["errcode"] == errcode


def test_page_that_is_not_released_needs_no_check(wechat: Any) -> None:
    body = {"scene": "a", "page": "pages/none", "check_path": False}

    answer = wechat.raw("POST", CODE, {"access_token": wechat.token()}, body)

    assert answer.headers["Content-Type"] == "image/jpeg"


def test_links_live_thirty_days_and_lead_to_known_pages(wechat: Any) -> None:
    target = {"path": "/pages/case/detail", "query": "id=C1"}
    month = {"expire_type": 1, "expire_interval": 30}

    scheme = wechat.send("wxa/generatescheme", {"jump_wxa": target, **month})
    link = wechat.send("wxa/generate_urllink", {**target, **month})
    too_long = wechat.send("wxa/generate_urllink", {**target, **month, "expire_interval": 31})
    unknown = wechat.send("wxa/generatescheme", {"jump_wxa": {"path": "/pages/none"}})

    assert scheme["openlink"].startswith("weixin://dl/business/?t=")
    assert link["url_link"].startswith("https://")
    assert too_long["errcode"] == 85400
    assert unknown["errcode"] == 40165
