"""Which list holds where and when, and which one a standing case remembers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from infra.local.engine import Engine
from models.base.clock import FixedClock
from models.base.errors import Invalid, Unavailable
from models.base.paging import Cursors
from models.base.store import get, scan
from models.base.tables import Database, use_database
from models.cases.categories import Categories, first_version
from models.cases.category_tables import CategoryVersionRow, key_of
from models.cases.entities import Action, Status
from models.cases.listing import Listing, Queue
from models.cases.tables import CaseRow, ReportRow
from models.cases.versions import keys_of
from tests.support.cases import COUNTY, Town, a_rider
from tests.support.categories import a_sheet, own_tables, publish
from tests.support.faults import never_sent
from tests.support.meter import metered

NEIGHBOUR = "411502"
HALF_A_MINUTE = timedelta(seconds=31)
HOUR = timedelta(hours=1)
SLOWER = [{"code": "E0493a", "limit": "4 wh"}]


@pytest.fixture
def lists(engine: Engine, clock: FixedClock) -> Categories:
    """The lists of a city of its own."""
    own_tables(engine.url, "category-versions")
    return Categories(clock=clock)


@pytest.fixture(scope="module")
def _city(engine: Engine) -> Database:
    """All tables once more, for a city whose lists change."""
    return own_tables(engine.url)


@pytest.fixture
def town(_city: Database, database: Database, clock: FixedClock) -> Iterator[Town]:
    """A grid of that city, where nothing has been published yet."""
    use_database(database)
    town = Town(clock, on_duty=False)
    town.places.grids()  # laid and read where every test finds it
    use_database(_city)
    for row in scan(CategoryVersionRow):
        row.delete()
    yield town
    use_database(database)


def limit(lists: Categories, county: str | None, code: str = "E0493a") -> timedelta:
    return lists.current(county).of(code).resolve_within


def test_before_anything_is_published_the_first_list_holds_everywhere(lists: Categories) -> None:
    assert lists.current(None) is first_version()
    assert lists.current(COUNTY) is first_version()
    assert lists.edition() == "1"


def test_what_is_published_holds_at_once_here_and_within_a_minute_elsewhere(
    lists: Categories, clock: FixedClock
) -> None:
    elsewhere = Categories(clock=clock)
    elsewhere.current(None)

    publish(lists, a_sheet(E0493a={"limit": "3 wh"}), clock.now())

    assert limit(lists, None) == 3 * HOUR
    assert limit(elsewhere, None) == 2 * HOUR
    clock.advance(HALF_A_MINUTE)
    assert limit(elsewhere, None) == 3 * HOUR


def test_a_list_holds_from_its_instant_on(lists: Categories, clock: FixedClock) -> None:
    tomorrow = clock.now() + timedelta(days=1)

    publish(lists, a_sheet(E0493a={"limit": "3 wh"}), clock.now(), effective_from=tomorrow)

    clock.advance(timedelta(days=1) - timedelta(seconds=1))
    assert (limit(lists, None), lists.current(None).version) == (2 * HOUR, "1")
    clock.advance(timedelta(seconds=1))
    assert (limit(lists, None), lists.current(None).version) == (3 * HOUR, "2")


def test_what_was_published_last_wins_over_what_was_meant_for_later(
    lists: Categories, clock: FixedClock
) -> None:
    tomorrow = clock.now() + timedelta(days=1)
    publish(lists, a_sheet(E0493a={"limit": "3 wh"}), clock.now(), effective_from=tomorrow)

    publish(lists, a_sheet(E0493a={"limit": "4 wh"}), clock.now())

    assert limit(lists, None) == 4 * HOUR
    clock.advance(timedelta(days=2))
    assert limit(lists, None) == 4 * HOUR


def test_a_countys_limits_are_its_own(lists: Categories, clock: FixedClock) -> None:
    publish(lists, SLOWER, clock.now(), scope=COUNTY)

    assert limit(lists, COUNTY) == 4 * HOUR
    assert limit(lists, NEIGHBOUR) == 2 * HOUR
    assert limit(lists, None) == 2 * HOUR
    assert lists.current(COUNTY).version == "1+411503.1"
    assert lists.current(NEIGHBOUR) is first_version()


def test_two_counties_stand_side_by_side_over_a_new_list_of_the_city(
    lists: Categories, clock: FixedClock
) -> None:
    publish(lists, SLOWER, clock.now(), scope=COUNTY)
    publish(lists, [{"code": "E0493a", "enabled": "no"}], clock.now(), scope=NEIGHBOUR)
    publish(lists, a_sheet(E0493a={"limit": "3 wh"}, E0410={"limit": "3 wh"}), clock.now())

    assert limit(lists, COUNTY) == 4 * HOUR
    assert limit(lists, COUNTY, "E0410") == 3 * HOUR
    assert lists.current(NEIGHBOUR).find("E0493a") is None
    assert limit(lists, NEIGHBOUR) == 3 * HOUR, "no longer offered, but standing cases have it"
    assert limit(lists, None) == 3 * HOUR
    assert lists.edition() == "2+411502.1+411503.1"


def test_a_code_that_the_city_drops_is_dropped_by_its_counties_too(
    lists: Categories, clock: FixedClock
) -> None:
    publish(lists, SLOWER, clock.now(), scope=COUNTY)
    kept = [row for row in a_sheet() if row["code"] != "E0493a"]

    report = publish(lists, kept, clock.now())

    assert report.removed == ("E0493a",)
    assert lists.current(COUNTY).find("E0493a") is None
    assert lists.of("E0493a", "1+411503.1").resolve_within == 4 * HOUR


def test_a_case_remembers_its_list_and_its_clock(town: Town, clock: FixedClock) -> None:
    publish(town.categories, a_sheet(E0493a={"limit": "3 uh"}), clock.now())

    case = town.filed()

    assert (case.category_version, case.clock) == ("2", "continuous")
    assert case.due_at == clock.now() + 3 * HOUR
    report = get(ReportRow, case.member_id, case.report_id)
    assert report is not None
    assert report.category_version == "2"


def test_a_case_keeps_its_limit_and_its_clock_after_a_new_list_and_after_reopening(
    town: Town, clock: FixedClock
) -> None:
    rider = a_rider()
    case = town.filed(rider)
    publish(town.categories, a_sheet(E0493a={"limit": "3 uh", "zh": "单车乱停"}), clock.now())
    clock.advance(timedelta(minutes=20))

    town.act(town.officer, case, Action.CLAIM)
    resolved = town.resolve(town.case(case.case_id))
    clock.advance(timedelta(minutes=10))
    town.closing.verdict(
        rider, case.report_id, satisfied=False, comment=None, client_request_id="again"
    )

    again = town.case(case.case_id)
    assert again.rounds == 1
    # 10:30 in China: one and a half hours to noon, the rest after the break.
    assert again.due_at == town.working.deadline(clock.now(), 2 * HOUR, "working").at
    assert again.due_at != town.working.deadline(clock.now(), 3 * HOUR, "continuous").at
    assert (again.category_version, again.resolve_limit_s) == ("1", resolved.resolve_limit_s)
    assert town.categories.of(again.category, again.category_version).zh == (
        "共享单车（电瓶车）乱停放"
    )
    assert town.filed().category_version == "2"


def test_a_queue_counts_down_on_the_clock_of_each_case(town: Town, clock: FixedClock) -> None:
    listing = Listing(
        clock=clock, places=town.places, working=town.working, cursors=Cursors(b"k" * 32)
    )
    waiting = town.filed()
    publish(town.categories, a_sheet(E0493a={"limit": "4 uh"}), clock.now())
    running = town.filed()
    clock.advance(timedelta(hours=3))  # 13:00 in China: the break

    shown = listing.queue(town.officer, Queue()).items

    left = {item["id"]: item["remaining_seconds"] for item in shown}
    assert left == {waiting.case_id: 0, running.case_id: 3600}


def test_where_a_list_asks_for_no_photo_of_the_fix_none_is_needed(
    town: Town, clock: FixedClock
) -> None:
    before = town.claimed()
    publish(town.categories, a_sheet(E0493a={"after_photo": "no"}), clock.now())
    case = town.claimed()

    town.act(town.officer, case, Action.RESOLVE)
    with pytest.raises(Invalid, match=r"request\.invalid"):
        town.act(town.officer, before, Action.RESOLVE)

    assert town.case(case.case_id).status == Status.RESOLVED


def test_a_case_older_than_versions_belongs_to_the_first_list(
    town: Town, clock: FixedClock
) -> None:
    case = town.filed()
    CaseRow(case.case_id).update(
        actions=[CaseRow.category_version.remove(), CaseRow.clock.remove()]
    )
    publish(town.categories, a_sheet(E0493a={"limit": "3 uh"}), clock.now())

    old = town.case(case.case_id)
    town.act(town.officer, old, Action.CLAIM)
    town.resolve(town.case(case.case_id))

    assert town.categories.of(old.category, old.category_version) is first_version().of("E0493a")


def test_what_is_no_longer_offered_cannot_be_reported(town: Town, clock: FixedClock) -> None:
    publish(town.categories, [{"code": "E0493a", "enabled": "no"}], clock.now(), scope=COUNTY)

    with pytest.raises(Invalid, match=r"category\.unknown"):
        town.filed()


def test_a_report_joins_a_case_of_an_older_list_by_its_family(
    town: Town, clock: FixedClock
) -> None:
    case = town.filed()
    publish(town.categories, a_sheet(E0410={"family": "bicycles"}), clock.now())

    joined = town.filed(same_as=case.case_id)

    assert joined.reporter_count == 2


def test_a_report_under_a_new_list_still_costs_two_calls(town: Town, clock: FixedClock) -> None:
    publish(town.categories, SLOWER, clock.now(), scope=COUNTY)
    rider = a_rider()
    town.filed()
    command = town.a_report(rider)

    with metered() as cost:
        town.intake.submit(rider, command)

    assert cost.calls == ["BatchGetItem", "TransactWriteItems"]
    assert 0 < cost.writes <= 18


def test_an_old_list_is_read_once_in_a_processs_life(lists: Categories, clock: FixedClock) -> None:
    publish(lists, a_sheet(E0493a={"limit": "3 wh"}), clock.now())
    publish(lists, a_sheet(E0493a={"limit": "4 wh"}), clock.now())
    fresh = Categories(clock=clock)

    with metered() as cost:
        for _ in range(3):
            assert fresh.of("E0493a", "2").resolve_within == 3 * HOUR
            clock.advance(timedelta(days=1))

    assert cost.calls == ["BatchGetItem"]


def test_asking_again_costs_one_small_read_each_half_minute(
    lists: Categories, clock: FixedClock
) -> None:
    publish(lists, SLOWER, clock.now(), scope=COUNTY)
    lists.current(COUNTY)

    with metered() as cost:
        for _ in range(5):
            lists.current(COUNTY)
        clock.advance(HALF_A_MINUTE)
        for _ in range(5):
            lists.current(COUNTY)

    assert cost.calls == ["GetItem"]


def test_while_the_tables_are_away_the_known_list_goes_on_serving(
    lists: Categories, clock: FixedClock
) -> None:
    publish(lists, SLOWER, clock.now(), scope=COUNTY)
    lists.current(COUNTY)
    clock.advance(HALF_A_MINUTE)

    with never_sent("GetItem", times=50):
        assert limit(lists, COUNTY) == 4 * HOUR
        with pytest.raises(Unavailable):
            Categories(clock=clock).current(COUNTY)


def test_a_list_that_never_was_and_a_code_that_never_stood_there_are_unknown(
    lists: Categories,
) -> None:
    with pytest.raises(KeyError):
        lists.of("E0493a", "77")
    with pytest.raises(KeyError):
        lists.of("E7777", "1")


def test_a_published_list_can_be_read_in_the_tables_console(
    lists: Categories, clock: FixedClock
) -> None:
    publish(lists, SLOWER, clock.now(), scope=COUNTY)

    row = get(CategoryVersionRow, *key_of(COUNTY, 1))

    assert row is not None
    assert (row.rows, row.published_by, row.effective_from) == (SLOWER, "district", clock.now())


@pytest.mark.parametrize(
    ("label", "keys"),
    [
        ("1", (("city", 1), None)),
        ("12+411503.3", (("city", 12), ("411503", 3))),
    ],
)
def test_a_label_names_its_sheets(label: str, keys: object) -> None:
    assert keys_of(label) == keys
