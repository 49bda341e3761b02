"""What is told to whom, and by which way it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, Protocol

RoleOrder = Literal["officer", "rider"]
AccountName = Literal["mini", "service"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A row of the outbox, as its handler gets it; ``attempts`` counts from 1."""

    outbox_id: str
    topic: str
    county: str
    payload: Mapping[str, Any]
    at: datetime
    attempts: int


class Template(StrEnum):
    """The kinds of WeChat message we send; each has an id per account in the settings."""

    OFFICER_ALERT = "officer_alert"
    ESCALATION = "escalation"
    RIDER_PROGRESS = "rider_progress"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """The same in Chinese and English, for the in-app inbox."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to be told to one member.

    ``notice_id`` and ``at`` (the event's time, not the telling's) make it the same notice: told
    again, nothing happens. ``fields`` are WeChat's field keys and fit its limits (``rules``);
    ``page`` is the mini-program's page with its query.
    """

    notice_id: str
    member_id: str
    county: str
    kind: str
    template: Template
    fields: Mapping[str, str]
    title: Text
    body: Text
    page: str
    at: datetime
    case_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A notice to an official, and what decides when his phone may ring for it.

    ``due_at`` ends the limit it speaks of. ``urgent`` is outside the budget. ``since`` is when the
    official should have heard; None: however late, this one waits for no other. ``first_told``
    asks for word (``desk.TOLD``) once he was told.
    """

    notice: Notice
    due_at: datetime
    urgent: bool
    since: datetime | None
    first_told: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDay:
    """What of one person's budget a day in China has used: how many messages, and when the last."""

    day: date
    sent: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Where a member can be reached; ``service_openid`` None while he does not follow."""

    member_id: str
    openid: str
    service_openid: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """An official's post by name, never a person's, and the community it belongs to."""

    display: str
    community_id: str


class Refusal(StrEnum):
    """Why a channel will not deliver: the next one is tried.

    ``NOT_BOUND`` is said of an employment relation, and of a community without a robot. All are
    lasting but ``RATE_LIMITED``, after which the same message may be taken.
    """

    NO_QUOTA = "no_quota"
    NOT_FOLLOWING = "not_following"
    NOT_BOUND = "not_bound"
    INVALID_FIELDS = "invalid_fields"
    NO_TEMPLATE = "no_template"
    RATE_LIMITED = "rate_limited"
    GONE = "gone"


class ChannelRefused(Exception):  # an ordinary outcome of sending, told by class
    """The channel does not deliver this; ``retry_after`` stands with ``RATE_LIMITED`` alone."""

    def __init__(
        self, reason: Refusal, rid: str | None = None, *, retry_after: timedelta | None = None
    ) -> None:
        self.reason = reason
        self.rid = rid
        self.retry_after = retry_after
        super().__init__(reason.value)


class Quota(StrEnum):
    """What limits a channel; ``ledgers`` keeps count of each."""

    PER_ACCEPTANCE = "per_acceptance"
    """Every message needs an acceptance of its own: one-time subscription."""
    WHILE_ACCEPTED = "while_accepted"
    """One acceptance is for good, until it is taken back: long-term subscription."""
    WHILE_BOUND = "while_bound"
    """While the employment relation stands, and within our own count a day."""
    PER_DAY = "per_day"
    """A count of the whole account: service-account templates."""
    PER_MINUTE = "per_minute"
    """A count of each robot."""


class Channel(Protocol):
    """A way to a member's phone outside the app.

    ``send`` answers WeChat's message id. Raises ``ChannelRefused``, or ``Unavailable`` when
    nothing is known of the outcome. ``dedupe_key`` lets the channel drop a second copy, where it
    can. ``quota`` is what limits it, ``counter`` (which may raise ``ChannelRefused``) whose count a
    message adds to where not the recipient's own. ``pushes_of`` is the account whose pushes say
    later what became of a message; None: nothing is said.
    """

    @property
    def name(self) -> str: ...

    @property
    def quota(self) -> Quota: ...

    @property
    def pushes_of(self) -> AccountName | None: ...

    def template_id(self, template: Template) -> str | None: ...

    def counter(self, recipient: Recipient) -> str: ...

    def send(
        self,
        recipient: Recipient,
        *,
        template: Template,
        fields: Mapping[str, str],
        page: str,
        dedupe_key: str,
    ) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One attempt: ``outcome`` is ``sent``, ``unavailable``, a refusal's reason, or what WeChat
    said after it had taken the message: ``blocked`` by the member, or ``not_shown``."""

    channel: str
    outcome: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A row of the inbox as its owner sees it."""

    message_id: str
    kind: str
    title: Text
    body: Text
    page: str
    case_id: str | None
    at: datetime
    read_at: datetime | None
    delivered_by: str | None
    tried: tuple[Tried, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackPush:
    """A push of WeChat's, verified and decrypted; ``dedupe_key`` is the same for a re-sent one."""

    account: AccountName
    dedupe_key: str
    event: Mapping[str, Any]
