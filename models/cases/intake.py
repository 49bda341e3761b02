"""Take a report in: a new case, or one more reporter of a case that stands.

Nothing here asks WeChat or the photo store: the outbox row, in the same transaction, does that
later. Costs one batch read and one transaction; grids and roster come from the process's memory.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from models.base.clock import Clock, parse_utc
from models.base.errors import Conflict, Exhausted, FieldError, Forbidden, Invalid
from models.base.geometry import Position
from models.base.ids import derived_id
from models.base.store import Transaction, get_many, retrying
from models.base.tables import Table
from models.calendar.rules import WorkingTime
from models.cases import binding, rules
from models.cases.categories import Categories
from models.cases.changes import Request, commit, earlier_answer, version_id
from models.cases.entities import Category, Purpose, SubmitReport
from models.cases.filing import LIMIT, Filing, Known, join_event_id, with_routing
from models.cases.routed import Place
from models.cases.routing import Routes
from models.cases.tables import CaseEventRow, CaseRow, LimitRow, ReportRow, UploadRow
from models.people import links
from models.people.entities import Actor
from models.people.link_tables import LinkRow
from models.people.roster import Roster
from models.places.service import Places

log = logging.getLogger(__name__)

CONSENT = "report"


class Intake:
    """Takes reports in."""

    def __init__(
        self,
        *,
        clock: Clock,
        places: Places,
        roster: Roster,
        working: WorkingTime,
        categories: Categories,
    ) -> None:
        self._clock = clock
        self._routes = Routes(clock=clock, places=places, roster=roster)
        self._working = working
        self._categories = categories

    def submit(self, actor: Actor, command: SubmitReport) -> Mapping[str, Any]:
        """File a report, or join it to ``same_as``; answers the receipt.

        Repeated with the same id it answers the first receipt, whatever has become of the case
        since. Raises ``Invalid`` (every bad field at once), ``Forbidden("consent.needed")``,
        ``Exhausted`` with seconds, ``Conflict`` (``request.reused``, ``report.own_case``,
        ``report.own_work``, ``case.not_joinable``) and ``NotFound("case.not_found")`` for an
        unknown ``same_as``. Two sequential calls.
        """
        if CONSENT not in actor.consents:
            raise Forbidden("consent.needed", purpose=CONSENT)
        return retrying(lambda: self._submit(actor, command))

    def _submit(self, actor: Actor, command: SubmitReport) -> Mapping[str, Any]:
        report_id = derived_id("rpt", actor.member_id, command.client_request_id)
        known = _read(actor, command, report_id)
        if known.report is not None:
            return _first_answer(known, command, actor)
        now = self._clock.now()
        category, place = self._check(command, known, actor, now)
        _check_sent_again(known.limit, command, category, now)
        _check_rate(known.limit, now)
        filing = Filing(
            actor=actor,
            command=command,
            report_id=report_id,
            category=category,
            categories=self._categories,
            known=known,
            now=now,
            working=self._working,
        )
        tx = Transaction()
        receipt = filing.file(tx, place) if command.same_as is None else filing.join(tx, place)
        commit(tx)
        log.info(
            "report.submitted",
            extra={
                "report_id": report_id,
                "category": category.code,
                "joined": command.same_as is not None,
            },
        )
        return receipt

    def _check(
        self, command: SubmitReport, known: Known, actor: Actor, now: datetime
    ) -> tuple[Category, Place]:
        place = self._routes.place(
            command.position,
            accuracy_m=command.accuracy_m,
            at=now,
            reporter_id=actor.member_id,
            linked=known.linked,
        )
        county = place.grid.county if place else None
        category = self._categories.current(county).find(command.category)
        errors = rules.submission_errors(command, category=category, now=now)
        errors += binding.refusals(known.uploads, member_id=actor.member_id, purpose=Purpose.REPORT)
        if place is None and not any(error.field == "lon" for error in errors):
            errors.append(FieldError(field="lon", code="report.outside_service_area"))
        if errors or category is None or place is None:
            raise Invalid(errors[0].code if len(errors) == 1 else None, fields=errors)
        return category, place


def _read(actor: Actor, command: SubmitReport, report_id: str) -> Known:
    case_id = command.same_as or derived_id("case", report_id)
    event_id = join_event_id(case_id, actor.member_id) if command.same_as else version_id(1)
    photos = list(dict.fromkeys(command.photos))[: rules.PHOTOS_MAX]
    keys: list[tuple[type[Table], tuple[Any, ...]]] = [
        (ReportRow, (actor.member_id, report_id)),
        (CaseEventRow, (case_id, event_id)),
        (LimitRow, (actor.member_id, LIMIT)),
        (CaseRow, (case_id,)),
        (LinkRow, (actor.member_id,)),
        *((UploadRow, (photo,)) for photo in photos),
    ]
    report, event, limit, case, link, *uploads = get_many(keys)
    assert report is None or isinstance(report, ReportRow)
    assert event is None or isinstance(event, CaseEventRow)
    assert limit is None or isinstance(limit, LimitRow)
    assert case is None or isinstance(case, CaseRow)
    return Known(
        report=report,
        event=event,
        limit=limit,
        uploads=[row if isinstance(row, UploadRow) else None for row in uploads],
        case=case,
        linked=links.others_of(link),
    )


def _first_answer(known: Known, command: SubmitReport, actor: Actor) -> Mapping[str, Any]:
    request = Request.of(actor, command.client_request_id, command.content())
    answer = earlier_answer([known.event] if known.event else [], request)
    if answer is None:
        # The id was used for another case than the one now named.
        raise Conflict("request.reused")
    return with_routing(answer, known.case)


def _check_sent_again(
    limit: LimitRow | None, command: SubmitReport, category: Category, now: datetime
) -> None:
    """That this is not the report he has just sent from a moving bike: one problem, one case."""
    before = limit.moving if limit else None
    if not before or before["family"] != category.family:
        return
    earlier = Position(lon=before["lon"], lat=before["lat"])
    if rules.is_sent_again(command, now, earlier=earlier, at=parse_utc(before["at"])):
        raise Conflict("report.own_case", case_id=before["case_id"])


def _check_rate(limit: LimitRow | None, now: datetime) -> None:
    wait_s = rules.retry_after_s(limit.used if limit else (), now)
    if wait_s:
        raise Exhausted("report.too_many", retry_after_s=wait_s)
