"""Makes any text fit WeChat's message fields; nothing that is sent can be refused for its form.

*Source:* the field table of the subscribe message's documentation (thing ≤20 characters, phrase
≤5 Chinese characters, character_string ≤32 without Chinese, time as ``2026年3月18日 10:00``);
characters are counted as code points, since WeChat leaves the count of others open.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta, tzinfo

THING_LENGTH = 20
PHRASE_LENGTH = 5
CHARACTER_STRING_LENGTH = 32

_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(minutes=10)


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


def pause_after(attempts: int) -> timedelta:
    """How long to wait before attempt ``attempts + 1``: doubling from 1 s, at most 10 minutes."""
    doublings: int = 2 ** min(attempts - 1, 20)
    return min(_FIRST_PAUSE * doublings, _LONGEST_PAUSE)


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
