"""What cases need from WeChat: its judgement of texts and photos, and how it may refuse one."""

from __future__ import annotations

from typing import Protocol


class JudgementRefused(Exception):
    """WeChat will not judge for this member, however often it is asked: he has not been in the
    mini-program for two hours (61010)."""


class TextChecker(Protocol):
    """Has WeChat judge a text: ``pass``, ``review`` or ``risky``.

    Raises ``JudgementRefused``, and ``Unavailable`` when it is away.
    """

    def check_text(self, openid: str, text: str, /) -> str: ...


class MediaChecker(Protocol):
    """Has WeChat look at a picture; the verdict comes later, under the trace id.

    Raises ``JudgementRefused``, and ``Unavailable`` when it is away.
    """

    def check_media(self, url: str, openid: str, /) -> str: ...


class OpenidOf(Protocol):
    """Knows under which openid WeChat knows a member; None when he is gone."""

    def __call__(self, member_id: str, /) -> str | None: ...
