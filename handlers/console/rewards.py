"""Rewards from draft to retired: an admin's commands, run as functions from the console."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from handlers.console import refusals, solvency
from handlers.wiring import Services, services
from models.base.errors import DomainError
from models.rewards import reward_sheets
from models.rewards.judging import Draft, Report
from models.rewards.life_rules import RewardAction
from models.rewards.reward_sheets import SheetError

CHANGES = (RewardAction.PAUSE, RewardAction.RESUME, RewardAction.RETIRE)
SHEETS = {"rewards": "content", "funds": "funds", "classes": "classes"}
"""Where each kind of sheet stands in the event."""


def on_publish(event: Mapping[str, Any]) -> dict[str, Any]:
    """Publish ``{"content"?, "funds"?, "classes"?, "actor", "dry_run"?}``.

    Each of the three is CSV or a JSON list: rewards, who pays for them, and kinds of entitlement.
    ``actor`` names the post that publishes. Without any of them the rewards are answered as CSV,
    to be edited. Safe to repeat; one error and nothing is written, and every error is listed.
    Where prices, quotas or who may have something change, a simulated year is shown month by month
    (``months``, ``reach``); the ``clauses`` that the change would break refuse it.
    """
    wired = services()
    if not any(name in event for name in SHEETS.values()):
        return {"csv": reward_sheets.write(wired.publication.rewards())}
    sheets: dict[str, Sequence[Mapping[str, str]]] = {}
    unreadable: list[SheetError] = []
    for kind, name in SHEETS.items():
        try:
            sheets[kind] = reward_sheets.read(event.get(name) or [])
        except ValueError:
            wrong = SheetError(sheet=kind, row=0, column=name, code="sheet.unreadable")
            unreadable.append(wrong)
    dry_run = bool(event.get("dry_run"))
    for column, code in refusals.bad_texts(event, "actor").items():
        unreadable.append(SheetError(sheet="command", row=0, column=column, code=code))
    if unreadable:
        return _told(Report(wrong=tuple(unreadable)), dry_run=dry_run)
    draft = Draft(
        actor=refusals.post_of(event),
        counties=frozenset(grid.county for grid in wired.places.grids()),
        stations=frozenset(station.station_id for station in wired.stations.stations()),
        **sheets,
    )
    return _told(
        wired.publication.publish(draft, wired.clock.now(), dry_run=dry_run), dry_run=dry_run
    )


def on_change(event: Mapping[str, Any]) -> dict[str, Any]:
    """Change ``{"reward_id", "action", "actor"}``; the action is pause, resume or retire.

    Vouchers of a retired reward stay good; who waits for one gets his points back. Safe to repeat.
    What is gone cannot be kept on offer, so no simulated year refuses it: ``clauses`` say what one
    lacks then.
    """
    wired: Services = services()
    if event.get("action") not in CHANGES:
        return {"status": None, "refused": "action.unknown", "actions": list(CHANGES)}
    bad = refusals.bad_texts(event, "reward_id", "actor")
    if bad:
        return {"status": None, "refused": "request.invalid", "fields": bad}
    try:
        state = wired.publication.change(
            event["reward_id"],
            RewardAction(event["action"]),
            actor=refusals.post_of(event),
            now=wired.clock.now(),
        )
    except DomainError as error:
        return {"status": error.details.get("state"), "refused": error.code}
    clauses = wired.solvency.standing(wired.clock.now()).details
    return {
        "status": state.value,
        "refused": None,
        "clauses": solvency.sentences(clauses),
    }


def _told(report: Report, *, dry_run: bool) -> dict[str, Any]:
    return {
        "published": not report.wrong and not dry_run,
        "added": list(report.added),
        "changed": {key: list(columns) for key, columns in report.changed.items()},
        "status": dict(report.states),
        "refused": [asdict(wrong) for wrong in report.wrong],
        "clauses": solvency.sentences(report.clauses),
        **(solvency.figures(report.year) if report.year is not None else {}),
    }
