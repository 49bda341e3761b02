"""Cases whose officer has left: given back, so that whoever is there now is told of them.

The roster says by ``roster.left`` that somebody lost a post. What he holds or was given in its
grids is released, each case in one transaction of its own: by the case's version, his last claim
comes before it or not at all. A case that lies still just then (waiting, deferred, with a
receiver) is looked at when it goes on; so is one whose step comes due.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial

from models.alerts.entities import Event
from models.base.clock import Clock, parse_utc
from models.base.errors import Unavailable
from models.base.store import Transaction, get, get_many, query, retrying
from models.calendar.rules import WorkingTime
from models.cases import changes, closing, told
from models.cases.changes import Doing
from models.cases.entities import Action, Party, Status
from models.cases.tables import CaseRow, queue_of
from models.cases.workflow import TRANSITIONS
from models.people import links
from models.people.entities import RoleName
from models.people.roster import Roster
from models.places.service import Places

log = logging.getLogger(__name__)

RELEASABLE = tuple(row.source for row in TRANSITIONS if row.action is Action.RELEASE)
WATCHED = ("case.step", "case.resumed", "case.reopened", "case.unmerged")
"""Topics at which it is worth a look whether who holds the case is still there."""
SETTLED = timedelta(minutes=1)
"""After this long the roster's index shows that an entry has gone."""
READ_AT_ONCE = 100

Handle = Callable[[Event], None]


class Orphans:
    """Releases cases of those who left. Everything here is safe to repeat and to overlap."""

    def __init__(
        self, *, clock: Clock, roster: Roster, places: Places, working: WorkingTime
    ) -> None:
        self._clock = clock
        self._roster = roster
        self._places = places
        self._working = working

    def handlers(self) -> Mapping[str, Handle]:
        """The topic of leaving, with what handles it."""
        return {"roster.left": self.left}

    def around(self, handlers: Mapping[str, Handle]) -> Mapping[str, Handle]:
        """The same handlers; those of a watched topic look first whether its case is an orphan."""
        return {
            topic: partial(self._watched, handle) if topic in WATCHED else handle
            for topic, handle in handlers.items()
        }

    def left(self, event: Event) -> None:
        """Release what a member holds where he lost a post.

        Raises ``Unavailable`` while the roster's index may still show him, so that the event is
        tried again; who holds the same grid by another post keeps his cases.
        """
        member_id, county = event.payload["member_id"], event.payload["county"]
        self._roster.forget()
        still_there = False
        for grid_id in self._grids(county, event.payload["scopes"]):
            for case in _held_by(member_id, _open_cases(grid_id)):
                if self._is_there(member_id, case):
                    still_there = True
                else:
                    self._release(case.case_id, member_id)
        if still_there and self._clock.now() < parse_utc(event.payload["at"]) + SETTLED:
            raise Unavailable("roster.index_behind")

    def sweep(self, grid_id: str) -> int:
        """Release every case of a grid whose holder has no post there; answers how many.

        Reads all that is being worked on there, in hundreds: an admin's command.
        """
        self._roster.forget()
        return sum(self._release_orphan(case) for case in _open_cases(grid_id))

    def look(self, case_id: str) -> bool:
        """Release one case if its holder has no post there any more; one read, if he has."""
        case = get(CaseRow, case_id)
        if case is None or _holder(case) is None or self._is_there(_holder(case), case):
            return False
        self._roster.forget()  # what is remembered may be older than who has just come
        return self._release_orphan(case)

    def _watched(self, handle: Handle, event: Event) -> None:
        self.look(event.payload["case_id"])
        handle(event)

    def _release_orphan(self, case: CaseRow) -> bool:
        holder = _holder(case)
        if holder is None or self._is_there(holder, case):
            return False
        return self._release(case.case_id, holder)

    def _release(self, case_id: str, member_id: str) -> bool:
        return retrying(lambda: self._release_once(case_id, member_id))

    def _release_once(self, case_id: str, member_id: str) -> bool:
        case = get(CaseRow, case_id)
        if case is None or case.status not in RELEASABLE or _holder(case) != member_id:
            return False
        now, tx = self._clock.now(), Transaction()
        successor = self._successor(case, member_id)
        doing = Doing(action=Action.RELEASE, party=Party.SYSTEM, now=now, reason="officer_left")
        changes.advance(
            tx,
            case,
            doing,
            working=self._working,
            **told.given(case, successor, now, self._working),
            status=Status.ASSIGNED.value,
            claimed_by=None,
            claimer_id=None,
            assigned_to=successor,
            proposal=None,
        )
        closing.tell(tx, "case.released", case, now)
        changes.commit(tx)
        log.info("case.released", extra={"case_id": case_id})
        return True

    def _successor(self, case: CaseRow, member_id: str) -> str | None:
        """Who is on duty now; nobody handles what he reported himself, or one close to him."""
        on_duty = (entry.member_id for entry in self._roster.on_duty(case.grid_id))
        unfit = {None, member_id, case.member_id, *links.linked_to(case.member_id)}
        return next((who for who in on_duty if who not in unfit), None)

    def _is_there(self, member_id: str | None, case: CaseRow) -> bool:
        posts = (
            (RoleName.OFFICER, f"grid:{case.grid_id}"),
            (RoleName.GRID_LEAD, f"grid:{case.grid_id}"),
            (RoleName.GRID_LEAD, f"community:{case.community_id}"),
        )
        return any(
            entry.member_id == member_id
            for role, scope in posts
            for entry in self._roster.holders(role, scope)
        )

    def _grids(self, county: str, scopes: Sequence[str]) -> list[str]:
        names = {scope.partition(":")[2] for scope in scopes}
        return sorted(
            grid.grid_id
            for grid in self._places.grids(county)
            if names & {grid.grid_id, grid.community_id}
        )


def _holder(case: CaseRow) -> str | None:
    """Whose a case is: who claimed it, before that whom it was given to."""
    return case.claimer_id or case.assigned_to


def _held_by(member_id: str, cases: Iterator[CaseRow]) -> Iterator[CaseRow]:
    return (case for case in cases if _holder(case) == member_id)


def _open_cases(grid_id: str) -> Iterator[CaseRow]:
    """What can be released in a grid, read strongly; the index only says where to look."""
    ids = [
        row.case_id
        for status in RELEASABLE
        for row in query(CaseRow.by_queue, queue_of(grid_id, status))
    ]
    for start in range(0, len(ids), READ_AT_ONCE):
        keys = [(CaseRow, (case_id,)) for case_id in ids[start : start + READ_AT_ONCE]]
        yield from (row for row in get_many(keys) if isinstance(row, CaseRow))
