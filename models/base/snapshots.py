"""Keep in memory what seldom changes and is asked for all the time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from models.base.clock import Clock
from models.base.errors import Unavailable

log = logging.getLogger(__name__)

_Known = TypeVar("_Known")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Snapshot(Generic[_Known]):
    version: int
    known: _Known


class Snapshots(Generic[_Known]):
    """Answers from memory; safe to share between threads.

    When the memory is older than ``ttl``, the next question asks for the ``version`` (one strong
    read), and loads anew only if it changed. While the tables do not answer, what was last known
    goes on serving; with nothing known yet, ``Unavailable`` is raised, and just so with nothing but
    what was confirmed ``longest`` ago or earlier (None: it may be as old as it likes). ``name``
    stands in the log.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        ttl: timedelta,
        version: Callable[[], int],
        load: Callable[[], _Known],
        name: str,
        longest: timedelta | None = None,
    ) -> None:
        self._clock = clock
        self._ttl = ttl
        self._version = version
        self._load = load
        self._name = name
        self._longest = longest
        self._lock = threading.Lock()
        self._snapshot: _Snapshot[_Known] | None = None
        self._checked_at: datetime | None = None
        self._confirmed_at: datetime | None = None

    def current(self) -> _Known:
        """What is known now. At most one read, and a loading after a change."""
        snapshot = self._snapshot
        if snapshot is not None and self._is_fresh():
            return snapshot.known
        # One thread refreshes; the others go on with what is known, unless nothing is.
        if not self._lock.acquire(blocking=snapshot is None or self._is_too_old()):
            assert snapshot is not None
            return snapshot.known
        try:
            if self._snapshot is None or not self._is_fresh():
                self._snapshot = self._refreshed(self._snapshot)
                self._checked_at = self._clock.now()
            return self._snapshot.known
        finally:
            self._lock.release()

    def forget(self) -> None:
        """Look again at the next question: what this process changes itself, it sees at once.

        A refresh that began before is waited for, since it may have read the old version.
        """
        with self._lock:
            self._checked_at = None

    def _is_fresh(self) -> bool:
        checked_at = self._checked_at
        if checked_at is None:
            return False
        # A local clock may also be moved back; then the age says nothing.
        return timedelta(0) <= self._clock.now() - checked_at <= self._ttl

    def _is_too_old(self) -> bool:
        if self._longest is None:
            return False
        confirmed_at = self._confirmed_at
        if confirmed_at is None:
            return True
        return not timedelta(0) <= self._clock.now() - confirmed_at <= self._longest

    def _refreshed(self, before: _Snapshot[_Known] | None) -> _Snapshot[_Known]:
        asked_at = self._clock.now()
        try:
            version = self._version()
            if before is None or before.version != version:
                # Loaded after the version: a change in between is loaded again under its own one.
                before = _Snapshot(version=version, known=self._load())
        except Unavailable:
            if before is None or self._is_too_old():
                raise
            facts = {"snapshot": self._name, "version": before.version}
            log.warning("snapshot.refresh_failed", extra=facts)
        else:
            self._confirmed_at = asked_at
        return before
