"""Rotating codes: what a station's screen shows, and what a rider shows to a keeper.

    S1.<station_id>.<slot>.<mac>   on the screen of a station
    M1.<sealed>.<slot>.<mac>       on the phone of a rider; only the service can open ``sealed``

A slot is a minute; a code is taken in its own slot and the following one, so nobody fails because
the minute turned while he was scanning. What a code says is remembered nowhere: the key is enough.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import UTC, datetime

from models.base.errors import Conflict, FieldError, Invalid
from models.base.ids import crockford
from models.stations.entities import RotatingCode

SLOT_S = 60
"""*Source:* the product's check-in rules: the code rotates every 60 s."""
MAC_CHARACTERS = 8
_LONGEST_MEMBER_ID = 64


class Codes:
    """Makes and reads codes with ``key``; whoever lacks it guesses one in 2**40."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def for_station(self, station_id: str, now: datetime) -> RotatingCode:
        """Make the code that a station's screen shows during the present slot."""
        return self._code("S1", station_id, self._mac("S1", station_id, _slot(now)), now)

    def check_station(self, payload: str, *, station_id: str, now: datetime) -> None:
        """Accept a present code of this station.

        Raises ``Invalid`` (check_in.code_invalid) for one that is not ours or of another station,
        ``Conflict`` (check_in.code_expired) for one that was ours once.
        """
        subject, slot, mac = _parts("S1", payload)
        if subject != station_id or not _same(mac, self._mac("S1", station_id, slot)):
            raise _invalid("code")
        _require_present(slot, now)

    def for_member(self, member_id: str, now: datetime) -> RotatingCode:
        """Make the code that a rider shows; two of them do not tell that they are of one rider."""
        mac = self._mac("M1", member_id, _slot(now))
        sealed = base64.urlsafe_b64encode(self._mask(member_id.encode(), _slot(now), mac))
        return self._code("M1", sealed.decode().rstrip("="), mac, now)

    def member_of(self, payload: str) -> str:
        """Tell whose code this is, also when it is old. Raises ``Invalid`` if it is not ours."""
        sealed, slot, mac = _parts("M1", payload, field="member_code")
        try:
            raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
            member_id = self._mask(raw, slot, mac).decode()
        except (binascii.Error, ValueError) as error:
            raise _invalid("member_code") from error
        if not _same(mac, self._mac("M1", member_id, slot)):
            raise _invalid("member_code")
        return member_id

    def check_member(self, payload: str, *, now: datetime) -> None:
        """Accept a present code. Raises ``Conflict`` (check_in.code_expired) for an old one."""
        _require_present(_parts("M1", payload, field="member_code")[1], now)

    def _code(self, kind: str, subject: str, mac: str, now: datetime) -> RotatingCode:
        slot = _slot(now)
        return RotatingCode(
            payload=f"{kind}.{subject}.{slot}.{mac}",
            valid_until=datetime.fromtimestamp((slot + 1) * SLOT_S, UTC),
        )

    def _mac(self, kind: str, subject: str, slot: int) -> str:
        digest = hmac.digest(self._key, f"{kind}\0{subject}\0{slot}".encode(), "sha256")
        return crockford(int.from_bytes(digest[:5], "big"), MAC_CHARACTERS)

    def _mask(self, text: bytes, slot: int, mac: str) -> bytes:
        # The mac over the member serves as the nonce of a one-time pad (as in AES-SIV): the pad
        # repeats only for the same member within the same minute.
        if len(text) > _LONGEST_MEMBER_ID:
            raise ValueError("too long for the pad")
        pad = hmac.digest(self._key, f"pad\0{slot}\0{mac}".encode(), "sha512")
        return bytes(a ^ b for a, b in zip(text, pad, strict=False))


def _slot(now: datetime) -> int:
    return int(now.timestamp()) // SLOT_S


def _parts(kind: str, payload: str, *, field: str = "code") -> tuple[str, int, str]:
    parts = payload.split(".")
    if len(parts) != 4 or parts[0] != kind or not _is_slot(parts[2]):
        raise _invalid(field)
    return parts[1], int(parts[2]), parts[3]


def _is_slot(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12


def _require_present(slot: int, now: datetime) -> None:
    if not 0 <= _slot(now) - slot <= 1:
        raise Conflict("check_in.code_expired", valid_for_s=2 * SLOT_S)


def _same(a: str, b: str) -> bool:
    return hmac.compare_digest(a.encode(), b.encode())


def _invalid(field: str) -> Invalid:
    return Invalid("check_in.code_invalid", fields=[FieldError(field=field, code="field.invalid")])
