"""What is said about dry runs of routing: code → (Chinese, English)."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "routing.nowhere": (
        "该位置不在您的网格范围内",
        "The place lies in no grid of yours",
    ),
    "routing.too_many": ("一次最多试算 {limit} 个点", "At most {limit} points at once"),
}
