"""All tables share one connection, and columns read back what was written."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import botocore.session
import pytest

from models.base.ids import new_id
from models.base.store import get
from models.base.tables import Database, Instant, Whole, connection, use_database
from tests.models.base.conftest import Part, Thing


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The name of every client that botocore makes."""
    made: list[str] = []
    make = botocore.session.Session.create_client

    def note(self: botocore.session.Session, name: str, *how: object, **more: object) -> object:
        made.append(name)
        return make(self, name, *how, **more)

    monkeypatch.setattr(botocore.session.Session, "create_client", note)
    return made


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads change over as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("base_tables")
def test_all_tables_and_threads_share_one_client(database: Database, clients: list[str]) -> None:
    use_database(database)

    def touch() -> None:
        get(Thing, new_id("t"))
        get(Part, new_id("t"), "a")

    threads = [threading.Thread(target=touch) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert clients == ["dynamodb"]


@pytest.mark.usefixtures("hasty_threads")
def test_threads_may_touch_a_table_for_the_first_time_together(database: Database) -> None:
    failures: list[Exception] = []

    def touch(gate: threading.Barrier) -> None:
        gate.wait(10)
        try:
            Thing._get_connection()
        except Exception as error:
            failures.append(error)

    for _ in range(20):
        use_database(database)
        connection()
        gate = threading.Barrier(16)
        threads = [threading.Thread(target=touch, args=(gate,)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    assert failures == []


def test_a_stage_puts_its_prefix_before_every_name(database: Database) -> None:
    use_database(Database(region=database.region, endpoint_url=database.endpoint_url, prefix="x-"))

    assert Thing._get_connection().table_name == "x-base-things"


def test_an_engine_that_nobody_named_is_a_mistake_of_the_programmer(database: Database) -> None:
    use_database(None)  # type: ignore[arg-type]

    with pytest.raises(RuntimeError, match="use_database"):
        connection()


@pytest.mark.usefixtures("tables")
def test_an_instant_reads_back_in_utc_with_milliseconds(thing_id: str) -> None:
    east = timezone(timedelta(hours=8))
    Thing(thing_id=thing_id, at=datetime(2026, 3, 18, 10, 0, 0, 123456, tzinfo=east)).save()

    stored = get(Thing, thing_id)

    assert stored is not None
    assert stored.at == datetime(2026, 3, 18, 2, 0, 0, 123000, tzinfo=UTC)


def test_an_instant_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        Instant().serialize(datetime(2026, 3, 18))  # noqa: DTZ001


@pytest.mark.usefixtures("tables")
def test_a_whole_number_reads_back_as_an_int(thing_id: str) -> None:
    Thing(thing_id=thing_id, count=-(10**18)).save()

    stored = get(Thing, thing_id)

    assert stored is not None
    assert (stored.count, type(stored.count)) == (-(10**18), int)


@pytest.mark.parametrize("value", [1.0, True, "1", None])
def test_only_whole_numbers_are_written_as_such(value: object) -> None:
    with pytest.raises(TypeError, match="whole number"):
        Whole().serialize(value)  # type: ignore[arg-type]
