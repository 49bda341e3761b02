"""What people need from WeChat: the roles its client plays here, and how each may refuse."""

from __future__ import annotations

from typing import Protocol

from models.people.entities import FollowerInfo, WeChatIdentity


class LoginCodeUsed(Exception):
    """The login code was redeemed before (WeChat's 40163)."""


class LoginCodeInvalid(Exception):
    """The login code is unknown or older than 5 minutes (WeChat's 40029, one code for both)."""


class LoginBlocked(Exception):
    """WeChat holds the user for high risk and does not let him in (40226)."""


class PhoneCodeInvalid(Exception):
    """The phone code is unknown, used, expired, or another user's (40029)."""


class LoginGateway(Protocol):
    """Redeems ``wx.login`` codes; each works once."""

    def code_to_session(self, code: str) -> WeChatIdentity:
        """Raises the three login errors above, and ``Unavailable`` when WeChat is away."""
        ...


class PhoneGateway(Protocol):
    """Redeems the codes of the phone button; each works once."""

    def phone_number(self, code: str, openid: str) -> str:
        """Answer the number with its country code. Raises ``PhoneCodeInvalid``, ``Unavailable``."""
        ...


class UserInfoGateway(Protocol):
    """Asks the service account about one of its users."""

    def user_info(self, service_openid: str) -> FollowerInfo:
        """Raises ``Unavailable`` when WeChat is away."""
        ...
