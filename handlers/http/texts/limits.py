"""Texts of what keeps an award below what the act is worth, as the statement says them."""

from __future__ import annotations

from models.points.sentences import LIMITS

TEXTS: dict[str, tuple[str, str]] = {f"points.limit.{name}": text for name, text in LIMITS.items()}
