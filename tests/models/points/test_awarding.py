"""Awards under their limits, on a real engine: once each, and never past a cap, whoever races."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from infra.local.meter import Meter
from models.base.ids import new_id
from models.base.store import Refused, Transaction, change, get, query
from models.base.tables import Database, connection
from models.points import acts
from models.points.acts import RuleBook
from models.points.cap_tables import BudgetRow, CapRow
from models.points.checking import check_member
from models.points.entities import Act, EntryKind
from models.points.ledger import Ledger, transfer
from models.points.posting import Event, Posting
from models.points.reading import balances
from models.points.rule_sheets import first_book
from models.points.tables import EntryRow
from tests.support.faults import Killed, killed_at, lost_reply, never_sent
from tests.support.points import COUNTY, a_member_id, award_act, hold

NOON = datetime(2026, 3, 18, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _tables(database: Database) -> None:
    pass


@pytest.fixture
def member() -> Iterator[str]:
    """A member whose ledger must be sound whatever the test did, follow from its rules, and have
    used up just what his entries say."""
    member_id = a_member_id()
    yield member_id
    assert check_member(member_id) == ()
    points: Counter[str] = Counter()
    units: Counter[tuple[str, str]] = Counter()
    for row in query(EntryRow, member_id):
        rule = first_book().version(row.rule.replace("@2", "@1"))
        if rule is None:
            continue
        inputs = row.source["inputs"]
        if row.rule.endswith("@1"):
            assert acts.derive(rule, inputs) == inputs["granted"]
        points[inputs["day"]] += inputs["granted"] if rule.counts else 0
        if inputs["granted"] and not inputs.get("counted"):
            units[rule.group, inputs["day"]] += inputs.get("units", inputs["quantity"])
    rows: list[CapRow] = query(CapRow, member_id)
    assert +points == {f"{row.month}-{day}": n for row in rows for day, n in row.points.items()}
    assert units == {
        (group, f"{row.month}-{day}"): n
        for row in rows
        for group, days in row.acts.items()
        for day, n in days.items()
    }


def a_report(at: datetime = NOON, **changes: object) -> Act:
    return replace(Act(rule="report.first", at=at, grid_id="G1"), **changes)  # type: ignore[arg-type]


def limits(member_id: str) -> list[str | None]:
    return [row.source["inputs"].get("limit") for row in query(EntryRow, member_id)]


def a_campaign(budget: int) -> tuple[Ledger, str]:
    """A ledger whose first reports are paid from a budget, and the campaign's name."""
    name = new_id("cmp")
    first = first_book().at("report.first", NOON)
    rule = replace(first, version=2, campaign=name, budget_per_grid_day=budget)
    book = RuleBook({**first_book().versions, "report.first": (first, rule)})
    return Ledger(lambda: book), name


def test_an_entry_keeps_its_rule_and_all_that_its_amount_follows_from(member: str) -> None:
    award_act(member, a_report(severity="A"))

    (row,) = query(EntryRow, member)
    assert row.rule == "report.first@1"
    assert row.source == {
        "case_id": "case_1",
        "inputs": {
            "day": "2026-03-18",
            "quantity": 1,
            "severity": "A",
            "gross": 20,
            "totals": "totals@1",
            "granted": 20,
        },
    }


def test_the_sixth_report_of_a_day_posts_as_an_entry_of_zero_that_says_why(member: str) -> None:
    postings = [award_act(member, a_report()) for _ in range(6)]

    assert [posting.points for posting in postings] == [10] * 5 + [0]
    assert limits(member) == [None] * 5 + ["act_day"]
    row = transfer(postings[5].transfer_id)
    assert row is not None
    assert (row.points, row.gross) == (0, 10)


def test_first_and_early_reports_share_their_cap(member: str) -> None:
    rules = ["report.first", "report.early"] * 3

    granted = [award_act(member, replace(a_report(), rule=rule)).points for rule in rules]

    assert granted == [10] * 5 + [0]


def test_the_days_total_cuts_the_last_award_to_what_is_left(member: str) -> None:
    granted = [award_act(member, a_report(severity="A")).points for _ in range(3)]
    granted += [award_act(member, Act(rule="recheck.passed", at=NOON)).points]

    assert granted == [20, 20, 20, 0]
    assert limits(member)[-1] == "total_day"
    assert balances(member, NOON).available == 60


def test_an_act_that_brought_nothing_uses_nothing_up(member: str) -> None:
    for _ in range(3):
        award_act(member, a_report(severity="A"))
    award_act(member, Act(rule="station.check_in", at=NOON))

    row = get(CapRow, member, "2026-03")
    assert row is not None
    assert row.acts == {"report": {"18": 3}}
    assert row.points == {"18": 60}


def test_the_day_is_the_acts_in_china_and_not_that_of_the_posting(member: str) -> None:
    before_midnight = datetime(2026, 3, 31, 15, 59, 59, tzinfo=UTC)
    after = before_midnight + timedelta(seconds=1)

    for _ in range(5):
        award_act(member, a_report(before_midnight), now=after + DAY)
    refused = award_act(member, a_report(before_midnight), now=after + DAY * 60)
    granted = award_act(member, a_report(after), now=after)

    assert (refused.points, refused.limit, granted.points) == (0, "act_day", 10)
    march, april = get(CapRow, member, "2026-03"), get(CapRow, member, "2026-04")
    assert march is not None
    assert april is not None
    assert (march.points, april.points) == ({"31": 50}, {"01": 10})


def test_a_clock_that_is_ahead_counts_to_the_day_that_it_says(member: str) -> None:
    award_act(member, a_report(NOON + DAY), now=NOON)

    row = get(CapRow, member, "2026-03")
    assert row is not None
    assert row.points == {"19": 10}


def test_a_week_is_one_though_it_lies_in_two_months(member: str) -> None:
    """30 March 2026 is a Monday."""
    days = [datetime(2026, 3, 30, 4, tzinfo=UTC) + DAY * n for n in (0, 2, 6, 7)]

    granted = [award_act(member, Act(rule="activity.attended", at=at)).points for at in days]

    assert granted == [5, 5, 0, 5]
    assert limits(member) == [None, None, "act_week", None]


def test_twenty_check_ins_of_a_month_are_paid(member: str) -> None:
    first = datetime(2026, 3, 1, 4, tzinfo=UTC)

    granted = [
        award_act(member, Act(rule="station.check_in", at=first + DAY * n)).points
        for n in range(21)
    ]

    assert granted == [1] * 20 + [0]
    assert award_act(member, Act(rule="station.check_in", at=first + DAY * 31)).points == 1


def test_a_hardship_grant_comes_once_a_month_beside_all_other_points(member: str) -> None:
    for _ in range(3):
        award_act(member, a_report(severity="A"))
    grants = [award_act(member, Act(rule="hardship.grant", at=NOON)) for _ in range(2)]

    assert [grant.points for grant in grants] == [60, 0]
    row = get(CapRow, member, "2026-03")
    assert row is not None
    assert row.points == {"18": 60}


def test_of_eight_at_once_at_the_edge_of_a_cap_one_is_paid(member: str) -> None:
    for _ in range(4):
        award_act(member, a_report())

    with ThreadPoolExecutor(8) as threads:
        postings = list(threads.map(lambda _: award_act(member, a_report()), range(8)))

    assert sorted(posting.points for posting in postings) == [0] * 7 + [10]
    assert balances(member, NOON).available == 50
    assert limits(member).count("act_day") == 7


@pytest.mark.parametrize("fault", [lost_reply, never_sent])
def test_an_award_whose_request_went_wrong_counts_once(member: str, fault: object) -> None:
    with fault():  # type: ignore[operator]
        award_act(member, a_report())

    row = get(CapRow, member, "2026-03")
    assert row is not None
    assert (row.acts, row.points, row.version) == ({"report": {"18": 1}}, {"18": 10}, 1)


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("applied", [True, False])
def test_a_process_that_died_leaves_an_award_whole_or_not_begun(
    member: str, number: int, applied: bool
) -> None:
    transfer_id = f"{member}-a"
    with pytest.raises(Killed), killed_at(number, applied=applied):
        award_act(member, a_report(), transfer_id=transfer_id)

    again = award_act(member, a_report(), transfer_id=transfer_id)

    assert again.points == 10
    row = get(CapRow, member, "2026-03")
    assert row is not None
    assert row.points == {"18": 10}


def test_a_repeated_award_is_told_what_it_was_given_though_its_cap_is_full(member: str) -> None:
    first = award_act(member, a_report(), transfer_id=f"{member}-a")
    for _ in range(5):
        award_act(member, a_report())

    again = award_act(member, a_report(), transfer_id=f"{member}-a")

    assert (first.points, again.points, again.already) == (10, 10, True)


def test_a_rule_changed_between_act_and_posting_holds_for_later_acts_only(member: str) -> None:
    first = first_book().at("report.first", NOON)
    second = replace(first, version=2, points=15, effective_from=NOON + DAY)
    book = RuleBook({**first_book().versions, "report.first": (first, second)})
    ledger = Ledger(lambda: book)

    before = award_act(member, a_report(NOON), now=NOON + DAY * 2, ledger=ledger)
    after = award_act(member, a_report(NOON + DAY), now=NOON + DAY * 2, ledger=ledger)

    assert (before.points, after.points) == (10, 15)
    assert [row.rule for row in query(EntryRow, member)] == ["report.first@1", "report.first@2"]


def test_a_budget_pays_until_it_is_used_up_and_tomorrow_again(member: str) -> None:
    ledger, campaign = a_campaign(25)

    granted = [award_act(a_member_id(), a_report(), ledger=ledger).points for _ in range(3)]
    nothing = award_act(member, a_report(), ledger=ledger)
    elsewhere = award_act(member, a_report(grid_id="G2"), ledger=ledger)
    tomorrow = award_act(member, a_report(NOON + DAY), ledger=ledger)

    assert granted == [10, 10, 5]
    assert (nothing.points, nothing.limit) == (0, "budget")
    assert (elsewhere.points, tomorrow.points) == (10, 10)
    row = get(BudgetRow, campaign, "G1#2026-03-18")
    assert row is not None
    assert (row.rem, row.cap) == (0, 25)


def test_a_rush_never_overdraws_a_budget() -> None:
    ledger, campaign = a_campaign(35)

    with ThreadPoolExecutor(12) as threads:
        postings = list(
            threads.map(lambda _: award_act(a_member_id(), a_report(), ledger=ledger), range(12))
        )

    assert sorted(posting.points for posting in postings) == [0] * 8 + [5, 10, 10, 10]
    row = get(BudgetRow, campaign, "G1#2026-03-18")
    assert row is not None
    assert row.rem == 0


def test_acts_of_no_grid_share_a_budget(member: str) -> None:
    ledger, campaign = a_campaign(15)

    granted = [award_act(member, a_report(grid_id=None), ledger=ledger).points for _ in range(2)]

    assert granted == [10, 5]
    assert get(BudgetRow, campaign, "-#2026-03-18") is not None


def test_half_of_what_is_granted_repays_debt_and_not_of_what_was_refused(member: str) -> None:

    ledger = Ledger()
    owing = Event(
        member_id=member,
        county=COUNTY,
        transfer_id=f"{member}-owe",
        kind=EntryKind.CLAW_BACK,
        points=30,
        source={"inputs": {"quantity": 0, "gross": 0, "granted": 0}},
        now=NOON,
    )
    ledger.post(lambda: ledger.plan(owing, lambda _, __: {"iss:r@1": 30, "d": -30}))
    for _ in range(6):
        award_act(member, a_report())

    found = balances(member, NOON)
    assert (found.available, found.debt) == (25, 5)


@pytest.mark.parametrize(("budget", "units"), [(None, 8), (1000, 10)])
def test_an_award_costs_two_calls_and_no_more_than_fourteen_units(
    member: str, budget: int | None, units: int
) -> None:
    ledger = a_campaign(budget)[0] if budget else Ledger()
    award_act(member, a_report(), ledger=ledger)
    meter = Meter().watch(connection())

    award_act(member, a_report(), ledger=ledger)

    cost = meter.read()
    assert cost.operations == ("TransactGetItems", "TransactWriteItems")
    assert cost.write_units == units <= 14


def test_a_busy_month_of_caps_stays_below_one_kilobyte() -> None:
    days = {f"{day:02d}": 15 for day in range(1, 32)}
    groups = ("report", "report.joiner", "recheck.passed", "station.check_in")
    other = a_member_id()
    CapRow(
        other,
        "2026-03",
        version=1,
        points=days,
        acts={group: dict.fromkeys(days, 4) for group in groups},
        ttl=1,
    ).save()
    meter = Meter().watch(connection())

    award_act(other, a_report())

    assert meter.read().write_units == 8


def test_an_award_planned_on_caps_that_have_changed_is_refused() -> None:
    """The wallet's version tells it too; the row's own is the second guard."""
    other = a_member_id()
    award_act(other, a_report())
    ledger, tx = Ledger(), Transaction()
    ledger.plan_award(
        member_id=other,
        county=COUNTY,
        transfer_id=f"{other}-b",
        act=a_report(),
        now=NOON,
        matures_at=None,
        source={},
    ).add_to(tx)
    change(CapRow(other, "2026-03"), [CapRow.version.add(1)])

    with pytest.raises(Refused) as refused:
        tx.commit()

    assert refused.value.names == {"points.caps"}
    assert Posting.lost(refused.value)


def test_limits_of_one_member_are_nothing_to_another(member: str) -> None:
    for _ in range(6):
        award_act(a_member_id(), a_report())

    assert award_act(member, a_report()).points == 10


@pytest.mark.parametrize(("days", "kind"), [(0, "a"), (1, "p")])
def test_points_wait_only_for_a_day_that_is_still_to_come(
    database: Database, days: int, kind: str
) -> None:
    rider, ledger = a_member_id(), Ledger()

    ledger.post(
        lambda: ledger.plan_award(
            member_id=rider,
            county=COUNTY,
            transfer_id=new_id("trf"),
            act=a_report(),
            now=NOON,
            matures_at=NOON + timedelta(days=days),
            source={},
        )
    )

    (entry,) = query(EntryRow, rider)
    assert [name[0] for name in entry.legs if name[1] == ":"] == [kind]


def test_a_transfer_says_whether_the_caps_had_seen_the_act(database: Database) -> None:
    rider, ids = a_member_id(), [new_id("trf"), new_id("trf")]
    award_act(rider, a_report(), transfer_id=ids[0])
    award_act(rider, a_report(paid=4, counted=True), transfer_id=ids[1])

    held = hold(rider, 5).transfer_id

    rows = [transfer(transfer_id) for transfer_id in (*ids, held)]

    assert [row.counted for row in rows if row is not None] == [None, True, None]
