"""Who leaves takes what was written to him, and what he accepted, with him."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.alerts import counts, held, inbox, quotas
from models.alerts.delivery import inbox_row
from models.alerts.forgetting import AlertsForgetting
from models.alerts.tables import HeldRow, InboxRow, QuotaRow
from models.base import store
from models.base.clock import FixedClock
from models.base.ids import new_id
from models.people.withdrawals import Withdrawn
from tests.support.alerts import NOW, a_notice, an_alert

pytestmark = pytest.mark.usefixtures("tables")

TABLES = (QuotaRow, HeldRow, InboxRow)


def written_to(member_id: str, clock: FixedClock) -> None:
    """An accepted template, a count of his, a message and a held alert."""
    quotas.add_once(member_id, "tpl", event_id="out_1", at=NOW)
    counts.take_of_day(member_id, 100, clock.now())
    inbox.put(inbox_row(a_notice(member_id=member_id)), clock.now())
    alert = an_alert(a_notice(member_id=member_id))
    held.hold(alert, clock.now() + timedelta(hours=1), clock.now())


def kept(member_id: str) -> list[int]:
    return [len(store.query(table, member_id)) for table in TABLES]


def test_all_that_is_his_goes_and_nothing_of_others(clock: FixedClock) -> None:
    member_id, other = new_id("mbr"), new_id("mbr")
    for who in (member_id, other):
        written_to(who, clock)

    erased = AlertsForgetting().forget(member_id, Withdrawn.ACCOUNT)

    assert erased == ("quotas", "held_alerts", "inbox")
    assert kept(member_id) == [0, 0, 0]
    assert kept(other) == [2, 1, 2]
    assert AlertsForgetting().forget(member_id, Withdrawn.ACCOUNT) == ()


@pytest.mark.parametrize("what", sorted(set(Withdrawn) - {Withdrawn.ACCOUNT}))
def test_for_less_nothing_goes(what: Withdrawn, clock: FixedClock) -> None:
    member_id = new_id("mbr")
    written_to(member_id, clock)

    assert AlertsForgetting().forget(member_id, what) == ()
    assert kept(member_id) == [2, 1, 2]
