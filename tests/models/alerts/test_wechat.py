"""The messenger with the real channels, against the simulated WeChat."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.local.wechat import accounts
from infra.local.wechat.accounts import MINI, SERVICE
from infra.local.wechat.simulator import start_simulator
from models.alerts import delivery, quotas
from models.alerts.callbacks import Callbacks, Reactions
from models.alerts.delivery import Messenger
from models.alerts.entities import Event, Notice, Recipient, Template
from models.base.clock import FixedClock
from models.base.errors import Unavailable
from models.base.ids import new_id
from models.base.store import delete
from models.base.tables import Database
from models.gateways.wechat.channels import ServiceMessages, SubscriptionMessages
from models.gateways.wechat.tables import TokenRow
from tests.models.gateways.wechat.conftest import WeChat
from tests.support.alerts import NOW, a_notice, inbox_row_of

TEMPLATE_SEND = "/cgi-bin/message/template/send"
SUBSCRIBE_SEND = "/cgi-bin/message/subscribe/send"


@pytest.fixture
def wechat(tables: Database, clock: FixedClock) -> Iterator[WeChat]:
    """A fresh simulator, and no token stored."""
    for account in (MINI, SERVICE):
        delete(TokenRow(account.appid))
    simulator = start_simulator()
    made = WeChat(simulator, clock)
    yield made
    made.transport._session.close()
    made.service._client._http.close()
    simulator.stop()


class Officer:
    """A member with a phone in his pocket."""

    def __init__(self, wechat: WeChat) -> None:
        self.wechat = wechat
        self.member_id = new_id("mbr")
        self.openid, self.unionid = new_id("o"), new_id("u")
        self.service_openid: str | None = None
        wechat.control("visit", openid=self.openid, unionid=self.unionid)

    def follows(self) -> None:
        self.service_openid = self.wechat.control("follow", unionid=self.unionid)["service_openid"]

    def accepts(self) -> None:
        """Accept one message, and have WeChat's push of it taken in."""
        template_id = accounts.ONCE_OFFICER_ALERT
        self.wechat.control("popup", openid=self.openid, templates={template_id: "accept"})
        quotas.add_once(self.member_id, template_id, event_id=new_id("out"), at=NOW)

    def remaining(self) -> int:
        return quotas.remaining(self.member_id, accounts.ONCE_OFFICER_ALERT)

    def sees(self) -> list[str]:
        """The channels by which his messages came, oldest first."""
        mine = (self.openid, self.service_openid)
        return [one["channel"] for one in self.wechat.sent() if one["touser"] in mine]

    def recipient(self, member_id: str) -> Recipient:
        return Recipient(
            member_id=member_id, openid=self.openid, service_openid=self.service_openid
        )


@pytest.fixture
def officer(wechat: WeChat) -> Officer:
    return Officer(wechat)


@pytest.fixture
def messenger(wechat: WeChat, officer: Officer, clock: FixedClock) -> Messenger:
    service = ServiceMessages(
        account=wechat.service,
        template_ids={Template.OFFICER_ALERT: accounts.SERVICE_OFFICER_ALERT},
    )
    subscription = SubscriptionMessages(
        client=wechat.mini, template_ids={Template.OFFICER_ALERT: accounts.ONCE_OFFICER_ALERT}
    )
    return Messenger(
        channels={"officer": [service, subscription], "rider": [subscription]},
        recipient=officer.recipient,
        clock=clock,
    )


def tell(messenger: Messenger, notice: Notice, tries: int = 3) -> None:
    """Tell as the outbox does: again while there is no answer."""
    for _ in range(tries):
        try:
            messenger.tell(notice, role_order="officer")
        except Unavailable:
            continue
        return
    raise AssertionError("never told")


def test_an_officer_sees_the_very_message(
    messenger: Messenger, officer: Officer, wechat: WeChat
) -> None:
    officer.follows()
    notice = a_notice(member_id=officer.member_id)

    tell(messenger, notice)

    [message] = wechat.sent()
    assert message["channel"] == "template"
    assert message["touser"] == officer.service_openid
    assert message["template_id"] == accounts.SERVICE_OFFICER_ALERT
    assert message["data"] == dict(notice.fields)
    assert message["page"] == notice.page
    row = inbox_row_of(notice)
    assert (row.delivered_by, row.wechat_id) == ("service", str(message["msgid"]))


@pytest.mark.parametrize("after", [True, False], ids=["after-the-send", "before-the-send"])
def test_a_send_without_an_answer_is_repeated_and_seen_once(
    messenger: Messenger, officer: Officer, wechat: WeChat, *, after: bool
) -> None:
    officer.follows()
    wechat.fail(TEMPLATE_SEND, reset=True, after=after)
    notice = a_notice(member_id=officer.member_id)

    tell(messenger, notice)

    assert officer.sees() == ["template"]
    assert inbox_row_of(notice).delivered_by == "service"


def test_a_crash_between_the_send_and_its_record_is_seen_once(
    messenger: Messenger, officer: Officer, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer.follows()
    notice = a_notice(member_id=officer.member_id)

    class Killed(BaseException):
        pass

    def die(*_: object) -> bool:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(delivery, "update_if", die)
        with pytest.raises(Killed):
            messenger.tell(notice, role_order="officer")
    clock.advance(delivery.TELLING)
    tell(messenger, notice)

    assert officer.sees() == ["template"]
    assert inbox_row_of(notice).delivered_by == "service"


def test_who_stopped_following_gets_a_subscription_message(
    messenger: Messenger, officer: Officer, wechat: WeChat
) -> None:
    officer.follows()
    officer.accepts()
    wechat.control("unfollow", service_openid=officer.service_openid)  # we do not know it yet
    notice = a_notice(member_id=officer.member_id)

    tell(messenger, notice)

    assert officer.sees() == ["subscribe"]
    assert [one["outcome"] for one in inbox_row_of(notice).tried or ()] == [
        "not_following",
        "sent",
    ]
    assert officer.remaining() == 0


def test_a_service_account_that_is_away_delays_nothing(
    messenger: Messenger, officer: Officer, wechat: WeChat
) -> None:
    officer.follows()
    officer.accepts()
    wechat.fail(TEMPLATE_SEND, http=503)

    messenger.tell(a_notice(member_id=officer.member_id), role_order="officer")

    assert officer.sees() == ["subscribe"]


def test_a_count_that_was_too_high_is_put_right(
    messenger: Messenger, officer: Officer, wechat: WeChat
) -> None:
    officer.accepts()
    wechat.control("unsubscribe", openid=officer.openid, templates=[accounts.ONCE_OFFICER_ALERT])
    notice = a_notice(member_id=officer.member_id)

    tell(messenger, notice)

    assert officer.sees() == []
    assert officer.remaining() == 0
    assert inbox_row_of(notice).delivered_by == delivery.INBOX_ONLY


def test_a_lost_answer_with_one_acceptance_is_not_doubled(
    messenger: Messenger, officer: Officer, wechat: WeChat
) -> None:
    officer.accepts()
    wechat.fail(SUBSCRIBE_SEND, reset=True, after=True)

    tell(messenger, a_notice(member_id=officer.member_id))

    assert officer.sees() == ["subscribe"]
    assert officer.remaining() == 0


def test_a_token_that_ends_between_two_messages_loses_neither(
    messenger: Messenger, officer: Officer, wechat: WeChat
) -> None:
    officer.follows()
    tell(messenger, a_notice(member_id=officer.member_id))
    wechat.control("expire_token", appid=SERVICE.appid, errcode=40001)

    tell(messenger, a_notice(member_id=officer.member_id))

    assert officer.sees() == ["template"] * 2


def heard(wechat: WeChat, messenger: Messenger, clock: FixedClock) -> list[str]:
    """Work on every push that WeChat has sent, in the form it gave them; answers which."""
    reactions = Reactions(
        member_id_of=lambda openid: openid,
        verdict=lambda *_: None,
        follow_changed=lambda *_: None,
        not_shown=messenger.not_shown,
        forgetful=[],
    )
    callbacks = Callbacks(clock=clock, reactions=reactions)
    pushes = wechat.transport.get("/_control/pushes", {})["items"]
    for push in pushes:
        payload = {"account": push["account"], "event": push["content"]}
        callbacks.handle(
            Event(
                outbox_id=f"out_{push['seq']}",
                topic="callback",
                county="city",
                payload=payload,
                at=clock.now(),
                attempts=1,
            )
        )
    return [str(push["content"]["Event"]) for push in pushes]


def test_who_blocked_the_service_account_gets_a_subscription_message_once(
    messenger: Messenger, officer: Officer, wechat: WeChat, clock: FixedClock
) -> None:
    officer.follows()
    officer.accepts()
    wechat.control("withhold", touser=officer.service_openid, status="failed:user block")
    notice = a_notice(member_id=officer.member_id)
    tell(messenger, notice)
    assert officer.sees() == []

    for _ in range(2):
        assert "TEMPLATESENDJOBFINISH" in heard(wechat, messenger, clock)

    assert officer.sees() == ["subscribe"]
    assert [one["outcome"] for one in inbox_row_of(notice).tried or ()] == [
        "sent",
        "blocked",
        "sent",
    ]


def test_a_message_that_no_channel_could_show_stays_in_the_inbox(
    messenger: Messenger, officer: Officer, wechat: WeChat, clock: FixedClock
) -> None:
    officer.follows()
    officer.accepts()
    wechat.control("withhold", touser=officer.service_openid, status="failed: system failed")
    wechat.control("withhold", touser=officer.openid, error_code="20001")
    notice = a_notice(member_id=officer.member_id)
    tell(messenger, notice)

    for _ in range(2):
        heard(wechat, messenger, clock)

    assert officer.sees() == []
    assert inbox_row_of(notice).delivered_by == delivery.INBOX_ONLY
