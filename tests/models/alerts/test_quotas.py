"""Quotas: each acceptance counts once, each notice takes one, WeChat's word is the last."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from models.alerts import quotas
from models.alerts.tables import QuotaRow
from models.base.ids import new_id
from models.base.store import get
from tests.support.alerts import NOW
from tests.support.faults import lost_reply

pytestmark = pytest.mark.usefixtures("tables")

TEMPLATE = "sub-officer-alert"


@pytest.fixture
def member_id() -> str:
    return new_id("mbr")


def accept(member_id: str, times: int = 1) -> None:
    for _ in range(times):
        quotas.add_once(member_id, TEMPLATE, event_id=new_id("out"), at=NOW)


def test_a_stranger_has_none(member_id: str) -> None:
    assert quotas.remaining(member_id, TEMPLATE) == 0
    assert not quotas.take(member_id, TEMPLATE, notice_id="ntc_1")
    assert get(QuotaRow, member_id, TEMPLATE) is None


def test_acceptances_add_up_and_one_event_counts_once(member_id: str) -> None:
    for _ in range(2):
        quotas.add_once(member_id, TEMPLATE, event_id="out_1", at=NOW)
    with lost_reply("UpdateItem"):
        quotas.add_once(member_id, TEMPLATE, event_id="out_2", at=NOW)

    assert quotas.remaining(member_id, TEMPLATE) == 2
    assert quotas.remaining(member_id, "sub-escalation") == 0


def test_a_notice_takes_one_however_often_it_asks(member_id: str) -> None:
    accept(member_id, 2)

    with lost_reply("UpdateItem"):
        assert quotas.take(member_id, TEMPLATE, notice_id="ntc_1")
    assert quotas.take(member_id, TEMPLATE, notice_id="ntc_1")

    assert quotas.remaining(member_id, TEMPLATE) == 1


def test_of_many_notices_at_once_only_as_many_get_one_as_there_are(member_id: str) -> None:
    accept(member_id, 3)

    with ThreadPoolExecutor(8) as pool:
        took = list(
            pool.map(lambda n: quotas.take(member_id, TEMPLATE, notice_id=f"ntc_{n}"), range(8))
        )

    assert sum(took) == 3
    assert quotas.remaining(member_id, TEMPLATE) == 0


def test_what_was_used_is_gone(member_id: str) -> None:
    accept(member_id)
    quotas.take(member_id, TEMPLATE, notice_id="ntc_1")

    quotas.use(member_id, TEMPLATE, notice_id="ntc_1")

    assert not quotas.take(member_id, TEMPLATE, notice_id="ntc_1")


def test_what_is_given_back_comes_back_once(member_id: str) -> None:
    accept(member_id)
    quotas.take(member_id, TEMPLATE, notice_id="ntc_1")

    with lost_reply("UpdateItem"):
        quotas.give_back(member_id, TEMPLATE, notice_id="ntc_1")
    quotas.give_back(member_id, TEMPLATE, notice_id="ntc_1")

    assert quotas.remaining(member_id, TEMPLATE) == 1


def test_wechats_refusal_sets_the_count_to_nothing(member_id: str) -> None:
    accept(member_id, 3)
    quotas.take(member_id, TEMPLATE, notice_id="ntc_1")

    quotas.correct(member_id, TEMPLATE, notice_id="ntc_1")

    assert quotas.remaining(member_id, TEMPLATE) == 0


def test_a_rejection_clears_but_not_what_was_accepted_later(member_id: str) -> None:
    accept(member_id, 2)

    quotas.clear(member_id, TEMPLATE, at=NOW - timedelta(seconds=1))
    assert quotas.remaining(member_id, TEMPLATE) == 2
    quotas.clear(member_id, TEMPLATE, at=NOW)

    assert quotas.remaining(member_id, TEMPLATE) == 0
