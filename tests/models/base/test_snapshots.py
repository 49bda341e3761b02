"""What is known serves from memory, is looked at anew in time, and outlives an outage."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from models.base.clock import FixedClock
from models.base.errors import Unavailable
from models.base.snapshots import Snapshots

TTL = timedelta(seconds=30)


class Shelf:
    """Something that changes, with its version; counts how often it is asked."""

    def __init__(self, clock: FixedClock) -> None:
        self.versions = self.loads = self.version = 0
        self.is_away = False
        self.snapshots = Snapshots(
            clock=clock, ttl=TTL, version=self._version, load=self._load, name="shelf"
        )

    def _version(self) -> int:
        if self.is_away:
            raise Unavailable("store.busy")
        self.versions += 1
        return self.version

    def _load(self) -> str:
        self.loads += 1
        return f"v{self.version}"


@pytest.fixture
def shelf(clock: FixedClock) -> Shelf:
    return Shelf(clock)


@contextmanager
def loading_elsewhere(shelf: Shelf) -> Iterator[None]:
    """Another thread holds the loading of a new version."""
    entered, go_on = threading.Event(), threading.Event()
    load = shelf.snapshots._load

    def slow() -> str:
        entered.set()
        assert go_on.wait(5)
        return load()

    shelf.snapshots._load = slow
    other = threading.Thread(target=shelf.snapshots.current)
    other.start()
    assert entered.wait(5)
    yield
    go_on.set()
    other.join(5)


def test_within_its_time_nothing_is_asked(shelf: Shelf, clock: FixedClock) -> None:
    known = [shelf.snapshots.current(), shelf.snapshots.current()]
    clock.advance(TTL)
    known.append(shelf.snapshots.current())

    assert known == ["v0"] * 3
    assert (shelf.versions, shelf.loads) == (1, 1)


def test_later_only_the_version_is_asked_and_loaded_if_it_changed(
    shelf: Shelf, clock: FixedClock
) -> None:
    shelf.snapshots.current()
    clock.advance(TTL + timedelta(seconds=1))
    unchanged = shelf.snapshots.current()
    shelf.version = 1
    clock.advance(TTL + timedelta(seconds=1))
    changed = shelf.snapshots.current()

    assert (unchanged, changed) == ("v0", "v1")
    assert (shelf.versions, shelf.loads) == (3, 2)


def test_what_is_forgotten_is_asked_again_at_once(shelf: Shelf) -> None:
    shelf.snapshots.current()
    shelf.version = 1

    shelf.snapshots.forget()

    assert shelf.snapshots.current() == "v1"


def test_a_clock_moved_back_makes_it_look_again(shelf: Shelf, clock: FixedClock) -> None:
    shelf.snapshots.current()
    shelf.version = 1

    clock.advance(-timedelta(hours=1))

    assert shelf.snapshots.current() == "v1"


def test_an_outage_is_served_from_what_was_known_and_logged(
    shelf: Shelf, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.snapshots.current()
    shelf.is_away = True
    clock.advance(TTL + timedelta(seconds=1))

    assert shelf.snapshots.current() == "v0"
    assert caplog.messages == ["snapshot.refresh_failed"]


def test_with_nothing_known_an_outage_is_told(shelf: Shelf) -> None:
    shelf.is_away = True

    with pytest.raises(Unavailable):
        shelf.snapshots.current()


def test_others_go_on_with_what_is_known_while_one_loads(shelf: Shelf, clock: FixedClock) -> None:
    shelf.snapshots.current()
    shelf.version = 1
    clock.advance(TTL + timedelta(seconds=1))

    with loading_elsewhere(shelf):
        meanwhile = shelf.snapshots.current()

    assert (meanwhile, shelf.snapshots.current()) == ("v0", "v1")
