"""Arrivals of photos: what fails is given back alone, whatever it is."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from handlers.events import photos as handler
from models.base.errors import Unavailable


class Evidence:
    """Records what arrived, and fails as told."""

    def __init__(self) -> None:
        self.arrived: list[str] = []
        self.failing: dict[str, Exception] = {}

    def photo_arrived(self, key: str) -> None:
        self.arrived.append(key)
        if key in self.failing:
            raise self.failing[key]


@pytest.fixture
def evidence(monkeypatch: pytest.MonkeyPatch) -> Evidence:
    made = Evidence()
    monkeypatch.setattr(handler, "services", lambda: SimpleNamespace(evidence=made))
    return made


def arrived(*keys: str) -> dict[str, Any]:
    """A batch of the queue: one message for each key."""
    return {"Records": [message(key) for key in keys]}


def message(key: str) -> dict[str, str]:
    return {
        "messageId": f"message-{key}",
        "body": json.dumps({"Records": [{"s3": {"object": {"key": key}}}]}),
    }


def given_back(answer: Any) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_every_photo_of_a_batch_is_taken_in(evidence: Evidence) -> None:
    answer = handler.on_queue(arrived("uploads/up_1", "uploads/up_2"))

    assert evidence.arrived == ["uploads/up_1", "uploads/up_2"]
    assert given_back(answer) == []


def test_a_key_is_read_as_s3_writes_it(evidence: Evidence) -> None:
    handler.on_queue(arrived("uploads%2Fup+1"))

    assert evidence.arrived == ["uploads/up 1"]


@pytest.mark.parametrize("error", [Unavailable("store.busy"), ZeroDivisionError()])
def test_a_photo_that_fails_is_given_back_alone(evidence: Evidence, error: Exception) -> None:
    evidence.failing["uploads/up_1"] = error

    answer = handler.on_queue(arrived("uploads/up_1", "uploads/up_2"))

    assert given_back(answer) == ["message-uploads/up_1"]
    assert "uploads/up_2" in evidence.arrived


def test_a_message_that_cannot_be_read_holds_up_no_other(evidence: Evidence) -> None:
    batch = arrived("uploads/up_1")
    batch["Records"].insert(0, {"messageId": "torn", "body": "{"})

    answer = handler.on_queue(batch)

    assert given_back(answer) == ["torn"]
    assert evidence.arrived == ["uploads/up_1"]


def test_the_buckets_test_event_is_no_photo(evidence: Evidence) -> None:
    batch = {"Records": [{"messageId": "test", "body": '{"Event": "s3:TestEvent"}'}]}

    assert given_back(handler.on_queue(batch)) == []
    assert evidence.arrived == []
