"""Publishing rules of points: an admin's command, run as a function from the console."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handlers.console import solvency
from handlers.http.texts.catalogue import text
from handlers.wiring import Services, services
from models.base.clock import parse_utc
from models.base.errors import Conflict, FieldError, Invalid
from models.points.rule_drafts import Wrong
from models.points.rule_publishing import Publication, Report
from models.points.rule_sheets import DEFAULT_LEAD
from models.rewards.solvency import Judgement


def on_invoke(event: Mapping[str, Any]) -> dict[str, Any]:
    """Publish ``{"rules", "actor", "effective_from"?, "effective_to"?, "based_on"?, "dry_run"?}``.

    ``rules`` is a list of objects, each with its ``rule`` and what is to be otherwise in it; null
    takes a cap away. Without ``rules`` all of them are answered as they hold now, to be edited,
    with the ``revision`` for ``based_on``. They hold five minutes from now if nothing else is said,
    and no sooner than two. Safe to repeat; one error and nothing is written, and every error is
    listed with its rule and field. What would change is shown by a simulated year too (``months``,
    ``reach``); the ``clauses`` that it would break refuse it.
    """
    wired = services()
    now = wired.clock.now()
    if "rules" not in event:
        revision, rules = wired.rule_publishing.standing(now)
        return {"revision": revision, "rules": rules, "refused": []}
    try:
        publication = _publication(event, now)
    except Invalid as bad:
        wrong = [Wrong(rule="", field=one.field, code=one.code) for one in bad.fields]
        return _told(Report(revision=0, wrong=tuple(wrong)), is_published=False)
    return _publish(wired, publication, now, dry_run=event.get("dry_run") is True)


def _publish(
    wired: Services, publication: Publication, now: datetime, *, dry_run: bool
) -> dict[str, Any]:
    try:
        report = wired.rule_publishing.publish(publication, now, dry_run=dry_run)
    except Conflict as conflict:
        refused = _code(conflict.code, {"limit": conflict.details.get("revision")})
        clauses = solvency.sentences(conflict.details.get("clauses", ()))
        told = _told(Report(revision=0), is_published=False)
        return {**told, "refused": [refused], "clauses": clauses}
    return _told(report, is_published=bool(report.versions) and not dry_run)


def _publication(event: Mapping[str, Any], now: datetime) -> Publication:
    rules, bad = event["rules"], []
    if not isinstance(rules, list) or not all(isinstance(one, dict) for one in rules):
        bad.append(FieldError(field="rules", code="field.wrong_type"))
    instants: dict[str, datetime | None] = {"effective_from": now + DEFAULT_LEAD}
    for name in ("effective_from", "effective_to"):
        try:
            if event.get(name) is not None:
                instants[name] = parse_utc(event[name])
        except (TypeError, ValueError):
            bad.append(FieldError(field=name, code="field.invalid"))
    based_on = event.get("based_on")
    if based_on is not None and type(based_on) is not int:
        bad.append(FieldError(field="based_on", code="field.wrong_type"))
    if type(event.get("dry_run", False)) is not bool:
        bad.append(FieldError(field="dry_run", code="field.wrong_type"))
    if bad:
        raise Invalid(fields=bad)
    effective_from = instants["effective_from"]
    assert effective_from is not None
    return Publication(
        rules=rules,
        actor=str(event.get("actor") or ""),
        effective_from=effective_from,
        effective_to=instants.get("effective_to"),
        based_on=based_on,
    )


def _told(report: Report, *, is_published: bool) -> dict[str, Any]:
    return {
        "revision": report.revision,
        "published": is_published,
        "versions": dict(report.versions),
        "changed": {rule: dict(columns) for rule, columns in report.changed.items()},
        "refused": [
            {"rule": bad.rule, "field": bad.field, **_code(bad.code, {"limit": bad.limit})}
            for bad in report.wrong
        ],
        "clauses": [],
        **_year(report.judgement),
    }


def _year(judgement: object) -> dict[str, Any]:
    return solvency.figures(judgement.verdict) if isinstance(judgement, Judgement) else {}


def _code(code: str, details: Mapping[str, Any]) -> dict[str, Any]:
    return {"code": code, "message": text(code, "zh", details), "limit": details.get("limit")}
