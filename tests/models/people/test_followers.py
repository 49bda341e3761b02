"""Followers of the service account are joined with members, whatever order events come in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.base.clock import FixedClock
from models.base.errors import Unavailable
from models.base.ids import new_id
from models.base.tables import Database
from models.people.entities import FollowerInfo
from models.people.followers import Followers, service_openid_of
from tests.support.people import PSEUDONYMS, WeChat


class Account:
    """One user of the service account, as WeChat and we see him."""

    def __init__(self, clock: FixedClock) -> None:
        self.openid, self.unionid = new_id("service"), new_id("union")
        self.wechat, self.clock = WeChat(), clock
        self.followers = Followers(pseudonyms=PSEUDONYMS, users=self.wechat)

    def is_now(self, *, following: bool) -> None:
        unionid = self.unionid if following else None
        self.wechat.followers[self.openid] = FollowerInfo(subscribed=following, unionid=unionid)

    def event(self, *, seconds_ago: int = 0) -> None:
        at = self.clock.now() - timedelta(seconds=seconds_ago)
        self.followers.changed(self.openid, at=at)

    @property
    def known_as(self) -> str | None:
        return service_openid_of(PSEUDONYMS.union_key(self.unionid))


@pytest.fixture
def account(database: Database, clock: FixedClock) -> Account:
    return Account(clock)


def test_following_joins_the_two(account: Account) -> None:
    account.is_now(following=True)

    account.event()

    assert account.known_as == account.openid


def test_who_never_followed_is_unknown(account: Account) -> None:
    assert account.known_as is None


def test_unfollowing_is_noticed_and_can_be_undone(account: Account, clock: FixedClock) -> None:
    seen = []
    for following in (True, False, True):
        account.is_now(following=following)
        account.event()
        seen.append(account.known_as is not None)
        clock.advance(timedelta(seconds=1))

    assert seen == [True, False, True]


def test_an_event_that_comes_twice_or_late_finds_what_is(account: Account) -> None:
    account.is_now(following=False)
    account.event()

    account.event()
    account.event(seconds_ago=60)

    assert account.known_as is None


def test_what_an_older_event_found_does_not_replace_a_newer_one(account: Account) -> None:
    account.is_now(following=True)
    account.event()
    account.is_now(following=False)

    account.event(seconds_ago=60)

    assert account.known_as == account.openid


def test_wechat_away_leaves_the_event_to_be_delivered_again(account: Account) -> None:
    account.wechat.is_away = True

    with pytest.raises(Unavailable):
        account.event()

    assert account.known_as is None
