"""Who is on duty and who holds a role where, as the roster says."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.base.clock import Clock
from models.base.errors import Unavailable
from models.base.store import query
from models.people.entities import RoleName, RosterEntry
from models.people.rules import by_duty, in_turn
from models.people.tables import RosterRow, known_role, to_entry

log = logging.getLogger(__name__)

_SCOPES_KEPT = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    at: datetime
    entries: tuple[RosterEntry, ...]


class Roster:
    """Answers from memory for ``ttl`` per scope, then by one query; shared between threads.

    While the tables do not answer, what was last known goes on serving.
    """

    def __init__(self, *, clock: Clock, ttl: timedelta = timedelta(seconds=30)) -> None:
        self._clock = clock
        self._ttl = ttl
        self._seen: dict[str, _Seen] = {}

    def on_duty(self, grid_id: str, at: datetime | None = None) -> tuple[RosterEntry, ...]:
        """Who looks after a grid at an instant (None: now), first choice first.

        Officers, then leads; in each, those whose phone is bound (``member_id`` set) come first.
        For who is on leave his deputy is there. Empty when nobody is.
        """
        return by_duty(self._entries(f"grid:{grid_id}"), at or self._clock.now())

    def holders(
        self, role: RoleName, scope: str, at: datetime | None = None
    ) -> tuple[RosterEntry, ...]:
        """Who holds ``role`` in ``scope`` at an instant (None: now), bound phones first."""
        at = at or self._clock.now()
        held = [e for e in self._entries(scope) if e.role == role and e.is_valid(at)]
        return tuple(sorted(held, key=in_turn))

    def forget(self) -> None:
        """Read again at the next question: for who has just changed the roster."""
        self._seen = {}

    def _entries(self, scope: str) -> tuple[RosterEntry, ...]:
        now = self._clock.now()
        seen = self._seen.get(scope)
        # A local clock may also be moved back; then the age says nothing.
        if seen is not None and timedelta(0) <= now - seen.at <= self._ttl:
            return seen.entries
        try:
            rows = query(RosterRow.by_scope, scope)
        except Unavailable:
            if seen is None:
                raise
            log.warning("roster.refresh_failed", extra={"scope": scope})
            return seen.entries
        entries = tuple(to_entry(row) for row in rows if known_role(row))
        if len(self._seen) >= _SCOPES_KEPT:
            self.forget()
        self._seen[scope] = _Seen(at=now, entries=entries)
        return entries
