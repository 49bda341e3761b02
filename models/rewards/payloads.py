"""What the outbox carries about a redemption."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from models.base.clock import utc_text
from models.rewards.tables import RedemptionRow


def payload_of(row: RedemptionRow, now: datetime) -> dict[str, Any]:
    """What every notice about a redemption needs; nothing that tells its code."""
    return {
        "redemption_id": row.redemption_id,
        "member_id": row.member_id,
        "name_zh": row.name_zh,
        "name_en": row.name_en,
        "points": row.points,
        "at": utc_text(now),
    }
