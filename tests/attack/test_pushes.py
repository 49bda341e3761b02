"""Pushes with WeChat's signature and a shape that WeChat never showed."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from models.alerts.entities import CallbackPush
from models.alerts.tables import OutboxRow
from models.base.ids import derived_id
from models.base.store import get
from tests.support.world import World


@pytest.mark.parametrize(
    "event",
    [
        {"Event": "subscribe_msg_popup_event", "List": "abc"},
        {"Event": "subscribe_msg_popup_event", "List": ["abc"]},
        {"Event": "subscribe_msg_popup_event", "List": 7},
        {"Event": "subscribe_msg_popup_event", "List": [[]]},
        {"Event": "subscribe_msg_popup_event", "SubscribeMsgPopupEvent": "abc"},
        {"Event": "subscribe_msg_change_event", "SubscribeMsgChangeEvent": ["abc"]},
        {"Event": "subscribe_msg_popup_event", "CreateTime": "9" * 40, "List": []},
        {"Event": "wxa_media_check", "result": "pass"},
        {"Event": "wxa_media_check", "trace_id": {}, "result": []},
        {"Event": "unsubscribe", "FromUserName": []},
        {"Event": "user_authorization_revoke", "RevokeInfo": {"a": 1}},
        {"Event": "user_authorization_cancellation", "OpenID": ["o-1"]},
        {"Event": "user_info_modified", "OpenID": "o-1", "RevokeInfo": [6]},
        {"Event": "subscribe_msg_sent_event", "List": [{"ErrorCode": {}}]},
        {"Event": "subscribe_msg_sent_event", "List": [{"ErrorCode": 1, "MsgID": None}]},
        {"Event": "TEMPLATESENDJOBFINISH", "Status": ["failed"], "MsgID": 1},
        {"Event": "TEMPLATESENDJOBFINISH", "Status": "failed:user block"},
        {"Event": "subscribe", "MsgType": ["event"]},
        {"Event": {"a": 1}},
        {"Event": None},
        {},
    ],
)
def test_a_push_of_no_known_shape_does_not_stay_for_ever(
    world: World, event: dict[str, Any]
) -> None:
    full = {"FromUserName": "openid", "CreateTime": 1_773_000_000, **event}
    key = str(uuid.uuid4())
    world.services.callbacks.take_in(CallbackPush(account="mini", dedupe_key=key, event=full))
    callback_id = derived_id("cb", "mini", key)

    world.work()

    assert get(OutboxRow, derived_id("out", "callback", callback_id)) is None
