"""What receivers say of the cases they were given, taken in from a file, line by line.

A line names the case by the receiver's reference or by our number and says what became of it. It
is a command of the receiver's part: judged by the transition table, applied in one transaction,
and known again by what it says, so that a file may come twice and overlap the next. A bad line
says what is wrong with it and keeps no other back.
"""

from __future__ import annotations

import csv
import io
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from models.base.clock import Clock, parse_utc, utc_text
from models.base.errors import Conflict, DomainError, FieldError, Invalid, NotFound
from models.base.ids import content_hash, derived_id
from models.base.store import Transaction, get, retrying
from models.calendar.rules import WorkingTime
from models.cases import changes, rules, transfers, workflow
from models.cases.changes import Doing, Request
from models.cases.entities import Action, Party, Receiver, Status
from models.cases.states import facts_of
from models.cases.tables import CaseRow
from models.cases.transfer_tables import HandOverRow, number_name, reference_name

log = logging.getLogger(__name__)

COLUMNS = ("receiver", "external_ref", "number", "status", "at", "note")
MAX_LINES = 2000
NOTE_MAX_CHARACTERS = 200
_ACTION_BY_STATUS = {
    "accepted": Action.ACCEPT,
    "resolved": Action.RESOLVE,
    "returned": Action.RETURN,
}
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_/.-]{0,39}")
_NUMBER = re.compile(r"\d{6}-[0-9A-Z]{6}")
_DISPLAY = {
    Receiver.HOTLINE_12345: "12345 热线",
    Receiver.CITY_MANAGEMENT: "城市管理",
    Receiver.POLICE: "公安",
    Receiver.PLATFORM: "平台企业",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing a receiver says; ``at`` is his time of it."""

    receiver: Receiver
    external_ref: str | None
    number: str | None
    action: Action
    at: datetime
    note: str | None

    def content(self) -> dict[str, Any]:
        return {
            "receiver": self.receiver.value,
            "external_ref": self.external_ref,
            "number": self.number,
            "action": self.action.value,
            "at": utc_text(self.at),
            "note": self.note,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LineResult:
    """What became of a line (the heading is line 1): ``done``, ``unchanged`` because it was taken
    in before, or ``refused`` with a code and, where one is to blame, the column."""

    line: int
    outcome: str
    number: str | None = None
    code: str | None = None
    column: str | None = None


class TransferFiles:
    """Takes receivers' files in."""

    def __init__(self, *, clock: Clock, working: WorkingTime) -> None:
        self._clock = clock
        self._working = working

    def take_in(self, text: str, county: str) -> list[LineResult]:
        """A result for each line. Safe to repeat, also after it was cut off; of another county's
        cases nothing is known here. Raises ``Invalid`` for a file that is none.

        Three reads and one transaction for each line that changes something.
        """
        return [
            self._result(number, row, county) for number, row in enumerate(read_file(text), start=2)
        ]

    def _result(self, line: int, row: Mapping[str, str], county: str) -> LineResult:
        try:
            said = read_line(row, self._clock.now())
            case, is_new = retrying(partial(self._take_in, said, county))
        except Invalid as error:
            bad = error.fields[0]
            return LineResult(line=line, outcome="refused", code=bad.code, column=bad.field)
        except DomainError as error:
            return LineResult(line=line, outcome="refused", code=error.code)
        outcome = "done" if is_new else "unchanged"
        return LineResult(line=line, outcome=outcome, number=case.number)

    def _take_in(self, said: Line, county: str) -> tuple[CaseRow, bool]:
        case = _find(said, county)
        content = content_hash(said.content())
        request = Request(key=derived_id("req", "receiver", county, content), content=content)
        if changes.earlier_answer(changes.history(case.case_id), request) is not None:
            return case, False
        if case.receiver is not None and case.receiver != said.receiver:
            raise NotFound("hand_over.not_found")
        now = self._clock.now()
        facts = facts_of(case, member_id=None, now=now, is_reporter=False)
        workflow.judge(Status(case.status), (Party.RECEIVER,), said.action, facts)
        doing = Doing(
            action=said.action,
            party=Party.RECEIVER,
            now=now,
            display=_DISPLAY[said.receiver],
            reason="not_accepted" if said.action is Action.RETURN else None,
            text=" ".join(part for part in (utc_text(said.at), said.note) if part),
            request=request,
        )
        tx = Transaction()
        self._apply(tx, case, said, doing)
        changes.commit(tx)
        log.info("transfer.taken_in", extra={"case_id": case.case_id, "action": said.action.value})
        return case, True

    def _apply(self, tx: Transaction, case: CaseRow, said: Line, doing: Doing) -> None:
        if said.action is Action.ACCEPT:
            reference = said.external_ref or ""
            transfers.accept(tx, case, doing, external_ref=reference, working=self._working)
        elif said.action is Action.RETURN:
            transfers.take_back(tx, case, doing, working=self._working)
        else:
            transfers.resolve(tx, case, doing, working=self._working)


def read_file(text: str) -> list[dict[str, str]]:
    """The lines of a CSV, with or without the mark that spreadsheets put first.

    Raises ``Invalid`` (``hand_over.columns``, also for what is no CSV; ``hand_over.too_long``).
    """
    no_table = FieldError(field="csv", code="hand_over.columns", limit=",".join(COLUMNS))
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    try:
        if not set(COLUMNS) <= set(rows.fieldnames or ()):
            raise Invalid(fields=[no_table])
        lines = [{name: (row[name] or "").strip() for name in COLUMNS} for row in rows]
    except csv.Error as error:
        raise Invalid(fields=[no_table]) from error
    if len(lines) > MAX_LINES:
        raise Invalid(fields=[FieldError(field="csv", code="hand_over.too_long", limit=MAX_LINES)])
    return lines


def read_line(row: Mapping[str, str], now: datetime) -> Line:
    """Read one line. Raises ``Invalid`` with the first column that is wrong.

    An acceptance names the receiver's reference; anything else that or our number. ``at`` carries
    its offset, and lies at most five minutes ahead.
    """
    if row["receiver"] not in set(Receiver):
        raise _bad("receiver", "field.not_allowed")
    action = _ACTION_BY_STATUS.get(row["status"])
    if action is None:
        raise _bad("status", "field.not_allowed")
    reference, number = row["external_ref"] or None, row["number"] or None
    if reference is not None and _REFERENCE.fullmatch(reference) is None:
        raise _bad("external_ref", "field.invalid")
    if number is not None and _NUMBER.fullmatch(number) is None:
        raise _bad("number", "field.invalid")
    if reference is None and (number is None or action is Action.ACCEPT):
        raise _bad("external_ref", "field.missing")
    if len(row["note"]) > NOTE_MAX_CHARACTERS:
        raise _bad("note", "field.too_long")
    return Line(
        receiver=Receiver(row["receiver"]),
        external_ref=reference,
        number=number,
        action=action,
        at=_instant(row["at"], now),
        note=rules.clean_text(row["note"]),
    )


def _instant(text: str, now: datetime) -> datetime:
    try:
        at = parse_utc(text)
    except (ValueError, OverflowError) as error:
        raise _bad("at", "field.invalid") from error
    if at > now + rules.CLOCK_SKEW:
        raise _bad("at", "hand_over.from_the_future")
    return at


def _find(said: Line, county: str) -> CaseRow:
    """The case that is meant: by our number where there is one, for the reference may be new."""
    names = []
    if said.number is not None:
        names.append(number_name(county, said.receiver, said.number))
    if said.external_ref is not None:
        names.append(reference_name(county, said.receiver, said.external_ref))
    found = {row.case_id for row in (get(HandOverRow, name) for name in names) if row is not None}
    if len(found) > 1:
        raise Conflict("hand_over.reference_taken")
    case = get(CaseRow, found.pop()) if found else None
    if case is None or case.county != county:
        raise NotFound("hand_over.not_found")
    return case


def _bad(column: str, code: str) -> Invalid:
    return Invalid(fields=[FieldError(field=column, code=code)])
