"""The clock's function: every step that is due on a case is taken, once."""

from __future__ import annotations

import logging
from datetime import datetime

from handlers import telemetry
from handlers.wiring import services
from models.base.errors import DomainError
from models.cases.escalation import due_cases

log = logging.getLogger(__name__)

BATCH = 200


def on_schedule() -> dict[str, int]:
    """Take what is due now on up to 200 cases. Safe to run late, twice, or beside itself."""
    now = services().clock.now()
    return {"steps": sum(catch_up(case_id, now) for case_id in due_cases(now, BATCH))}


def catch_up(case_id: str, now: datetime) -> int:
    """Take a case's steps; 0 when they fail, for the next run finds the case again.

    Each kind of step is counted apart: ``lapse`` is a case closed without its reporter's word.

    This is the outermost place of a case's steps: one that fails, for whatever reason, must not
    keep the others from being escalated.
    """
    try:
        steps = services().escalation.catch_up(case_id, now)
    except DomainError as error:
        log.warning("case.step_failed", extra={"case_id": case_id, "reason": error.code})
    except Exception:
        log.exception("case.step_broken", extra={"case_id": case_id})
    else:
        for step in steps:
            telemetry.count("step", step.value)
        return len(steps)
    return 0
