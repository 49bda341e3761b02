"""WeChat as officials' phones know it: what rang, and everything that goes wrong on the way.

The product's own channels stand above it, so that each error is told as WeChat tells it: 43101,
47003, 43004, 45009, a time-out, and an answer that is lost although the message was delivered.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from models.alerts.entities import Recipient, Template
from models.base.clock import Clock
from models.gateways.wechat.errors import Unreachable, refusal

NO_QUOTA, BAD_FIELD, NOT_FOLLOWING, LIMIT_REACHED = 43101, 47003, 43004, 45009
TIME_OUT, LOST, AWAY = "time-out", "lost", "away"
MISFORTUNES = (*map(str, (NO_QUOTA, BAD_FIELD, NOT_FOLLOWING, LIMIT_REACHED)), TIME_OUT, LOST, AWAY)
DROPS_COPIES_FOR = timedelta(minutes=10)
TEMPLATES = {template: f"tpl-{template.value}" for template in Template}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """A phone rang. ``notices`` are what the message was made of; ``known`` that we were told."""

    at: datetime
    member_id: str
    key: str
    notices: tuple[str, ...]
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How often each thing goes wrong with a message, and when WeChat is away altogether."""

    rates: Mapping[int | str, float] = field(default_factory=dict)
    away: tuple[tuple[datetime, datetime], ...] = ()


class WeChat:
    """Both accounts' message calls. ``made_of`` tells which notices a message is made of."""

    def __init__(
        self,
        *,
        clock: Clock,
        weather: Weather,
        chance: random.Random,
        made_of: Callable[[str, str], tuple[str, ...]],
        rang: Callable[[Ring], None],
    ) -> None:
        self._clock = clock
        self._weather = weather
        self._chance = chance
        self._made_of = made_of
        self._rang = rang
        self.is_calm = False
        self.followers: set[str] = set()
        self.accepted: dict[tuple[str, str], int] = {}
        self._delivered: dict[str, datetime] = {}
        self.met: Counter[str] = Counter()
        self.last_key: tuple[str, str] | None = None

    def send_template(
        self,
        *,
        service_openid: str,
        template_id: str,
        fields: Mapping[str, str],
        page: str,
        client_msg_id: str,
    ) -> str:
        """The service account's; a copy within ten minutes is taken and not shown."""
        member_id = service_openid.removeprefix("svc-")
        lost = self._fault()
        if member_id not in self.followers:
            raise self._refused(NOT_FOLLOWING)
        now = self._clock.now()
        seen = self._delivered.get(client_msg_id)
        if seen is None or now - seen >= DROPS_COPIES_FOR:
            self._delivered[client_msg_id] = now
            self._ring(member_id, client_msg_id, known=not lost)
        if lost:
            raise Unreachable("ReadTimeout")
        return "msg"

    def send_subscribe(
        self, *, openid: str, template_id: str, fields: Mapping[str, str], page: str
    ) -> str:
        """The mini-program's: each uses up an acceptance, and a copy is shown again."""
        member_id, key = self.last_key or ("", "")
        lost = self._fault()
        left = self.accepted.get((member_id, template_id), 0)
        if left == 0:
            raise self._refused(NO_QUOTA)
        self.accepted[member_id, template_id] = left - 1
        self._ring(member_id, key, known=not lost)
        if lost:
            raise Unreachable("ReadTimeout")
        return "msg"

    def _ring(self, member_id: str, key: str, *, known: bool) -> None:
        notices = self._made_of(member_id, key)
        now = self._clock.now()
        self._rang(Ring(at=now, member_id=member_id, key=key, notices=notices, known=known))

    def _refused(self, errcode: int) -> Exception:
        self.met[str(errcode)] += 1
        return refusal(errcode, "")

    def _fault(self) -> bool:
        """What goes wrong with this send; True when only its answer is lost."""
        if self.is_calm:
            return False
        now = self._clock.now()
        if any(since <= now < until for since, until in self._weather.away):
            self.met[AWAY] += 1
            raise Unreachable("ConnectTimeout")
        what = self._drawn()
        if isinstance(what, int):
            raise self._refused(what)
        if what is not None:
            self.met[what] += 1
        if what == TIME_OUT:
            raise Unreachable("ReadTimeout")
        return what == LOST

    def _drawn(self) -> int | str | None:
        drawn = self._chance.random()
        for what, rate in self._weather.rates.items():
            drawn -= rate
            if drawn < 0:
                return what
        return None


class Noting:
    """A channel that lets the fake know which notice a message is, which WeChat is not told."""

    def __init__(self, channel: object, wechat: WeChat) -> None:
        self._channel = channel
        self._wechat = wechat

    def __getattr__(self, name: str) -> object:
        return getattr(self._channel, name)

    def send(
        self,
        recipient: Recipient,
        *,
        template: Template,
        fields: Mapping[str, str],
        page: str,
        dedupe_key: str,
    ) -> str:
        self._wechat.last_key = (recipient.member_id, dedupe_key)
        sent: str = self._channel.send(  # type: ignore[attr-defined]
            recipient, template=template, fields=fields, page=page, dedupe_key=dedupe_key
        )
        return sent
