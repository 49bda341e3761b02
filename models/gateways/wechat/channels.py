"""The ways of ``models.alerts`` to a member's phone: template and subscription messages."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from models.alerts.entities import ChannelRefused, Recipient, Refusal, Template
from models.gateways.wechat.client import WeChatClient
from models.gateways.wechat.errors import (
    ArgumentInvalid,
    CallRefused,
    NoQuota,
    NotFollowing,
    OpenidUnknown,
    PageUnknown,
    TemplateUnknown,
)
from models.gateways.wechat.service_account import ServiceAccount

log = logging.getLogger(__name__)

_REASON_BY_CLASS: Mapping[type[CallRefused], Refusal] = {
    ArgumentInvalid: Refusal.INVALID_FIELDS,
    NoQuota: Refusal.NO_QUOTA,
    NotFollowing: Refusal.NOT_FOLLOWING,
    OpenidUnknown: Refusal.GONE,
    PageUnknown: Refusal.INVALID_FIELDS,
    TemplateUnknown: Refusal.NO_TEMPLATE,
}
"""Refusals that the same message would meet again; all others are worth another try."""
_LASTING = tuple(_REASON_BY_CLASS)
_OUR_MISTAKES = frozenset({Refusal.INVALID_FIELDS, Refusal.NO_TEMPLATE})
"""Nobody gets this message by this way until somebody here mends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """What both accounts have: an id of their own for each template they were granted."""

    template_ids: Mapping[Template, str]

    def template_id(self, template: Template) -> str | None:
        """The account's id of ``template``; None when it has none."""
        return self.template_ids.get(template) or None

    def _required_id(self, template: Template) -> str:
        template_id = self.template_id(template)
        if template_id is None:
            raise ChannelRefused(Refusal.NO_TEMPLATE)
        return template_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceMessages(_Account):
    """Template messages of the service account, to members who follow it."""

    account: ServiceAccount
    name: str = "service"
    uses_quota: bool = False

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
        if recipient.service_openid is None:
            raise ChannelRefused(Refusal.NOT_FOLLOWING)
        try:
            return self.account.send_template(
                service_openid=recipient.service_openid,
                template_id=template_id,
                fields=fields,
                page=page,
                client_msg_id=dedupe_key,
            )
        except _LASTING as refused:
            raise _refusal(self.name, template, refused) from refused


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionMessages(_Account):
    """Subscription messages of the mini-program; each uses up an acceptance."""

    client: WeChatClient
    name: str = "subscription"
    uses_quota: bool = True

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
        try:
            return self.client.send_subscribe(
                openid=recipient.openid, template_id=template_id, fields=fields, page=page
            )
        except _LASTING as refused:
            raise _refusal(self.name, template, refused) from refused


def _refusal(channel: str, template: Template, refused: CallRefused) -> ChannelRefused:
    reason = _REASON_BY_CLASS[type(refused)]
    if reason in _OUR_MISTAKES:
        facts = {"way": channel, "template": template.value, "errcode": refused.errcode}
        log.error("alert.wrongly_made", extra={**facts, "rid": refused.rid})
    return ChannelRefused(reason, refused.rid)
