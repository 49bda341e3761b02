"""The server itself: bursts, kept connections, planned failures, survival of SIGKILL."""

import json
import os
import queue
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
import requests

from infra.local.wechat.accounts import MINI, ONCE_OFFICER_ALERT, ROBOT_KEY, SERVICE
from infra.local.wechat.simulator import start_simulator

TOKEN_PATH = "/cgi-bin/stable_token"
ROBOT = "cgi-bin/webhook/send"
ROOT = Path(__file__).parents[3]
ALERT = {
    "thing1": {"value": "占道停放"},
    "thing2": {"value": "路口"},
    "time3": {"value": "15:01"},
    "character_string4": {"value": "R1"},
}


def say(wechat: Any, content: str) -> dict[str, Any]:
    body = {"msgtype": "text", "text": {"content": content}}
    return dict(wechat.post(ROBOT, body, key=ROBOT_KEY))


def test_fifty_threads_connecting_at_once_are_all_answered(wechat: Any) -> None:
    start = threading.Barrier(50)

    def mint(number: int) -> str:
        with requests.Session() as session:
            session.trust_env = False
            start.wait(timeout=10)
            url = f"{wechat.simulator.base_url}/_control/mint_login_code"
            codes = [
                session.post(url, json={"openid": f"o-{number}"}, timeout=10).json()["code"]
                for _ in range(4)
            ]
        return "".join(codes)

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(mint, range(50)))

    assert len(set(answers)) == 50


def test_concurrent_cold_callers_get_one_stable_token(wechat: Any) -> None:
    body = {"grant_type": "client_credential", "appid": MINI.appid, "secret": MINI.secret}
    url = f"{wechat.simulator.base_url}{TOKEN_PATH}"

    with ThreadPoolExecutor(16) as pool:
        answers = pool.map(lambda _: requests.post(url, json=body, timeout=10).json(), range(32))
        tokens = {answer["access_token"] for answer in answers}

    assert len(tokens) == 1


def test_failures_come_as_planned_and_end(wechat: Any) -> None:
    wechat.control("fail", path=ROBOT, errcode=-1, times=2)

    codes = [say(wechat, "x")["errcode"] for _ in range(3)]

    assert codes == [-1, -1, 0]
    assert len(wechat.sent()) == 1


def test_status_can_be_bad(wechat: Any) -> None:
    wechat.control("fail", path=ROBOT, http=502)
    url = f"{wechat.simulator.base_url}/{ROBOT}"

    assert requests.post(url, data=b"{}", timeout=5).status_code == 502


def test_reset_before_the_work_leaves_nothing_and_after_it_everything(wechat: Any) -> None:
    wechat.control("fail", path=ROBOT, reset=True)
    with pytest.raises(requests.ConnectionError, match="reset"):
        say(wechat, "before")
    wechat.control("fail", path=ROBOT, reset=True, after=True)
    with pytest.raises(requests.ConnectionError, match="reset"):
        say(wechat, "after")

    assert [message["data"]["content"] for message in wechat.sent()] == ["after"]


def test_truncated_answer_is_cut_after_the_work(wechat: Any) -> None:
    wechat.control("fail", path=ROBOT, truncated=True)

    with pytest.raises(requests.RequestException):
        say(wechat, "cut")
    assert len(wechat.sent()) == 1


def test_slow_answer_exceeds_the_callers_patience_after_the_work(wechat: Any) -> None:
    wechat.control("fail", path=ROBOT, timeout_s=20)
    url = f"{wechat.simulator.base_url}/{ROBOT}?key={ROBOT_KEY}"
    body = json.dumps({"msgtype": "text", "text": {"content": "slow"}})

    with pytest.raises(requests.ReadTimeout):
        requests.post(url, data=body, timeout=0.2)
    assert len(wechat.sent()) == 1


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("nothing", {}),
        ("mint_login_code", {}),
        ("configure", {"unknown": 1}),
        ("popup", {"openid": "o-a", "templates": {"unknown": "accept"}}),
        ("popup", {"openid": "o-a", "templates": {ONCE_OFFICER_ALERT: "maybe"}}),
        ("fail", {"path": "/x"}),
        ("verdict", {"default": "fine"}),
        ("push", {"account": "other", "events": []}),
        (
            "templates",
            {"register": [{"id": "a", "title": "a", "audience": "once", "fields": {"odd": ""}}]},
        ),
    ],
)
def test_senseless_control_request_is_a_400_with_its_reason(
    wechat: Any, name: str, body: dict[str, object]
) -> None:
    with pytest.raises(HTTPError) as refused:
        wechat.control(name, **body)

    assert refused.value.code == 400
    assert json.load(refused.value)["error"]


def test_refused_control_request_changes_nothing(wechat: Any) -> None:
    templates = {ONCE_OFFICER_ALERT: "accept", "unknown": "accept"}
    with pytest.raises(HTTPError) as refused:
        wechat.control("popup", openid="o-a", templates=templates)
    refused.value.close()
    wechat.control("visit", openid="o-a")

    body = {"touser": "o-a", "template_id": ONCE_OFFICER_ALERT, "data": ALERT}

    assert wechat.send("cgi-bin/message/subscribe/send", body)["errcode"] == 43101


def test_reset_forgets_messages_and_people_but_not_settings(wechat: Any) -> None:
    wechat.control("configure", media_delay_s=7)
    wechat.control("clock", offset_s=100)
    say(wechat, "x")

    wechat.control("reset")

    assert wechat.sent() == []
    assert wechat.control("configure")["media_delay_s"] == 7
    assert wechat.get("_control/clock")["offset_s"] == 0


def test_connection_is_kept_between_requests(wechat: Any) -> None:
    answer = wechat.raw("GET", "_control/health", {})

    assert answer.headers["Connection"] == "keep-alive"
    assert answer.json() == {"ok": True}


def run_simulator(state: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local.wechat", "--port", "0", "--state", str(state)],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().split()[-1]


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(timeout=10)
    assert process.stdout is not None
    process.stdout.close()


def test_everything_acknowledged_survives_sigkill(tmp_path: Path, callback: Any) -> None:
    state = tmp_path / "wechat.sqlite"
    process, base_url = run_simulator(state)

    def call(path: str, body: object, **query: str) -> dict[str, Any]:
        url = f"{base_url}/{path}"
        return dict(requests.post(url, json=body, params=query, timeout=10).json())

    def token() -> str:
        body = {"grant_type": "client_credential", "appid": MINI.appid, "secret": MINI.secret}
        return str(call("cgi-bin/stable_token", body)["access_token"])

    # Given an officer with two accepts, a follower, a code, one message and an unsent push
    push_url = f"{callback.url}/mini"
    call("_control/configure", {"mini_push_url": push_url, "push_retry_gap_s": 0.01})
    for _ in range(2):
        templates = {ONCE_OFFICER_ALERT: "accept"}
        call("_control/popup", {"openid": "o-a", "templates": templates})
    call("_control/follow", {"unionid": "u-a", "service_openid": "s-a"})
    code = call("_control/mint_login_code", {"openid": "o-a"})["code"]
    message = {"touser": "o-a", "template_id": ONCE_OFFICER_ALERT, "data": ALERT}
    before = token()
    path = "cgi-bin/message/subscribe/send"
    msgid = call(path, message, access_token=before)["msgid"]
    late = {"Event": "debug_demo", "FromUserName": "o-late"}
    call("_control/push", {"account": "mini", "events": [late], "delay_s": 3600})

    # When it is killed and started again
    kill(process)
    process, base_url = run_simulator(state)

    # Then nothing was forgotten
    sent = requests.get(f"{base_url}/_control/sent", timeout=10).json()["items"]
    assert [item["msgid"] for item in sent] == [str(msgid)]
    assert token() == before
    codes = [call(path, message, access_token=before)["errcode"] for _ in range(2)]
    assert codes == [0, 43101]
    query = {"appid": MINI.appid, "secret": MINI.secret, "js_code": code}
    query["grant_type"] = "authorization_code"
    session = requests.get(f"{base_url}/sns/jscode2session", params=query, timeout=10).json()
    assert session["openid"] == "o-a"
    call("_control/advance_clock", {"seconds": 3601})
    while callback.next()["FromUserName"] != "o-late":
        pass
    kill(process)


def test_push_interrupted_by_a_stop_is_sent_after_the_next_start(
    tmp_path: Path, callback: Any
) -> None:
    state = tmp_path / "wechat.sqlite"
    first = start_simulator(state=state)
    first.control("configure", service_push_url="http://127.0.0.1:9/", push_retry_gap_s=3600)
    first.control("follow", unionid="u-a", service_openid="s-a")
    first.stop()
    second = start_simulator(state=state)
    second.control("configure", service_push_url=f"{callback.url}/service")
    second.control("advance_clock", seconds=3601)

    event = callback.next()

    assert (event["Event"], event["FromUserName"]) == ("subscribe", "s-a")
    assert event["ToUserName"] == SERVICE.gh_id
    second.stop()
    with pytest.raises(queue.Empty):
        callback.received.get_nowait()
