"""What a member takes back from us by WeChat, and what whoever keeps it must offer."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol


class Withdrawn(StrEnum):
    """What was taken back."""

    PHONE = "phone"
    PROFILE = "profile"
    """Nickname and avatar: nobody here keeps them."""
    LOCATION = "location"
    PICTURES = "pictures"
    """Those he selected or took, as far as they are not published."""
    ACCOUNT = "account"
    """All of it: he left WeChat or this mini-program for good."""


class Forgetful(Protocol):
    """A capability that forgets what a member has taken back.

    Safe to repeat. Answers in a word each what it erased, for the log: nothing of the member's. May
    raise ``Unavailable``: it is then asked again. What is public record (cases) and what is never
    edited (the ledger) stays.
    """

    def forget(self, member_id: str, withdrawn: Withdrawn) -> Sequence[str]: ...
