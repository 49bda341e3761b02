"""A merchant closes for good: an admin's command, run from the console."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from handlers.console import refusals
from handlers.wiring import services
from models.base.clock import utc_text
from models.base.errors import DomainError
from models.rewards.closings import Fate


def on_invoke(event: Mapping[str, Any]) -> dict[str, Any]:
    """Close ``{"merchant_id", "actor"}`` and make a pass over the open vouchers; may be repeated.

    Answers ``{"merchant_id", "closed_at", "finished", "more", "rewards", "results"}`` and how many
    were ``cancelled``, ``kept``, ``gone`` and ``failed``; a result for each voucher. The schedule
    goes on by itself until it is ``finished``, a quarter of an hour later at the earliest.
    """
    bad = refusals.bad_texts(event, "merchant_id", "actor")
    if bad:
        return refusals.fields(bad)
    try:
        made = services().closings.close(event["merchant_id"], actor=refusals.post_of(event))
    except DomainError as error:
        return refusals.told(error)
    counts = Counter(result.fate for result in made.results)
    return {
        "merchant_id": made.merchant_id,
        "closed_at": utc_text(made.closed_at),
        "finished": made.finished_at is not None,
        "more": made.has_more,
        "rewards": list(made.rewards),
        **{fate.value: counts[fate] for fate in Fate},
        "results": [
            {"redemption_id": each.redemption_id, "result": each.fate.value, "code": each.code}
            for each in made.results
        ],
    }
