"""Lists: an officer's queue, most urgent first, and a rider's own reports, newest first.

A list of one grid in one state is one query of an index that holds all it shows. The hundred rows
are decoded by hand: pynamodb would spend twice as long on them as the engine does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import VerboseClientError

from models.base.clock import Clock, parse_utc, utc_text
from models.base.errors import FieldError, Invalid, NotFound, Unavailable
from models.base.paging import Cursors, Page
from models.base.store import get_many, query
from models.base.tables import connection
from models.calendar.rules import WorkingTime
from models.cases.entities import Severity, Status
from models.cases.followers import followed_all
from models.cases.parallel import together
from models.cases.states import clock_in, remaining_at
from models.cases.tables import QUEUE_ATTRIBUTES, CaseRow, ReportRow, queue_of, status_of
from models.people.covering import OFFICIALS
from models.people.entities import Actor
from models.places.service import Places

MAX_PARTITIONS = 12
"""Grids times states in one list; beyond it the list must be narrowed by ``grid``."""
WORKLIST = (Status.ASSIGNED, Status.CLAIMED, Status.HANDLING)
_WHOLE = ("version", "photo_count", "reporter_count")


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Which cases an official wants to see."""

    status: Status | None = None
    grid: str | None = None
    severity: Severity | None = None
    due_before: datetime | None = None
    cursor: str | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many cases of a state the list covers, and how many of them are overdue.

    Counted from the rows that the list has read anyway: where a queue holds more than a page,
    ``is_exact`` is False and there are at least so many.
    """

    status: Status
    count: int
    overdue: int
    is_exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage(Page[Mapping[str, Any]]):
    """A page of a queue; ``counts`` come with the first page only."""

    counts: Sequence[Count] = ()


class Listing:
    """Reads lists."""

    def __init__(
        self, *, clock: Clock, places: Places, working: WorkingTime, cursors: Cursors
    ) -> None:
        self._clock = clock
        self._places = places
        self._working = working
        self._cursors = cursors

    def queue(self, actor: Actor, wanted: Queue) -> QueuePage:
        """List cases in the actor's scopes, soonest due first; one parallel query per partition.

        The first page also counts them by state, overdue ones apart. With ``severity`` a page may
        be shorter than asked though more follow. Raises ``NotFound("grid.not_found")`` for a grid
        outside the scopes and ``Invalid`` where the scopes are too wide for one list.
        """
        queues = self._queues(actor, wanted)
        scope = "|".join(["queue", *queues, str(wanted.due_before)])
        position = self._cursors.open(scope, wanted.cursor) or {}
        pages = together([partial(_page, queue, position.get(queue), wanted) for queue in queues])
        found = sorted(
            (row for page in pages for row in page), key=lambda row: (row["due_at"], row["case_id"])
        )
        shown = found[: wanted.limit]
        for row in shown:
            position[row["queue"]] = [row["due_at"], row["case_id"]]
        has_more = len(found) > wanted.limit
        now = self._clock.now()
        return QueuePage(
            counts=() if wanted.cursor else _counts(queues, pages, wanted, now),
            items=[
                self._item(row, now)
                for row in shown
                if wanted.severity is None or row["severity"] == wanted.severity
            ],
            next_cursor=self._cursors.seal(scope, position if has_more else None),
        )

    def mine(self, actor: Actor, *, cursor: str | None, limit: int) -> Page[Mapping[str, Any]]:
        """List the actor's own reports, newest first, with where their cases stand."""
        position = self._cursors.open("reports", cursor)
        start = None
        if position is not None:
            start = {name: {"S": value} for name, value in position.items()}
            start["member_id"] = {"S": actor.member_id}
        rows: list[ReportRow] = query(
            ReportRow.by_time,
            actor.member_id,
            scan_index_forward=False,
            limit=limit + 1,
            page_size=limit + 1,
            last_evaluated_key=start,
        )
        shown = rows[:limit]
        cases = get_many([(CaseRow, (row.case_id,)) for row in shown]) if shown else []
        items = [
            report_item(row, case)
            for row, case in zip(shown, followed_all(cases), strict=True)
            if case is not None
        ]
        last = shown[-1] if len(rows) > limit else None
        return Page(items=items, next_cursor=self._cursors.seal("reports", _key_after(last)))

    def case(self, row: CaseRow) -> Mapping[str, Any]:
        """A case as a queue shows it, for who may see it."""
        shown = {name: getattr(row, name) for name in ("case_id", "due_at", *QUEUE_ATTRIBUTES)}
        texts = {
            name: utc_text(value) for name, value in shown.items() if isinstance(value, datetime)
        }
        return self._item({**shown, **texts}, self._clock.now())

    def _queues(self, actor: Actor, wanted: Queue) -> list[str]:
        grids = self._grids(actor)
        if wanted.grid is not None:
            if wanted.grid not in grids:
                raise NotFound("grid.not_found")
            grids = [wanted.grid]
        states = (wanted.status,) if wanted.status else WORKLIST
        if len(grids) * len(states) > MAX_PARTITIONS:
            raise Invalid(fields=[FieldError(field="grid", code="field.missing")])
        return [queue_of(grid, status) for grid in grids for status in states]

    def _grids(self, actor: Actor) -> list[str]:
        """Every grid in which the actor may read, in a stable order."""
        found: set[str] = set()
        for role in actor.roles:
            kind, _, scope_id = role.scope.partition(":")
            if role.role not in OFFICIALS:
                continue
            if kind == "grid":
                grid = self._places.grid(scope_id)
                found |= {scope_id} if grid and grid.county == role.county else set()
            else:
                found |= {
                    grid.grid_id
                    for grid in self._places.grids(role.county)
                    if scope_id in (grid.community_id, grid.county, grid.managed_by)
                }
        return sorted(found)

    def _item(self, row: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
        kind = clock_in(row.get("clock"), row["category"])
        remaining, clock = remaining_at(
            now,
            self._working,
            status=Status(row["status"]),
            kind=kind,
            due_at=parse_utc(row["due_at"]),
            paused_at=_at(row.get("paused_at")),
            ended_at=_at(row.get("resolved_at") or row.get("closed_at")),
        )
        return {
            "id": row["case_id"],
            "number": row["number"],
            "category": row["category"],
            "category_version": row.get("category_version"),
            "level": row["severity"],
            "status": row["status"],
            "version": row["version"],
            "grid_name": row["grid_name"],
            "place": row["place"],
            "created_at": row["created_at"],
            "claim_due_at": row["claim_due_at"],
            "due_at": row["due_at"],
            "remaining_seconds": int(remaining.total_seconds()),
            "clock": clock,
            "claimed_by": row.get("claimed_by"),
            "photo_count": row["photo_count"],
            "reporter_count": row["reporter_count"],
        }


def _page(queue: str, after: Sequence[str] | None, wanted: Queue) -> list[dict[str, Any]]:
    """One more row than wanted, so that the last page is known as such."""
    condition, values = "#queue = :queue", {":queue": {"S": queue}}
    if wanted.due_before is not None:
        condition += " AND due_at < :before"
        values[":before"] = {"S": _instant(wanted.due_before)}
    request: dict[str, Any] = {
        "TableName": CaseRow._get_connection().table_name,
        "IndexName": "by_queue",
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": {"#queue": "queue"},
        "ExpressionAttributeValues": values,
        "Limit": wanted.limit + 1,
    }
    if after is not None:
        due_at, case_id = after
        request["ExclusiveStartKey"] = {
            "queue": {"S": queue},
            "due_at": {"S": due_at},
            "case_id": {"S": case_id},
        }
    try:
        answer = connection().dispatch("Query", request)
    except (VerboseClientError, BotoCoreError) as error:
        raise Unavailable("store.busy") from error
    return [_decoded(item) for item in answer["Items"]]


def _counts(
    queues: Sequence[str],
    pages: Sequence[Sequence[Mapping[str, Any]]],
    wanted: Queue,
    now: datetime,
) -> list[Count]:
    by_status: dict[Status, list[tuple[int, int, bool]]] = {}
    for queue, page in zip(queues, pages, strict=True):
        overdue = sum(row["due_at"] < utc_text(now) for row in page)
        is_whole = len(page) <= wanted.limit
        by_status.setdefault(status_of(queue), []).append((len(page), overdue, is_whole))
    return [
        Count(
            status=status,
            count=sum(count for count, _, _ in parts),
            overdue=sum(overdue for _, overdue, _ in parts),
            is_exact=all(is_whole for _, _, is_whole in parts),
        )
        for status, parts in by_status.items()
    ]


def _instant(at: datetime) -> str:
    """Write an instant of a request; on the calendar's first and last day it may not exist."""
    try:
        return utc_text(at)
    except OverflowError as error:
        raise Invalid(fields=[FieldError(field="due_before", code="field.invalid")]) from error


def _at(text: str | None) -> datetime | None:
    return None if text is None else parse_utc(text)


def _decoded(item: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    row: dict[str, Any] = {name: next(iter(value.values())) for name, value in item.items()}
    for name in _WHOLE:
        row[name] = int(row[name])
    return row


def _key_after(last: ReportRow | None) -> dict[str, str] | None:
    if last is None:
        return None
    return {"report_id": last.report_id, "submitted_at": utc_text(last.submitted_at)}


def report_item(report: ReportRow, case: CaseRow) -> Mapping[str, Any]:
    """A report as its sender's list shows it."""
    return {
        "id": report.report_id,
        "category": report.category,
        "category_version": report.category_version,
        "joined": report.ordinal > 1,
        "submitted_at": utc_text(report.submitted_at),
        "case": {
            "id": case.case_id,
            "number": case.number,
            "category": case.category,
            "category_version": case.category_version,
            "level": case.severity,
            "status": case.status,
            "place": case.place,
            "due_at": utc_text(case.due_at),
            "closed_at": utc_text(case.closed_at) if case.closed_at else None,
            "closed_as": case.closed_as,
        },
    }
