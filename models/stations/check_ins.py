"""Check in at a station: by the code on its screen, or by the keeper's scan where GPS fails.

A check-in is one transaction: the receipt that makes it repeatable, the last visit to this station
(4 hours apart, by a condition), the last visit to any station (for the journey), and the point.
Reads before it cost two calls; 15 write units, 17 for a scan.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.base import store
from models.base.clock import Clock, business_day, utc_text
from models.base.errors import Conflict, Forbidden
from models.base.geometry import Position, distance_m
from models.base.ids import content_hash, derived_id
from models.base.store import Refused, Stale, Transaction, retrying
from models.people.entities import Actor
from models.points.entities import Act
from models.points.ledger import Ledger
from models.points.posting import Posting
from models.stations import rules
from models.stations.codes import Codes
from models.stations.directory import Directory
from models.stations.entities import CheckIn, PointsReason, RotatingCode, Station
from models.stations.keepers import keeps, kept_station
from models.stations.receipts import first_answer, read_answer, receipt
from models.stations.tables import (
    LAST_VISIT,
    SCHEMA,
    CheckInRow,
    ReceiptRow,
    VisitRow,
    check_in_answer,
    to_check_in,
)

RULE = "station.check_in"
_REASONS = {
    "act_day": PointsReason.ONCE_A_DAY,
    "act_month": PointsReason.MONTHLY_LIMIT,
}
"""Why a check-in brought nothing, by the limit that it met; any other is an overall one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrival:
    """A rider found to be at a station; ``keeper_id`` is who scanned him, None: he did it."""

    member_id: str
    check_in_id: str
    request_hash: str
    station: Station
    at: datetime
    how: str
    distance_m: int | None = None
    accuracy_m: int | None = None
    keeper_id: str | None = None


class CheckIns:
    """The use cases of visiting. All are safe to repeat with the same ``client_request_id``."""

    def __init__(self, *, clock: Clock, directory: Directory, codes: Codes, ledger: Ledger) -> None:
        self._clock = clock
        self._directory = directory
        self._codes = codes
        self._ledger = ledger

    def station_code(self, keeper: Actor, station_id: str) -> RotatingCode:
        """The code for the station's screen. Raises ``NotFound`` to all but its keeper."""
        station = kept_station(self._directory, keeper, station_id)
        return self._codes.for_station(station.station_id, self._clock.now())

    def member_code(self, actor: Actor) -> RotatingCode:
        """The code that a rider shows to a keeper; it tells the keeper's phone nothing."""
        return self._codes.for_member(actor.member_id, self._clock.now())

    def check_in(
        self,
        actor: Actor,
        *,
        station_id: str,
        client_request_id: str,
        position: Position,
        accuracy_m: float,
        code: str,
    ) -> CheckIn:
        """Check the actor in where he scanned the code on the screen.

        Raises ``NotFound`` (station.not_found), ``Forbidden`` (check_in.own_station), ``Invalid``
        (check_in.code_invalid), ``Conflict``: check_in.code_expired, check_in.too_far (with
        ``distance_m``, ``allowed_m``), check_in.too_soon (with ``next_at``), request.reused.
        """
        check_in_id = derived_id("ckin", actor.member_id, client_request_id)
        request_hash = content_hash(
            {
                "station_id": station_id,
                "lon": position.lon,
                "lat": position.lat,
                "accuracy_m": accuracy_m,
                "code": code,
            }
        )
        answered = read_answer(actor.member_id, check_in_id, request_hash)
        if answered is not None:
            return to_check_in(answered)
        station = self._directory.station(station_id)
        if keeps(actor, station):
            raise Forbidden("check_in.own_station")
        now = self._clock.now()
        self._codes.check_station(code, station_id=station_id, now=now)
        metres = require_near(station, position, accuracy_m, refusal="check_in.too_far")
        return self._arrive(
            _Arrival(
                member_id=actor.member_id,
                check_in_id=check_in_id,
                request_hash=request_hash,
                station=station,
                at=now,
                how="code",
                distance_m=metres,
                accuracy_m=round(accuracy_m),
            )
        )

    def scan(
        self, keeper: Actor, *, station_id: str, client_request_id: str, member_code: str
    ) -> CheckIn:
        """Check in the rider whose code the keeper scanned; the same rules, without a position.

        Raises as ``check_in`` does; ``NotFound`` to all but the station's keeper.
        """
        check_in_id = derived_id("ckin", keeper.member_id, client_request_id)
        request_hash = content_hash({"station_id": station_id, "member_code": member_code})
        answered = read_answer(keeper.member_id, check_in_id, request_hash)
        if answered is not None:
            return to_check_in(answered)
        station = kept_station(self._directory, keeper, station_id)
        member_id = self._codes.member_of(member_code)
        if member_id == keeper.member_id:
            raise Forbidden("check_in.own_station")
        now = self._clock.now()
        self._codes.check_member(member_code, now=now)
        return self._arrive(
            _Arrival(
                member_id=member_id,
                check_in_id=check_in_id,
                request_hash=request_hash,
                station=station,
                at=now,
                how="keeper",
                keeper_id=keeper.member_id,
            )
        )

    def _arrive(self, arrival: _Arrival) -> CheckIn:
        return retrying(lambda: self._decide(arrival))

    def _decide(self, arrival: _Arrival) -> CheckIn:
        last = store.get(VisitRow, arrival.member_id, LAST_VISIT)
        posting = self._ledger.plan_award(
            member_id=arrival.member_id,
            county=arrival.station.county,
            transfer_id=f"ckin:{arrival.member_id}:{business_day(arrival.at)}",
            act=Act(rule=RULE, at=arrival.at),
            now=arrival.at,
            matures_at=None,
            source={
                "check_in_id": arrival.check_in_id,
                "station_id": arrival.station.station_id,
            },
        )
        check_in = _accepted(arrival, posting)
        try:
            _transaction(arrival, check_in, last=last, posting=posting).commit()
        except Refused as refused:
            return _after_refusal(arrival, refused)
        return check_in


def require_near(station: Station, position: Position, accuracy_m: float, *, refusal: str) -> int:
    """How many metres the position is from the station.

    Raises ``Conflict`` with code ``refusal``, ``distance_m`` and ``allowed_m`` when too many.
    """
    metres = distance_m(position, station.position)
    allowed = rules.allowed_m(accuracy_m)
    if metres > allowed:
        raise Conflict(refusal, distance_m=round(metres), allowed_m=round(allowed))
    return round(metres)


def _accepted(arrival: _Arrival, posting: Posting) -> CheckIn:
    return CheckIn(
        check_in_id=arrival.check_in_id,
        station_id=arrival.station.station_id,
        at=arrival.at,
        points=0 if posting.already else posting.points,
        reason=_reason(posting),
    )


def _reason(posting: Posting) -> PointsReason:
    if posting.already:
        return PointsReason.ONCE_A_DAY
    if posting.limit is None or posting.points:
        return PointsReason.FIRST_OF_THE_DAY
    return _REASONS.get(posting.limit, PointsReason.OVERALL_LIMIT)


def _transaction(
    arrival: _Arrival, check_in: CheckIn, *, last: VisitRow | None, posting: Posting
) -> Transaction:
    transaction = Transaction()
    answer = check_in_answer(check_in)
    transaction.guard("check_in", _row(arrival, answer, last))
    if arrival.keeper_id is not None:
        transaction.guard("scan", _scan_row(arrival, answer, keeper_id=arrival.keeper_id))
    visited = VisitRow.last_at <= arrival.at - rules.BETWEEN_VISITS
    transaction.update(
        "visit",
        VisitRow(arrival.member_id, arrival.station.station_id),
        _visit_actions(arrival),
        VisitRow.member_id.does_not_exist() | visited,
    )
    transaction.update(
        "last",
        VisitRow(arrival.member_id, LAST_VISIT),
        [
            *_visit_actions(arrival),
            VisitRow.lon.set(arrival.station.position.lon),
            VisitRow.lat.set(arrival.station.position.lat),
        ],
        VisitRow.member_id.does_not_exist()
        if last is None
        else VisitRow.check_in_id == last.check_in_id,
    )
    if not posting.already:
        posting.add_to(transaction)
    return transaction


def _row(arrival: _Arrival, answer: dict[str, Any], last: VisitRow | None) -> CheckInRow:
    return CheckInRow(
        member_id=arrival.member_id,
        check_in_id=arrival.check_in_id,
        schema=SCHEMA,
        county=arrival.station.county,
        request_hash=arrival.request_hash,
        answer=answer,
        station_id=arrival.station.station_id,
        at=arrival.at,
        how=arrival.how,
        distance_m=arrival.distance_m,
        accuracy_m=arrival.accuracy_m,
        is_implausible=_is_implausible(arrival, last),
    )


def _scan_row(arrival: _Arrival, answer: dict[str, Any], *, keeper_id: str) -> ReceiptRow:
    return receipt(
        member_id=keeper_id,
        receipt_id=arrival.check_in_id,
        county=arrival.station.county,
        request_hash=arrival.request_hash,
        answer=answer,
    )


def _visit_actions(arrival: _Arrival) -> list[Any]:
    return [
        VisitRow.schema.set(SCHEMA),
        VisitRow.county.set(arrival.station.county),
        VisitRow.last_at.set(arrival.at),
        VisitRow.check_in_id.set(arrival.check_in_id),
    ]


def _is_implausible(arrival: _Arrival, last: VisitRow | None) -> bool:
    if last is None or last.lon is None or last.lat is None:
        return False
    metres = distance_m(Position(lon=last.lon, lat=last.lat), arrival.station.position)
    return rules.is_implausible(metres, arrival.at - last.last_at)


def _after_refusal(arrival: _Arrival, refused: Refused) -> CheckIn:
    """Answer as the first run did, refuse, or raise ``Stale`` to decide again."""
    first = refused.row("check_in", ReceiptRow) or refused.row("scan", ReceiptRow)
    answered = first_answer(first, arrival.request_hash)
    if answered is not None:
        return to_check_in(answered)
    visit = refused.row("visit", VisitRow)
    if visit is None:
        raise Stale from refused
    # The engine need not name every condition that failed: was it this command that visited?
    owner = arrival.keeper_id or arrival.member_id
    answered = read_answer(owner, arrival.check_in_id, arrival.request_hash)
    if answered is not None:
        return to_check_in(answered)
    next_at = visit.last_at + rules.BETWEEN_VISITS
    raise Conflict("check_in.too_soon", next_at=utc_text(next_at)) from refused
