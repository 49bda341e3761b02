"""Whether a station's door is open: what the keeper says, and what riders find."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pynamodb.expressions.update import Action

from models.base import store
from models.base.clock import Clock
from models.base.errors import Conflict, NotFound
from models.base.geometry import Position
from models.base.ids import content_hash, derived_id
from models.base.store import Refused, Stale, Transaction, retrying
from models.people.entities import Actor
from models.stations import rules
from models.stations.check_ins import require_near
from models.stations.directory import Directory, count_change
from models.stations.entities import Door, DoorState
from models.stations.keepers import kept_station
from models.stations.receipts import first_answer, read_answer, receipt
from models.stations.tables import ReceiptRow, StationRow, door_answer, to_door_state


class Doors:
    """The use cases of doors. All are safe to repeat with the same ``client_request_id``."""

    def __init__(self, *, clock: Clock, directory: Directory) -> None:
        self._clock = clock
        self._directory = directory

    def say(
        self, keeper: Actor, *, station_id: str, client_request_id: str, is_open: bool
    ) -> DoorState:
        """Record what the keeper says; it outweighs the reports of riders before it.

        Raises ``NotFound`` (station.not_found) to all but the station's keeper.
        """
        receipt_id = derived_id("door", keeper.member_id, client_request_id)
        request_hash = content_hash({"station_id": station_id, "open": is_open})
        answered = read_answer(keeper.member_id, receipt_id, request_hash)
        if answered is not None:
            return to_door_state(answered)
        kept_station(self._directory, keeper, station_id)
        now = self._clock.now()
        door = Door.OPEN if is_open else Door.CLOSED

        def change(row: StationRow) -> tuple[list[Action], Door]:
            return [*_said(door, now), *_nobody_reported()], door

        return self._write(
            keeper.member_id, receipt_id, request_hash, station_id=station_id, change=change
        )

    def report_locked(
        self,
        actor: Actor,
        *,
        station_id: str,
        client_request_id: str,
        position: Position,
        accuracy_m: float,
    ) -> DoorState:
        """Record that a rider stands before a locked door during its posted hours.

        A second report by somebody else within 30 minutes makes it ``unverified_closed``; one
        alone changes nothing that others see. Raises ``NotFound`` (station.not_found),
        ``Conflict``: door_report.too_far, door_report.outside_hours.
        """
        receipt_id = derived_id("lock", actor.member_id, client_request_id)
        request_hash = content_hash(
            {
                "station_id": station_id,
                "lon": position.lon,
                "lat": position.lat,
                "accuracy_m": accuracy_m,
            }
        )
        answered = read_answer(actor.member_id, receipt_id, request_hash)
        if answered is not None:
            return to_door_state(answered)
        station = self._directory.station(station_id)
        now = self._clock.now()
        require_near(station, position, accuracy_m, refusal="door_report.too_far")
        if not rules.is_open(station.hours, now):
            raise Conflict("door_report.outside_hours")
        reporter = derived_id("by", station_id, actor.member_id)

        def change(row: StationRow) -> tuple[list[Action], Door | None]:
            return _reported(row, reporter=reporter, now=now)

        return self._write(
            actor.member_id, receipt_id, request_hash, station_id=station_id, change=change
        )

    def _write(
        self,
        member_id: str,
        receipt_id: str,
        request_hash: str,
        *,
        station_id: str,
        change: Callable[[StationRow], tuple[list[Action], Door | None]],
    ) -> DoorState:
        now = self._clock.now()

        def decide() -> DoorState:
            row = store.get(StationRow, station_id)
            if row is None:
                raise NotFound("station.not_found")
            actions, door = change(row)
            state = DoorState(station_id=station_id, door=door, at=now)
            transaction = Transaction()
            transaction.guard(
                "receipt",
                receipt(
                    member_id=member_id,
                    receipt_id=receipt_id,
                    county=row.county,
                    request_hash=request_hash,
                    answer=door_answer(state),
                ),
            )
            transaction.update(
                "station",
                StationRow(station_id),
                [*actions, StationRow.door_revision.set((row.door_revision or 0) + 1)],
                _unchanged(row),
            )
            count_change(transaction)
            try:
                transaction.commit()
            except Refused as refused:
                return _repeated(refused, request_hash)
            return state

        state = retrying(decide)
        self._directory.forget()
        return state


def _said(door: Door, now: datetime) -> list[Action]:
    return [StationRow.door.set(door.value), StationRow.door_at.set(now)]


def _nobody_reported() -> list[Action]:
    return [StationRow.locked_by.remove(), StationRow.locked_at.remove()]


def _reported(row: StationRow, *, reporter: str, now: datetime) -> tuple[list[Action], Door | None]:
    earlier = (row.locked_by, row.locked_at) if row.locked_by and row.locked_at else None
    if rules.confirms(earlier, reporter=reporter, at=now):
        door = Door.UNVERIFIED_CLOSED
        return [*_said(door, now), *_nobody_reported()], door
    actions: list[Action] = [
        StationRow.locked_by.set(reporter),
        StationRow.locked_at.set(now),
    ]
    return actions, Door(row.door) if row.door in set(Door) else None


def _unchanged(row: StationRow) -> Any:
    if row.door_revision is None:
        return StationRow.station_id.exists() & StationRow.door_revision.does_not_exist()
    return StationRow.door_revision == row.door_revision


def _repeated(refused: Refused, request_hash: str) -> DoorState:
    answered = first_answer(refused.row("receipt", ReceiptRow), request_hash)
    if answered is None:
        raise Stale from refused
    return to_door_state(answered)
