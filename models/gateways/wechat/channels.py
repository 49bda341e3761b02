"""The ways of ``models.alerts`` to a member's phone, and to his community's group."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from models.alerts.entities import (
    AccountName,
    ChannelRefused,
    Post,
    Quota,
    Recipient,
    Refusal,
    Template,
)
from models.alerts.messages import robot_text
from models.gateways.wechat.client import WeChatClient
from models.gateways.wechat.errors import (
    ArgumentInvalid,
    CallRefused,
    LimitReached,
    NoQuota,
    NotBound,
    NotFollowing,
    NotPermitted,
    OpenidUnknown,
    PageUnknown,
    RobotUnknown,
    TemplateUnknown,
)
from models.gateways.wechat.robot import Robots
from models.gateways.wechat.service_account import ServiceAccount

log = logging.getLogger(__name__)

_REASON_BY_CLASS: Mapping[type[CallRefused], Refusal] = {
    ArgumentInvalid: Refusal.INVALID_FIELDS,
    LimitReached: Refusal.RATE_LIMITED,
    NoQuota: Refusal.NO_QUOTA,
    NotBound: Refusal.NOT_BOUND,
    NotFollowing: Refusal.NOT_FOLLOWING,
    NotPermitted: Refusal.NO_TEMPLATE,
    OpenidUnknown: Refusal.GONE,
    PageUnknown: Refusal.INVALID_FIELDS,
    RobotUnknown: Refusal.NOT_BOUND,
    TemplateUnknown: Refusal.NO_TEMPLATE,
}
"""Refusals that say something of the message or its receiver; others read as "WeChat is away"."""
_REFUSED = tuple(_REASON_BY_CLASS)
_OUR_MISTAKES = frozenset({Refusal.INVALID_FIELDS, Refusal.NO_TEMPLATE})
"""Nobody gets this message by this way until somebody here mends it."""
_ANOTHER_MINUTE = timedelta(minutes=1)
"""45009 does not say which limit was reached, the minute's or the day's."""

FieldKeys = Mapping[Template, Mapping[str, str]]
"""The account's own key of each of our fields (``thing1`` → ``thing12``), where it differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """What all accounts have: an id, and keys, of their own for each template they were granted."""

    template_ids: Mapping[Template, str]
    field_keys: FieldKeys = field(default_factory=dict)

    def template_id(self, template: Template) -> str | None:
        """The account's id of ``template``; None when it has none."""
        return self.template_ids.get(template) or None

    def counter(self, recipient: Recipient) -> str:
        """The recipient's own, where the account has none."""
        return recipient.member_id

    def _required_id(self, template: Template) -> str:
        template_id = self.template_id(template)
        if template_id is None:
            raise ChannelRefused(Refusal.NO_TEMPLATE)
        return template_id

    def _keyed(self, template: Template, fields: Mapping[str, str]) -> dict[str, str]:
        keys = self.field_keys.get(template, {})
        return {keys.get(key, key): value for key, value in fields.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceMessages(_Account):
    """Template messages of the service account, to members who follow it."""

    account: ServiceAccount
    name: str = "service"
    quota: Quota = Quota.PER_DAY
    pushes_of: AccountName | None = "service"

    def counter(self, recipient: Recipient) -> str:
        """The account's. Who does not follow is refused before he is counted."""
        _service_openid(recipient)
        return "#service-account"

    def send(
        self,
        recipient: Recipient,
        *,
        template: Template,
        fields: Mapping[str, str],
        page: str,
        dedupe_key: str,
    ) -> str:
        """Send; a copy with the same ``dedupe_key`` within 10 minutes is dropped by WeChat."""
        template_id = self._required_id(template)
        service_openid = _service_openid(recipient)
        try:
            return self.account.send_template(
                service_openid=service_openid,
                template_id=template_id,
                fields=self._keyed(template, fields),
                page=page,
                client_msg_id=dedupe_key,
            )
        except _REFUSED as refused:
            raise _refusal(self.name, template, refused) from refused


@dataclass(frozen=True, slots=True, kw_only=True)
class EmploymentMessages(_Account):
    """Employment-relation messages of the mini-program, to officials who bound themselves."""

    client: WeChatClient
    name: str = "employment"
    quota: Quota = Quota.WHILE_BOUND
    pushes_of: AccountName | None = None

    def send(
        self,
        recipient: Recipient,
        *,
        template: Template,
        fields: Mapping[str, str],
        page: str,
        dedupe_key: str,
    ) -> str:
        """Send; WeChat has no way to drop a copy here, so ``dedupe_key`` does nothing."""
        template_id = self._required_id(template)
        keyed = self._keyed(template, fields)
        try:
            return self.client.send_employee(
                openid=recipient.openid, template_id=template_id, fields=keyed, page=page
            )
        except _REFUSED as refused:
            raise _refusal(self.name, template, refused) from refused


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionMessages(_Account):
    """Subscription messages of the mini-program: one-time, or ``WHILE_ACCEPTED`` long-term."""

    client: WeChatClient
    name: str = "subscription"
    quota: Quota = Quota.PER_ACCEPTANCE
    pushes_of: AccountName | None = "mini"

    def send(
        self,
        recipient: Recipient,
        *,
        template: Template,
        fields: Mapping[str, str],
        page: str,
        dedupe_key: str,
    ) -> str:
        """Send; WeChat has no way to drop a copy here, so ``dedupe_key`` does nothing."""
        template_id = self._required_id(template)
        keyed = self._keyed(template, fields)
        try:
            return self.client.send_subscribe(
                openid=recipient.openid, template_id=template_id, fields=keyed, page=page
            )
        except _REFUSED as refused:
            raise _refusal(self.name, template, refused) from refused


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotMessages:
    """What a community's WeCom robot says in its group when no way to an official himself is left.

    The group reads a post and a case's number, nothing of the report. ``post_of`` finds an
    official's post now, ``key_of`` the bearer key of a community's robot; None: there is none.
    """

    robots: Robots
    post_of: Callable[[str], Post | None]
    key_of: Callable[[str], str | None]
    name: str = "robot"
    quota: Quota = Quota.PER_MINUTE
    pushes_of: AccountName | None = None

    def template_id(self, template: Template) -> str | None:
        """The kind of message itself: robots take any text."""
        return template.value

    def counter(self, recipient: Recipient) -> str:
        """The robot's own. Raises ``ChannelRefused`` when there is none."""
        post, _ = self._found(recipient)
        return f"#robot:{post.community_id}"

    def send(
        self,
        recipient: Recipient,
        *,
        template: Template,
        fields: Mapping[str, str],
        page: str,
        dedupe_key: str,
    ) -> str:
        """Say it in the group; there is no id, and no way to drop a copy."""
        post, key = self._found(recipient)
        try:
            self.robots.say(key, robot_text(template, fields, post.display))
        except _REFUSED as refused:
            raise _refusal(self.name, template, refused) from refused
        return ""

    def _found(self, recipient: Recipient) -> tuple[Post, str]:
        post = self.post_of(recipient.member_id)
        key = self.key_of(post.community_id) if post is not None else None
        if post is None or key is None:
            raise ChannelRefused(Refusal.NOT_BOUND)
        return post, key


def _service_openid(recipient: Recipient) -> str:
    if recipient.service_openid is None:
        raise ChannelRefused(Refusal.NOT_FOLLOWING)
    return recipient.service_openid


def _refusal(channel: str, template: Template, refused: CallRefused) -> ChannelRefused:
    reason = _REASON_BY_CLASS[type(refused)]
    if reason in _OUR_MISTAKES:
        facts = {"way": channel, "template": template.value, "errcode": refused.errcode}
        log.error("alert.wrongly_made", extra={**facts, "rid": refused.rid})
    is_limit = reason is Refusal.RATE_LIMITED
    return ChannelRefused(reason, refused.rid, retry_after=_ANOTHER_MINUTE if is_limit else None)
