"""What a rider shows: a ten-character code, and a QR payload that changes every minute.

Both are proofs, not authority: what counts is the redemption's state. The code is a function of
the redemption, so it can be told again; it is kept only as a keyed hash.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from models.base.ids import crockford, keyed_id

CODE_LENGTH = 10
SLOT_S = 60
_VERSION = "R1"
_CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{10}")
_FOLDED = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


@dataclass(frozen=True, slots=True, kw_only=True)
class QR:
    """A QR payload that we signed; ``is_fresh`` within a minute of its own, give or take one."""

    redemption_id: str
    is_fresh: bool


class Codes:
    """Makes and reads codes and QR payloads with a key that never leaves the server."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def code(self, redemption_id: str, turn: int = 0) -> str:
        """The redemption's code of 50 bits; another ``turn`` gives another one."""
        digest = hmac.digest(self._key, f"code|{redemption_id}|{turn}".encode(), "sha256")
        return crockford(int.from_bytes(digest[:8], "big"), CODE_LENGTH)

    def code_key(self, text: str) -> str | None:
        """The key under which a typed code is kept; None for what cannot be a code.

        Lower case, dashes and spaces do not matter; O reads as 0, I and L as 1.
        """
        folded = text.strip().upper().translate(_FOLDED)
        return keyed_id("code", self._key, folded) if _CODE.fullmatch(folded) else None

    def qr(self, redemption_id: str, now: datetime) -> tuple[str, datetime]:
        """The payload for now, and when the client should ask for the next."""
        slot = _slot(now)
        ends = datetime.fromtimestamp((slot + 1) * SLOT_S, UTC)
        return f"{_VERSION}.{redemption_id}.{slot}.{self._mac(redemption_id, slot)}", ends

    def read_qr(self, text: str, now: datetime) -> QR | None:
        """Read a payload; None when it is none of ours."""
        parts = text.strip().split(".")
        if len(parts) != 4 or parts[0] != _VERSION or not re.fullmatch(r"[0-9]{1,12}", parts[2]):
            return None
        redemption_id, slot = parts[1], int(parts[2])
        mac = self._mac(redemption_id, slot)
        if not hmac.compare_digest(mac.encode(), parts[3].encode()):
            return None
        return QR(redemption_id=redemption_id, is_fresh=abs(slot - _slot(now)) <= 1)

    def _mac(self, redemption_id: str, slot: int) -> str:
        digest = hmac.digest(self._key, f"qr|{redemption_id}|{slot}".encode(), "sha256")
        return crockford(int.from_bytes(digest[:10], "big"), 16)


def _slot(now: datetime) -> int:
    return int(now.timestamp()) // SLOT_S
