"""Who follows the service account, joined with the mini-program's members by unionid."""

from __future__ import annotations

import logging
from datetime import datetime

from models.base.store import query, update_if
from models.people.gateways import UserInfoGateway
from models.people.pseudonyms import Pseudonyms
from models.people.tables import SCHEMA, FollowerRow

log = logging.getLogger(__name__)


def service_openid_of(union_key: str) -> str | None:
    """The service account's openid of a member, while he follows; else None.

    One query on an index, which may lag behind by a moment: a send that WeChat refuses because he
    has just unfollowed falls back to the next channel.
    """
    rows = query(FollowerRow.by_union, union_key)
    following = [row.service_openid for row in rows if row.following]
    return min(following) if following else None


class Followers:
    """Keeps up with follow and unfollow events."""

    def __init__(self, *, pseudonyms: Pseudonyms, users: UserInfoGateway) -> None:
        self._names = pseudonyms
        self._users = users

    def changed(self, service_openid: str, *, at: datetime) -> None:
        """Take in that someone followed or unfollowed at ``at`` (the event's own time).

        The event only says where to look: ``user/info`` says what is. So the order and number of
        events do not matter; what an older one found never replaces a newer one's. Raises
        ``Unavailable`` when WeChat is away: the event is delivered again.
        """
        found = self._users.user_info(service_openid)
        actions = [
            FollowerRow.schema.set(SCHEMA),
            FollowerRow.service_openid.set(service_openid),
            FollowerRow.following.set(found.subscribed),
            FollowerRow.event_at.set(at),
        ]
        if found.unionid is not None:
            actions.append(FollowerRow.union_key.set(self._names.union_key(found.unionid)))
        is_newer = FollowerRow.event_at.does_not_exist() | (FollowerRow.event_at <= at)
        follower_id = self._names.follower_id(service_openid)
        if update_if(FollowerRow(follower_id), actions, is_newer):
            log.info("follower.changed", extra={"follower_id": follower_id})
