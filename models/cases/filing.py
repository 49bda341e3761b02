"""Lay one report into a transaction: as a case of its own, or as one more reporter of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.alerts import outbox
from models.base.clock import business_day, utc_text
from models.base.errors import Conflict, NotFound
from models.base.geometry import Position
from models.base.ids import content_hash, derived_id
from models.base.store import Transaction
from models.calendar.rules import WorkingTime
from models.calendar.watch import watched
from models.cases import binding, rules
from models.cases.categories import Categories
from models.cases.changes import Doing, Request, event_row, number_of, version_id
from models.cases.entities import (
    Action,
    Category,
    Party,
    Severity,
    Status,
    SubmitReport,
    UploadState,
    Verdict,
)
from models.cases.routed import Place, stored
from models.cases.sightings import seen_once_more
from models.cases.states import is_urgent, timing_of
from models.cases.tables import (
    SCHEMA,
    CaseEventRow,
    CaseRow,
    LimitRow,
    ReportRow,
    UploadRow,
    open_cell_of,
    queue_of,
    wake_shard_of,
)
from models.people.entities import Actor

LIMIT = "report"
STOP_FIRST = "report.stop_first"
"""What a rider is told who took his photo while moving."""
_TTL_S = 2 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What stands already when a report comes in."""

    report: ReportRow | None
    event: CaseEventRow | None
    limit: LimitRow | None
    uploads: Sequence[UploadRow | None]
    case: CaseRow | None
    """The one to be joined, or the one that an earlier run of this request has made."""
    linked: frozenset[str]
    """Members close to the reporter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """One report on its way into a transaction."""

    actor: Actor
    command: SubmitReport
    report_id: str
    category: Category
    categories: Categories
    known: Known
    now: datetime
    working: WorkingTime

    def file(self, tx: Transaction, place: Place) -> Mapping[str, Any]:
        """Make a case of its own; answers the receipt."""
        case = self._new_case(place)
        receipt = self._receipt(case)
        tx.guard("case", case)
        self._add_common(tx, case, ordinal=1, event_id=version_id(1), receipt=receipt)
        return with_routing(receipt, case)

    def join(self, tx: Transaction, place: Place) -> Mapping[str, Any]:
        """Add a reporter to a case; the count says who is how many-th, without gaps."""
        case = self.known.case
        if case is None or case.county != place.grid.county:
            raise NotFound("case.not_found")
        self._check_joinable(case)
        ordinal, seen = case.reporter_count + 1, case.status
        echoes = case.reporter_count - 1 if case.echoes is None else case.echoes
        # Who is not paid takes none of the paid places.
        is_echo = rules.is_echo(self.now - case.created_at) and not self._is_moving
        room = rules.CASE_PHOTOS_MAX - len(case.photos)
        tx.update(
            "case",
            case,
            [
                CaseRow.reporter_count.set(ordinal),
                CaseRow.photo_count.add(self._ready_count()),
                CaseRow.photos.set([*case.photos, *self.command.photos[:room]]),
                CaseRow.echoes.set(echoes + is_echo),
                *seen_once_more(case, self.command),
            ],
            (CaseRow.reporter_count == case.reporter_count) & (CaseRow.status == seen),
        )
        receipt = self._receipt(case)
        event_id = join_event_id(case.case_id, self.actor.member_id)
        echo = echoes + 1 if is_echo else 0
        self._add_common(tx, case, ordinal=ordinal, echo=echo, event_id=event_id, receipt=receipt)
        return receipt

    def _check_joinable(self, case: CaseRow) -> None:
        if self.known.event is not None or case.member_id == self.actor.member_id:
            raise Conflict("report.own_case", case_id=case.case_id)
        if case.claimer_id == self.actor.member_id:
            # Who accepts and fixes a case is not paid for reporting it too.
            raise Conflict("report.own_work", case_id=case.case_id)
        place = Position(lon=case.lon, lat=case.lat)
        if not rules.may_be_joined(Status(case.status)):
            raise Conflict("case.not_joinable", status=case.status)
        known = self.categories.of(case.category, case.category_version)
        if known.family != self.category.family:
            raise Conflict("case.other_kind", category=case.category)
        if not rules.is_near_enough(place, self.command.position):
            raise Conflict("case.too_far")

    def _add_common(
        self,
        tx: Transaction,
        case: CaseRow,
        *,
        ordinal: int,
        event_id: str,
        receipt: Mapping[str, Any],
        echo: int = 0,
    ) -> None:
        is_joining = ordinal > 1
        doing = Doing(
            action=Action.JOIN if is_joining else Action.SUBMIT,
            party=Party.JOINER if is_joining else Party.REPORTER,
            now=self.now,
            member_id=self.actor.member_id,
            request=Request.of(self.actor, self.command.client_request_id, self.command.content()),
        )
        tx.guard("event", event_row(case, event_id, doing, receipt))
        tx.guard("report", self._report(case, ordinal, echo))
        self._add_limit(tx, case)
        binding.bind(tx, [row for row in self.known.uploads if row], case, self.report_id)
        topic = "case.joined" if is_joining else "case.submitted"
        payload = {
            "case_id": case.case_id,
            "event_id": event_id,
            "report_id": self.report_id,
            "member_id": self.actor.member_id,
            outbox.URGENT: is_urgent(case),
        }
        tx.put("outbox", outbox.row(topic, self.report_id, case.county, payload, self.now))

    def _new_case(self, place: Place) -> CaseRow:
        grid, category, command = place.grid, self.category, self.command
        case_id = derived_id("case", self.report_id)
        claim = self.working.deadline(self.now, category.claim_within, category.kind)
        due = watched(self.working.deadline(self.now, category.resolve_within, category.kind))
        case = CaseRow(
            case_id,
            schema=SCHEMA,
            county=grid.county,
            number=number_of(case_id, business_day(self.now)),
            category=category.code,
            category_version=category.version,
            clock=category.kind,
            severity=category.severity.value,
            status=Status.ASSIGNED.value,
            version=1,
            grid_id=grid.grid_id,
            grid_name=grid.name,
            community_id=grid.community_id,
            place=f"{grid.community_name} {grid.name}",
            routing=stored(place),
            zone_id=place.zone.division_id if place.zone else None,
            neighbour_grid_id=place.neighbour.grid.grid_id if place.neighbour else None,
            lon=command.lon,
            lat=command.lat,
            accuracy_m=round(command.accuracy_m),
            created_at=self.now,
            claim_due_at=claim.at,
            claim_limit_s=int(category.claim_within.total_seconds()),
            clock_from=None if category.severity is Severity.C else self.now,
            due_at=due.at,
            started_at=self.now,
            resolve_limit_s=int(category.resolve_within.total_seconds()),
            member_id=self.actor.member_id,
            report_id=self.report_id,
            reporter_count=1,
            photo_count=self._ready_count(),
            photos=list(command.photos),
            reopened=0,
            rounds=0,
            steps=[],
            queue=queue_of(grid.grid_id, Status.ASSIGNED),
            cell=open_cell_of(command.position, category.family),
            object_id=rules.clean_object_id(command.object_id),
            echoes=0,
            is_moving=True if self._is_moving else None,
            assigned_to=place.officer.member_id if place.officer else None,
        )
        wake = rules.next_wake(timing_of(case), self.working)
        if wake is not None:
            case.wake_shard, case.wake_at = wake_shard_of(case_id), wake.at
        return case

    def _report(self, case: CaseRow, ordinal: int, echo: int) -> ReportRow:
        text = rules.clean_text(self.command.text)
        is_joining = ordinal > 1
        return ReportRow(
            self.actor.member_id,
            self.report_id,
            schema=SCHEMA,
            county=case.county,
            case_id=case.case_id,
            joined_case_id=case.case_id if is_joining else None,
            ordinal=ordinal,
            echo=echo,
            object_id=rules.clean_object_id(self.command.object_id),
            category=self.category.code,
            category_version=self.category.version,
            submitted_at=self.now,
            captured_at=self.command.captured_at,
            text=text,
            text_verdict=Verdict.WAITING.value if text else None,
            speed_mps=_tenths(self.command.speed_mps),
            photos=list(self.command.photos) if is_joining else None,
            request_hash=content_hash(self.command.content()),
        )

    def _receipt(self, case: CaseRow) -> Mapping[str, Any]:
        """Only what never changes, so that it can be told again at any time."""
        advice = {"advice": STOP_FIRST} if self._is_moving else {}
        return {
            **advice,
            "report": {
                "id": self.report_id,
                "case_id": case.case_id,
                "joined": self.command.same_as is not None,
                "submitted_at": utc_text(self.now),
            },
            "case": {
                "id": case.case_id,
                "number": case.number,
                "category": case.category,
                "category_version": case.category_version,
                "level": case.severity,
                "grid_name": case.grid_name,
                "place": case.place,
                "claim_due_at": utc_text(case.claim_due_at),
                "due_at": utc_text(case.due_at),
                "routing": None,
            },
            "call_first": list(self.category.call_first),
        }

    @property
    def _is_moving(self) -> bool:
        return rules.is_moving(self.command.speed_mps)

    def _moving(self, case: CaseRow) -> Mapping[str, Any]:
        command = self.command
        return {
            "case_id": case.case_id,
            "family": self.category.family,
            "lon": command.lon,
            "lat": command.lat,
            "at": utc_text(self.now),
        }

    def _add_limit(self, tx: Transaction, case: CaseRow) -> None:
        limit = self.known.limit
        ttl = int(self.now.timestamp()) + _TTL_S
        moving = self._moving(case) if self._is_moving else None
        if limit is None:
            used = rules.used_with((), self.now)
            row = LimitRow(
                self.actor.member_id, LIMIT, schema=SCHEMA, version=1, used=used, ttl=ttl
            )
            row.moving = moving
            tx.guard("limit", row)
            return
        actions = [
            LimitRow.version.set(limit.version + 1),
            LimitRow.used.set(rules.used_with(limit.used, self.now)),
            LimitRow.ttl.set(ttl),
            *([LimitRow.moving.set(moving)] if moving else []),
        ]
        tx.update("limit", limit, actions, LimitRow.version == limit.version)

    def _ready_count(self) -> int:
        return sum(
            upload is not None and upload.state == UploadState.READY
            for upload in self.known.uploads
        )


def with_routing(receipt: Mapping[str, Any], case: CaseRow | None) -> Mapping[str, Any]:
    """A receipt with the routing that the case keeps: it never changes, so it is kept once.

    Receipts from before it was so bring their own; who joined a case has none.
    """
    shown = receipt["case"]
    if shown["routing"] is not None or case is None or receipt["report"]["joined"]:
        return receipt
    return {**receipt, "case": {**shown, "routing": case.routing}}


def join_event_id(case_id: str, member_id: str) -> str:
    """The guard of joining: a member joins a case once, whatever his requests are called."""
    return f"n{derived_id('join', case_id, member_id)}"


def _tenths(value: float | None) -> float | None:
    """A speed as exact as a phone knows it; the tables take no number near zero beyond 1e-130."""
    return None if value is None else round(value, 1)
