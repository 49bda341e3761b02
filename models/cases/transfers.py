"""Hand a case over to who can do it: the hotline, city management, the police, a platform.

Who took the report answers for it until the receiver has accepted it (首接负责), so our clock and
ladder run on; then they stand still, and go on from there should it come back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from models.base.errors import Conflict
from models.base.store import Transaction, get
from models.calendar.rules import WorkingTime
from models.cases import changes, closing, crediting, pausing, resolution, told
from models.cases.changes import Doing
from models.cases.entities import Receiver, Status
from models.cases.tables import SCHEMA, CaseRow
from models.cases.transfer_tables import HandOverRow, number_name, reference_name
from models.points.ledger import Ledger


def hand_over(
    tx: Transaction,
    case: CaseRow,
    doing: Doing,
    *,
    receiver: Receiver,
    external_ref: str | None,
    ledger: Ledger,
    working: WorkingTime,
) -> Mapping[str, Any]:
    """Lay a hand-over into a transaction. What is worth handing over is a valid report, so this
    accepts a case that nobody had claimed, with its points; and who hands it over knows of it.

    Raises ``Conflict("hand_over.reference_taken")``.
    """
    values: dict[str, Any] = {**told.started(case, doing.member_id, doing.now, working)}
    if case.claimed_at is None:
        values |= crediting.add_first_award(tx, ledger, case, doing.now)
        values["claimed_at"] = doing.now
    _name(tx, "number", case, receiver, number_name(case.county, receiver, case.number), doing.now)
    if external_ref is not None:
        name = reference_name(case.county, receiver, external_ref)
        _name(tx, "reference", case, receiver, name, doing.now)
    answer = changes.advance(
        tx,
        case,
        doing,
        working=working,
        status=Status.TRANSFERRED.value,
        receiver=receiver.value,
        external_ref=external_ref,
        proposal=None,
        **values,
    )
    closing.tell(tx, "case.transferred", case, doing.now)
    return answer


def accept(
    tx: Transaction, case: CaseRow, doing: Doing, *, external_ref: str, working: WorkingTime
) -> Mapping[str, Any]:
    """Lay into a transaction that the receiver has it: our clocks stand still.

    Raises ``Conflict("hand_over.reference_taken")`` for a reference of another case of the county.
    """
    receiver = Receiver(case.receiver)
    name = reference_name(case.county, receiver, external_ref)
    _name(tx, "reference", case, receiver, name, doing.now)
    answer = changes.advance(
        tx,
        case,
        doing,
        working=working,
        **pausing.kept(case, Status.EXTERNAL, doing.now, working),
        status=Status.EXTERNAL.value,
        external_ref=external_ref,
        accepted_at=doing.now,
    )
    closing.tell(tx, "case.external", case, doing.now)
    return answer


def take_back(
    tx: Transaction, case: CaseRow, doing: Doing, *, working: WorkingTime
) -> Mapping[str, Any]:
    """Lay into a transaction that it is ours again, for whoever is told of it next."""
    values = {
        **pausing.kept(case, Status.ASSIGNED, doing.now, working),
        **told.given(case, None, doing.now, working),
    }
    answer = changes.advance(
        tx,
        case,
        doing,
        working=working,
        **values,
        status=Status.ASSIGNED.value,
        claimed_by=None,
        claimer_id=None,
        assigned_to=None,
        receiver=None,
        external_ref=None,
        accepted_at=None,
    )
    closing.tell(tx, "case.returned", case, doing.now)
    return answer


def resolve(
    tx: Transaction,
    case: CaseRow,
    doing: Doing,
    *,
    photos: Sequence[str] = (),
    working: WorkingTime,
) -> Mapping[str, Any]:
    """Lay into a transaction that the receiver has fixed it; the reporter judges as ever."""
    if photos:
        resolution.add_photos(tx, case, photos, member_id=doing.member_id or "")
    answer = changes.advance(
        tx,
        case,
        doing,
        working=working,
        **pausing.kept(case, Status.RESOLVED, doing.now, working),
        status=Status.RESOLVED.value,
        resolved_at=doing.now,
        resolution=doing.reason,
        after=list(photos),
    )
    closing.tell(tx, "case.resolved", case, doing.now)
    return answer


def _name(
    tx: Transaction, what: str, case: CaseRow, receiver: Receiver, name: str, now: datetime
) -> None:
    """Give the case a name at its receiver; one that it has already stays."""
    known = get(HandOverRow, name)
    if known is not None and known.case_id != case.case_id:
        raise Conflict("hand_over.reference_taken")
    if known is None:
        row = HandOverRow(
            name,
            schema=SCHEMA,
            county=case.county,
            receiver=receiver.value,
            case_id=case.case_id,
            at=now,
        )
        tx.guard(f"name.{what}", row)
