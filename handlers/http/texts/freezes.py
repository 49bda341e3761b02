"""What is said about the nightly proof, and wallets that it froze: code → (Chinese, English)."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "root.not_found": ("这一天还没有积分总账的根", "There is no root of this day yet"),
    "points.not_frozen": ("这个积分账户没有冻结", "This wallet is not frozen"),
    "points.still_drifted": (
        "积分与流水仍对不上，不能解冻：{faults}",
        "The ledger is still not sound, the wallet stays frozen: {faults}",
    ),
}
