"""What people forget when WeChat says that a member took it back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.base import store
from models.base.clock import FixedClock
from models.base.errors import DomainError
from models.base.ids import new_id
from models.people.entities import FollowerInfo, Occupation
from models.people.followers import Followers, service_openid_of
from models.people.forgetting import PeopleForgetting
from models.people.posts import posts_of
from models.people.tables import MemberRow, SessionRow
from models.people.withdrawals import Withdrawn
from tests.support.faults import lost_reply
from tests.support.people import PSEUDONYMS, People, a_county, a_line, a_phone, import_lines

pytestmark = pytest.mark.usefixtures("database")


class Story:
    """An officer who agreed to something, has an occupation, and follows the service account."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.people = People(clock)
        self.forgetting = PeopleForgetting(members=self.people.members, clock=clock)
        self.openid, self.unionid, self.service = new_id("o"), new_id("u"), new_id("s")
        phone = a_phone()
        county = a_county()
        import_lines([a_line(phone, county=county)], county=county)
        first = self._sign_in()
        self.people.bind(first.actor, self.openid, phone)
        signed_in = self._sign_in()
        self.token, self.member_id = signed_in.token, signed_in.actor.member_id
        self.people.members.change_profile(
            signed_in.actor, consents={"report": "1"}, occupation=Occupation.RIDER
        )
        wechat = self.people.wechat
        wechat.followers[self.service] = FollowerInfo(subscribed=True, unionid=self.unionid)
        Followers(pseudonyms=PSEUDONYMS, users=wechat).changed(self.service, at=clock.now())

    def _sign_in(self):  # type: ignore[no-untyped-def]
        code = self.people.wechat.login_code(self.openid, self.unionid)
        return self.people.sessions.sign_in(code, new_id("request"))

    @property
    def member(self) -> MemberRow:
        row = store.get(MemberRow, self.member_id)
        assert row is not None
        return row

    @property
    def may_come_in(self) -> bool:
        try:
            self.people.sessions.authenticate(self.token)
        except DomainError:
            return False
        return True

    @property
    def follows(self) -> bool:
        return service_openid_of(PSEUDONYMS.union_key(self.unionid)) is not None

    def posts(self) -> int:
        return len(posts_of(self.member_id, self.clock.now()))


@pytest.fixture
def story(clock: FixedClock) -> Story:
    return Story(clock)


def test_who_takes_his_phone_back_loses_his_posts_and_sessions_alone(story: Story) -> None:
    assert (story.posts(), story.may_come_in) == (1, True)

    erased = story.forgetting.forget(story.member_id, Withdrawn.PHONE)

    assert erased == ("phone", "sessions")
    assert (story.member.phone_key, story.posts(), story.may_come_in) == (None, 0, False)
    assert story.member.occupation == "rider"
    assert story.follows
    assert story.forgetting.forget(story.member_id, Withdrawn.PHONE) == ()


def test_who_leaves_keeps_nothing_but_his_pseudonym(story: Story, clock: FixedClock) -> None:
    clock.advance(timedelta(hours=1))

    story.forgetting.forget(story.member_id, Withdrawn.ACCOUNT)

    member = story.member
    kept = (member.phone_key, member.union_key, member.occupation, member.phone_request)
    assert kept == (None, None, None, None)
    assert "withdrawn_at" in member.consents["report"]
    assert not story.may_come_in
    assert not story.follows
    assert [row for row in store.query(SessionRow, story.member_id) if not row.revoked_at] == []


def test_leaving_is_forgotten_again_without_harm(story: Story, clock: FixedClock) -> None:
    story.forgetting.forget(story.member_id, Withdrawn.ACCOUNT)
    consents = story.member.consents
    clock.advance(timedelta(hours=1))

    story.forgetting.forget(story.member_id, Withdrawn.ACCOUNT)

    assert story.member.consents == consents


def test_a_lost_reply_does_not_stop_the_forgetting(story: Story) -> None:
    with lost_reply("TransactWriteItems"):
        story.forgetting.forget(story.member_id, Withdrawn.ACCOUNT)

    assert (story.member.phone_key, story.member.union_key) == (None, None)


@pytest.mark.parametrize("what", [Withdrawn.PROFILE, Withdrawn.LOCATION, Withdrawn.PICTURES])
def test_what_people_do_not_keep_changes_nothing(story: Story, what: Withdrawn) -> None:
    assert story.forgetting.forget(story.member_id, what) == ()
    assert (story.posts(), story.may_come_in) == (1, True)


@pytest.mark.parametrize("what", list(Withdrawn))
def test_a_stranger_has_nothing_to_forget(story: Story, what: Withdrawn) -> None:
    assert story.forgetting.forget(new_id("mbr"), what) == ()
