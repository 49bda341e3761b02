"""A list is published whole or not at all, once, and only where it fits what stands."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from infra.local.engine import Engine
from models.base.clock import FixedClock
from models.base.errors import Conflict, Unavailable
from models.base.store import query
from models.cases.categories import Categories, first_sheet
from models.cases.category_tables import CategoryVersionRow, read_index
from models.cases.publishing import Publishing, Report
from models.cases.versions import CITY
from tests.support.cases import COUNTY
from tests.support.categories import Row, a_row, a_sheet, own_tables, publish
from tests.support.faults import lost_reply, never_sent

SLOWER = [{"code": "E0493a", "limit": "4 wh"}]


@pytest.fixture
def lists(engine: Engine, clock: FixedClock) -> Categories:
    """The lists of a city of its own."""
    own_tables(engine.url, "category-versions")
    return Categories(clock=clock)


def versions(scope: str = CITY) -> list[str]:
    """The versions of a scope that were written."""
    return [row.version for row in query(CategoryVersionRow, scope)]


def wrong(report: Report) -> list[tuple[int, str, str, str | None]]:
    return [(one.error.row, one.error.column, one.error.code, one.county) for one in report.wrong]


def test_a_report_tells_what_is_added_changed_and_removed(
    lists: Categories, clock: FixedClock
) -> None:
    sheet = a_sheet(E0493a={"limit": "3 wh", "words": ""})[:-1]
    sheet.append({**a_row("E0410"), "code": "E9901"})

    report = publish(lists, sheet, clock.now())

    assert (report.version, report.is_new) == (2, True)
    assert (report.added, report.removed) == (("E9901",), ("X9901",))
    assert report.changed == {"E0493a": ["limit", "words"]}


def test_a_dry_run_tells_the_same_and_writes_nothing(lists: Categories, clock: FixedClock) -> None:
    sheet = a_sheet(E0493a={"limit": "3 wh"})

    tried = publish(lists, sheet, clock.now(), dry_run=True)

    assert (versions(), read_index()) == ([], None)
    assert publish(lists, sheet, clock.now()) == tried
    assert versions() == ["00002"]


def test_one_error_and_nothing_is_written(lists: Categories, clock: FixedClock) -> None:
    report = publish(lists, a_sheet(E0410={"limit": "soon"}), clock.now())

    assert wrong(report) == [(4, "limit", "field.not_allowed", None)]
    assert (report.is_new, report.version) == (False, 1)
    assert (versions(), read_index()) == ([], None)


def test_the_same_content_twice_makes_no_second_version(
    lists: Categories, clock: FixedClock
) -> None:
    sheet = a_sheet(E0493a={"limit": "3 wh"})
    publish(lists, sheet, clock.now())
    clock.advance(timedelta(days=1))

    again = publish(lists, sheet, clock.now())

    assert (again.version, again.is_new, again.changed) == (2, False, {})
    assert versions() == ["00002"]


def test_the_first_list_published_again_is_no_new_version(
    lists: Categories, clock: FixedClock
) -> None:
    report = publish(lists, [dict(row) for row in first_sheet()], clock.now())

    assert (report.version, report.is_new) == (1, False)
    assert versions() == []


def test_the_same_content_for_an_earlier_day_is_a_new_version(
    lists: Categories, clock: FixedClock
) -> None:
    sheet = a_sheet(E0493a={"limit": "3 wh"})
    publish(lists, sheet, clock.now(), effective_from=clock.now() + timedelta(days=9))

    sooner = publish(lists, sheet, clock.now())

    assert (sooner.version, sooner.is_new) == (3, True)
    assert lists.current(None).version == "3"


def test_a_countys_errors_stand_in_its_own_rows(lists: Categories, clock: FixedClock) -> None:
    sheet = [{"code": "E0410", "limit": "4 wh"}, {"code": "E0508", "severity": "C"}]

    report = publish(lists, sheet, clock.now(), scope=COUNTY)

    assert wrong(report) == [(3, "call_first", "category.danger_calls", None)]
    assert versions(COUNTY) == []


def test_a_countys_sheet_as_such_is_judged_first(lists: Categories, clock: FixedClock) -> None:
    sheet = [{"code": "E0410", "zh": "单车"}, {"code": "nothing"}]

    report = publish(lists, sheet, clock.now(), scope=COUNTY)

    assert wrong(report) == [
        (2, "zh", "column.not_local", None),
        (3, "code", "category.unknown", None),
    ]


def test_a_citys_list_that_breaks_a_countys_is_refused_and_says_whose(
    lists: Categories, clock: FixedClock
) -> None:
    publish(lists, [{"code": "E0410", "limit": "4 wh"}], clock.now(), scope=COUNTY)

    report = publish(lists, a_sheet(E0410={"severity": "B", "limit": "2 uh"}), clock.now())

    assert wrong(report) == [(4, "limit", "category.danger_waits", COUNTY)]
    assert versions() == []


def test_a_countys_sheet_must_also_fit_the_list_that_will_hold_later(
    lists: Categories, clock: FixedClock
) -> None:
    later = clock.now() + timedelta(days=3)
    serious = a_sheet(E0410={"severity": "B", "limit": "2 uh"})
    publish(lists, serious, clock.now(), effective_from=later)

    slower = [{"code": "E0410", "limit": "4 wh"}]
    report = publish(lists, slower, clock.now(), scope=COUNTY)

    assert wrong(report) == [(2, "limit", "category.danger_waits", None)]


def test_a_sheet_too_big_for_a_row_is_refused(lists: Categories, clock: FixedClock) -> None:
    words = {"words": "词" * 500, "words_en": "w" * 500, "table_row": "源" * 500}
    sheet = [{**a_row(featured=""), **words, "code": f"E{number:04d}"} for number in range(150)]

    report = publish(lists, sheet, clock.now())

    assert wrong(report) == [(1, "code", "sheet.too_long", None)]


def test_who_started_from_an_old_version_is_told(lists: Categories, clock: FixedClock) -> None:
    publish(lists, a_sheet(E0493a={"limit": "3 wh"}), clock.now(), based_on=1)

    with pytest.raises(Conflict, match="published_meanwhile") as refusal:
        publish(lists, a_sheet(E0493a={"limit": "4 wh"}), clock.now(), based_on=1)

    assert refusal.value.details == {"version": 2}
    assert versions() == ["00002"]


def test_a_lost_reply_publishes_once(lists: Categories, clock: FixedClock) -> None:
    with lost_reply():
        report = publish(lists, SLOWER, clock.now(), scope=COUNTY)

    assert report.version == 1
    assert versions(COUNTY) == ["00001"]


def test_away_nothing_is_published_and_the_next_attempt_is(
    lists: Categories, clock: FixedClock
) -> None:
    with never_sent(times=50), pytest.raises(Unavailable):
        publish(lists, SLOWER, clock.now(), scope=COUNTY)

    assert versions(COUNTY) == []
    assert publish(lists, SLOWER, clock.now(), scope=COUNTY).is_new


def test_of_publishers_who_race_each_makes_a_version_of_his_own(
    lists: Categories, clock: FixedClock
) -> None:
    drafts = [a_sheet(E0493a={"limit": f"{hours} wh"}) for hours in (3, 4, 5, 6)]

    def race(sheet: list[Row]) -> Report:
        return publish(Categories(clock=clock), sheet, clock.now())

    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(race, drafts))

    assert sorted(report.version for report in reports) == [2, 3, 4, 5]
    assert versions() == ["00002", "00003", "00004", "00005"]
    index = read_index()
    assert index is not None
    assert index.revision == 4
    winner = next(r for r in reports if r.version == 5)
    last = drafts[reports.index(winner)]
    assert Publishing(lists).newest(CITY, clock.now()) == (5, last)


def test_of_publishers_who_started_from_one_version_one_wins(
    lists: Categories, clock: FixedClock
) -> None:
    def race(hours: int) -> bool:
        sheet = a_sheet(E0493a={"limit": f"{hours} wh"})
        try:
            return publish(Categories(clock=clock), sheet, clock.now(), based_on=1).is_new
        except Conflict:
            return False

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(race, (3, 4, 5, 6)))

    assert won.count(True) == 1
    assert versions() == ["00002"]


def test_a_city_and_a_county_that_do_not_fit_never_both_stand(
    lists: Categories, clock: FixedClock
) -> None:
    serious = a_sheet(E0410={"severity": "B", "limit": "2 uh"})
    slower = [{"code": "E0410", "limit": "4 wh"}]

    def race(job: tuple[str, list[Row]]) -> Report:
        scope, sheet = job
        return publish(Categories(clock=clock), sheet, clock.now(), scope=scope)

    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(race, [(CITY, serious), (COUNTY, slower)]))

    assert [report.is_new for report in reports].count(True) == 1
    assert len(versions() + versions(COUNTY)) == 1
    assert lists.current(COUNTY).find("E0410") is not None


def test_the_newest_sheet_is_there_to_start_from(lists: Categories, clock: FixedClock) -> None:
    publishing = Publishing(lists)

    assert publishing.newest(CITY, clock.now()) == (1, first_sheet())
    assert publishing.newest(COUNTY, clock.now()) == (0, ())
    publish(lists, SLOWER, clock.now(), scope=COUNTY)
    assert publishing.newest(COUNTY, clock.now()) == (1, SLOWER)


def test_versions_long_past_leave_the_index(lists: Categories, clock: FixedClock) -> None:
    for hours in range(3, 23):
        publish(lists, a_sheet(E0493a={"limit": f"{hours} wh"}), clock.now())
        clock.advance(timedelta(days=1))

    index = read_index()
    assert index is not None
    assert [one["version"] for one in index.published[CITY]] == [20, 21]
    assert lists.of("E0493a", "7").resolve_within == timedelta(hours=8)
