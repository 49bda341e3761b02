"""A phone repeats what a kill may have caused, and nothing else."""

from __future__ import annotations

import hashlib
import http.client
from types import SimpleNamespace
from typing import Any

import pytest

from infra.local.client import Reply
from infra.local.stack import ROOT
from infra.prove import phones
from infra.prove.phones import NotAsPromisedError, Phone, Repeats, unlike
from models.cases.imaging import inspect_and_render


@pytest.fixture
def repeats(monkeypatch: pytest.MonkeyPatch) -> Repeats:
    monkeypatch.setattr(phones, "_PAUSE_S", 0)
    return Repeats()


@pytest.fixture
def phone(repeats: Repeats) -> Phone:
    stack: Any = SimpleNamespace(api_url="http://127.0.0.1:1")
    return Phone(stack, "somebody", repeats)


class Answers:
    """Gives one answer after the other; an exception is raised."""

    def __init__(self, *answers: int | Exception) -> None:
        self._answers = list(answers)

    def __call__(self) -> Reply:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Reply(status=answer, body={"code": "x"}, headers={}, ms=0)


@pytest.mark.parametrize(
    "failure",
    [
        ConnectionRefusedError(),
        ConnectionResetError(),
        TimeoutError(),
        http.client.IncompleteRead(b""),
        http.client.RemoteDisconnected(),
        ValueError("half a JSON"),
        502,
        503,
    ],
    ids=repr,
)
def test_what_a_kill_may_cause_is_repeated(
    phone: Phone, repeats: Repeats, failure: int | Exception
) -> None:
    assert phone.insist(Answers(failure, failure, 201)).status == 201

    assert repeats.count == 2


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 429, 500])
def test_what_no_kill_excuses_is_told(phone: Phone, status: int) -> None:
    with pytest.raises(NotAsPromisedError, match=str(status)):
        phone.insist(Answers(503, status, 201))


def test_an_expected_refusal_is_handed_back(phone: Phone) -> None:
    assert phone.insist(Answers(503, 401), 401).status == 401


def test_a_request_that_is_never_acknowledged_is_told(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phones, "PATIENCE_S", 0.0)

    with pytest.raises(NotAsPromisedError, match="never acknowledged"):
        phone.insist(Answers())


def test_a_photo_made_unlike_is_the_same_picture() -> None:
    photo = (ROOT / "tests" / "photos" / "DSCN0010.jpg").read_bytes()

    copies = [unlike(photo) for _ in range(3)]

    assert len({hashlib.sha256(copy).digest() for copy in (photo, *copies)}) == 4
    rendered = [
        inspect_and_render(copy, declared_content_type="image/jpeg") for copy in (photo, copies[0])
    ]
    assert rendered[0].dhash == rendered[1].dhash
