"""Pure decisions: what a message may say, and when an official's phone may ring.

Any text is made to fit WeChat's fields, so that nothing that is sent is refused for its form.
*Source:* the field table of the subscribe message's documentation (thing ≤20 characters, phrase
≤5 Chinese characters, character_string ≤32 without Chinese, time as ``2026年3月18日 10:00``);
characters are counted as code points, since WeChat leaves the count of others open.

*Source* of the alert budget: at most 5 alerts without urgency a person and day, 15 minutes apart,
none from 22:00 to 07:00, digests at 08:35, 14:35 and 17:30 (the project's rules, C6).
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, timedelta, tzinfo
from datetime import time as time_of_day

from models.alerts.entities import AlertDay
from models.base.clock import CHINA

THING_LENGTH = 20
PHRASE_LENGTH = 5
CHARACTER_STRING_LENGTH = 32

_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(minutes=10)
_LONGEST_URGENT_PAUSE = timedelta(seconds=30)

ALERTS_PER_DAY = 5
APART = timedelta(minutes=15)
WAKES, SLEEPS = time_of_day(7), time_of_day(22)
DIGESTS = (time_of_day(8, 35), time_of_day(14, 35), time_of_day(17, 30))

LATE = timedelta(minutes=5)
"""What is told so long after it should have been was caught up after an outage."""
GATHERING = timedelta(seconds=20)
"""How long what was caught up waits for more of its kind, to be one message."""


def thing(text: str, fallback: str = "见详情") -> str:
    """Up to 20 characters of any kind on one line; an empty text becomes ``fallback``."""
    clean = _one_line(text) or fallback
    return clean if len(clean) <= THING_LENGTH else clean[: THING_LENGTH - 1] + "…"


def phrase(text: str, fallback: str = "有进展") -> str:
    """Up to 5 Chinese characters and nothing else."""
    return "".join(mark for mark in text if _is_chinese(mark))[:PHRASE_LENGTH] or fallback


def character_string(text: str, fallback: str = "-") -> str:
    """Up to 32 digits, letters and signs, without Chinese."""
    kept = "".join(mark for mark in text if mark.isascii() and mark.isprintable() and mark != " ")
    return kept[:CHARACTER_STRING_LENGTH] or fallback


def time(at: datetime, zone: tzinfo) -> str:
    """An instant as WeChat writes it: ``2026年3月18日 10:00``."""
    here = at.astimezone(zone)
    return f"{here.year}年{here.month}月{here.day}日 {here.hour:02}:{here.minute:02}"


def pause_after(attempts: int, *, urgent: bool = False) -> timedelta:
    """How long to wait before attempt ``attempts + 1``: doubling from 1 s, at most 10 minutes.

    What is urgent waits 30 seconds at most.
    """
    doublings: int = 2 ** min(attempts - 1, 20)
    return min(_FIRST_PAUSE * doublings, _LONGEST_URGENT_PAUSE if urgent else _LONGEST_PAUSE)


def decide(now: datetime, day: AlertDay, *, due_at: datetime) -> datetime:
    """When an alert without urgency may be told: ``now``, or the later instant to hold it until.

    ``day`` is what today's budget has used, ``due_at`` the limit the alert speaks of. Held alerts
    wait for the next digest; one whose limit ends before that only until the phone may ring again.
    """
    if may_ring(now, day):
        return now
    digest = next_digest(now)
    free = _next_free(now, day)
    return free if due_at < digest and free < digest else digest


def may_ring(now: datetime, day: AlertDay) -> bool:
    """Whether a message within the budget may be sent now.

    What the digests still to come today will need is kept for them, so a digest is never held.
    """
    to_come = sum(1 for digest in _digests_of(now) if digest > now)
    return (
        not is_quiet(now)
        and day.sent + to_come < ALERTS_PER_DAY
        and (day.last_at is None or now - day.last_at >= APART)
        and next_digest(now) - now >= APART
    )


def is_quiet(now: datetime) -> bool:
    """Whether nobody is to be woken for what is not urgent."""
    return not WAKES <= now.astimezone(CHINA).time() < SLEEPS


def next_digest(now: datetime) -> datetime:
    """The first digest after ``now``; they are sent on every day of the week."""
    to_come = [digest for digest in _digests_of(now) if digest > now]
    return to_come[0] if to_come else _digests_of(now + timedelta(days=1))[0]


def next_waking(now: datetime) -> datetime:
    """The end of the quiet time that ``now`` is in, or the next one's."""
    wakes = _on_day_of(now, WAKES)
    return wakes if wakes > now else wakes + timedelta(days=1)


def _next_free(now: datetime, day: AlertDay) -> datetime:
    """The first instant from ``now`` on at which the phone may ring, or the next digest."""
    apart = max(now, day.last_at + APART) if day.last_at else now
    free = next_waking(apart) if is_quiet(apart) else apart
    spent = day if _day_of(free) == day.day else AlertDay(day=_day_of(free))
    return free if may_ring(free, spent) else next_digest(now)


def _digests_of(now: datetime) -> list[datetime]:
    return [_on_day_of(now, at) for at in DIGESTS]


def _on_day_of(now: datetime, at: time_of_day) -> datetime:
    return datetime.combine(_day_of(now), at, tzinfo=CHINA).astimezone(UTC)


def _day_of(at: datetime) -> date:
    return at.astimezone(CHINA).date()


def _one_line(text: str) -> str:
    spaced = (" " if mark in "\r\n\t\u2028\u2029" else mark for mark in text)
    return " ".join("".join(mark for mark in spaced if _is_plain(mark)).split())


def _is_plain(mark: str) -> bool:
    """Letters, digits, signs, units and spaces; no emoji, controls, or parts of a character."""
    category = unicodedata.category(mark)
    is_unit = mark in "°℃" or "\u3380" <= mark <= "\u33df"
    return category[0] in "LNPZ" or category in ("Sm", "Sc") or is_unit


def _is_chinese(mark: str) -> bool:
    return "\u4e00" <= mark <= "\u9fff"
