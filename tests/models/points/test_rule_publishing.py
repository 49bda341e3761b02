"""Rules are published whole or not at all, well before they hold, and hold everywhere at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from infra.local.engine import Engine
from models.base.clock import FixedClock
from models.base.errors import Conflict, Unavailable
from models.base.store import Transaction, query
from models.points.acts import RuleBook
from models.points.entities import Rule
from models.points.rule_publishing import Publication, Report, RulePublishing
from models.points.rule_sheets import FIRST, LEAD, LONGEST, PointRules, first_book, read_book
from models.points.rule_tables import RuleIndexRow, RuleRow, read_index
from tests.support.categories import own_tables
from tests.support.faults import counting, lost_reply, never_sent

DAY = timedelta(days=1)
SIX = {"rule": "report.first", "per_day": 6}


@pytest.fixture
def rules(engine: Engine, clock: FixedClock) -> PointRules:
    """The rules of a city of its own."""
    own_tables(engine.url, "point-rules")
    return PointRules(clock=clock)


def publish(
    rules: PointRules,
    clock: FixedClock,
    *drafts: Mapping[str, Any],
    dry_run: bool = False,
    guard: Any = None,
    **changes: Any,
) -> Report:
    asked: dict[str, Any] = {
        "rules": drafts,
        "actor": "city-desk",
        "effective_from": clock.now() + LEAD,
        **changes,
    }
    publishing = RulePublishing(rules, guard)
    return publishing.publish(Publication(**asked), clock.now(), dry_run=dry_run)


def wrong(report: Report) -> list[tuple[str, str, str]]:
    return [(one.rule, one.field, one.code) for one in report.wrong]


def versions(rule: str = "report.first") -> list[int]:
    return [int(row.version) for row in query(RuleRow, rule)]


def test_without_a_publication_the_rules_of_the_code_hold(
    rules: PointRules, clock: FixedClock
) -> None:
    assert rules.current() == first_book()
    assert RulePublishing(rules, None).standing(clock.now())[0] == 0


def test_a_version_holds_from_its_instant_for_acts_done_from_then_on(
    rules: PointRules, clock: FixedClock
) -> None:
    begins = clock.now() + LEAD

    report = publish(rules, clock, SIX)

    assert (report.revision, report.versions) == (1, {"report.first": 2})
    assert report.changed == {"report.first": {"per_day": [5, 6]}}
    book = rules.current()
    assert book.at("report.first", begins - timedelta(milliseconds=1)).per_day == 5
    held = book.at("report.first", begins)
    assert (held.version, held.per_day, held.points, held.group) == (2, 6, 10, "report")
    assert (held.published_by, held.published_at) == ("city-desk", clock.now())
    assert book.version("report.first@2") == held


def test_what_is_not_named_stays_as_it_holds_and_null_takes_a_cap_away(
    rules: PointRules, clock: FixedClock
) -> None:
    publish(rules, clock, SIX)
    publish(rules, clock, {"rule": "report.first", "points": 12, "per_day": None})

    held = rules.current().at("report.first", clock.now() + LEAD)
    assert (held.version, held.points, held.per_day, held.urgent_bonus) == (3, 12, None, 10)


def test_a_campaign_ends_by_itself(rules: PointRules, clock: FixedClock) -> None:
    spring = {
        "rule": "recheck.passed",
        "points": 6,
        "campaign": "spring-2026",
        "budget_per_grid_day": 60,
    }
    begins = clock.now() + LEAD

    report = publish(rules, clock, spring, effective_to=begins + DAY)

    assert set(report.changed["recheck.passed"]) == {
        *("points", "campaign", "budget_per_grid_day", "effective_to")
    }
    book = rules.current()
    held = [book.at("recheck.passed", begins + step).points for step in (DAY / 2, DAY)]
    assert held == [6, 3]


def test_a_dry_run_tells_the_same_and_writes_nothing(rules: PointRules, clock: FixedClock) -> None:
    tried = publish(rules, clock, SIX, dry_run=True)

    assert (versions(), read_index()) == ([], None)
    assert publish(rules, clock, SIX) == tried


def test_the_same_again_makes_no_version(rules: PointRules, clock: FixedClock) -> None:
    publish(rules, clock, SIX)

    again = publish(rules, clock, SIX)

    assert (again.revision, again.versions, versions()) == (1, {}, [2])


@pytest.mark.parametrize("fault", [lost_reply, never_sent])
def test_a_publication_whose_request_went_wrong_is_published_once(
    rules: PointRules, clock: FixedClock, fault: Any
) -> None:
    with fault():
        report = publish(rules, clock, SIX, based_on=0)

    assert versions() == [2]
    assert (report.revision, report.versions) == (1, {"report.first": 2})


def test_who_repeats_what_he_published_is_not_told_that_another_was_quicker(
    rules: PointRules, clock: FixedClock
) -> None:
    publish(rules, clock, SIX, based_on=0)

    assert publish(rules, clock, SIX, based_on=0).versions == {}


def test_of_several_rules_one_error_and_none_is_written_and_every_error_is_told(
    rules: PointRules, clock: FixedClock
) -> None:
    drafts = [
        SIX,
        {"rule": "report.early", "points": -1, "per_day": 1.5, "colour": "red"},
        {"rule": "report.joiner", "points": True, "counts": 1, "name_zh": " x", "name_en": 7},
        {"rule": "recheck.passed", "points": 1001, "urgent_bonus": None, "name_zh": "字" * 41},
        {"rule": "station.check_in", "budget_per_grid_day": 5},
        {"rule": "service.hour", "campaign": "x"},
        {"rule": "activity.attended", "cap_group": "Great Deeds", "campaign": "a\nb"},
        {"rule": "totals", "points": 5, "per_week": 1},
        {"rule": "report.last"},
        {"points": 5},
        {"rule": "hardship.grant"},
        {"rule": "hardship.grant"},
    ]

    report = publish(
        rules, clock, *drafts, actor="a b", effective_from=clock.now(), effective_to=clock.now()
    )

    assert versions() == []
    assert sorted(wrong(report)) == sorted(
        [
            ("", "actor", "field.invalid"),
            ("", "effective_from", "rule.too_early"),
            ("", "effective_to", "field.invalid"),
            ("report.early", "points", "field.too_small"),
            ("report.early", "per_day", "field.wrong_type"),
            ("report.early", "colour", "field.not_allowed"),
            ("report.joiner", "points", "field.wrong_type"),
            ("report.joiner", "counts", "field.wrong_type"),
            ("report.joiner", "name_zh", "field.invalid"),
            ("report.joiner", "name_en", "field.wrong_type"),
            ("recheck.passed", "points", "field.too_large"),
            ("recheck.passed", "urgent_bonus", "field.wrong_type"),
            ("recheck.passed", "name_zh", "field.too_long"),
            ("station.check_in", "campaign", "field.missing"),
            ("service.hour", "budget_per_grid_day", "field.missing"),
            ("activity.attended", "cap_group", "field.invalid"),
            ("activity.attended", "campaign", "field.invalid"),
            ("totals", "points", "field.not_allowed"),
            ("totals", "per_week", "field.not_allowed"),
            ("report.last", "rule", "rule.not_found"),
            ("None", "rule", "rule.not_found"),
            ("hardship.grant", "rule", "rule.named_twice"),
        ]
    )


def test_the_overall_caps_can_be_moved_and_not_taken_away(
    rules: PointRules, clock: FixedClock
) -> None:
    refused = publish(rules, clock, {"rule": "totals", "per_day": None})
    publish(rules, clock, {"rule": "totals", "per_day": 80})

    assert wrong(refused) == [("totals", "per_day", "field.missing")]
    assert rules.current().at("totals", clock.now() + LEAD).per_day == 80


def test_nothing_is_no_publication(rules: PointRules, clock: FixedClock) -> None:
    assert wrong(publish(rules, clock)) == [("", "rules", "field.missing")]


def test_a_rule_whose_name_is_no_text_is_unknown(rules: PointRules, clock: FixedClock) -> None:
    report = publish(rules, clock, {"rule": ["report.first"]})

    assert [(one.field, one.code) for one in report.wrong] == [("rule", "rule.not_found")]


def test_who_did_not_see_what_was_published_meanwhile_is_refused(
    rules: PointRules, clock: FixedClock
) -> None:
    publish(rules, clock, SIX, based_on=0)

    with pytest.raises(Conflict, match=r"rule\.published_meanwhile"):
        publish(rules, clock, {"rule": "report.first", "points": 11}, based_on=0)

    assert versions() == [2]


def test_publishers_who_race_are_each_judged_against_the_other(
    rules: PointRules, clock: FixedClock
) -> None:
    drafts = [{"rule": "report.first", "points": points} for points in range(11, 17)]

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda draft: publish(rules, clock, draft), drafts))

    assert versions() == [2, 3, 4, 5, 6, 7]
    assert read_book().at("report.first", clock.now() + LEAD).version == 7


class Judge:
    """A guard that refuses rules above some points, and joins with a row of its own."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.judged: list[str] = []
        self.joined = 0

    def of_rules(self, drafts: Sequence[Rule], _: datetime) -> Judge:
        self.judged += [draft.id for draft in drafts]
        self._broken = [draft.rule for draft in drafts if draft.points > self.most]
        return self

    def require(self) -> None:
        if self._broken:
            raise Conflict("solvency.refused", clauses=self._broken)

    def join(self, tx: Transaction) -> None:
        self.joined += 1


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_the_guard_refuses_is_not_published_and_a_dry_run_hears_it(
    rules: PointRules, clock: FixedClock, dry_run: bool
) -> None:
    judge, draft = Judge(50), {"rule": "report.first", "points": 51}

    with pytest.raises(Conflict) as refusal:
        publish(rules, clock, draft, guard=judge, dry_run=dry_run)

    assert refusal.value.details["clauses"] == ["report.first"]
    assert (judge.judged, versions()) == (["report.first@2"], [])


def test_what_the_guard_lets_pass_it_joins_and_what_changes_nothing_it_never_sees(
    rules: PointRules, clock: FixedClock
) -> None:
    judge = Judge(50)

    publish(rules, clock, SIX, guard=judge)
    publish(rules, clock, SIX, guard=judge)

    assert (judge.joined, judge.judged) == (1, ["report.first@2"])


def test_another_process_knows_a_version_before_it_holds(
    rules: PointRules, clock: FixedClock
) -> None:
    other = PointRules(clock=clock)
    other.current()
    publish(rules, clock, SIX)
    begins = clock.now() + LEAD

    clock.set(begins)

    assert other.current().at("report.first", begins).version == 2


def test_nobody_goes_on_with_rules_that_may_have_changed(
    rules: PointRules, clock: FixedClock
) -> None:
    rules.current()

    clock.advance(LONGEST)
    with never_sent("GetItem", times=1000):
        known = rules.current()
    clock.advance(timedelta(seconds=31))
    with never_sent("GetItem", times=1000), pytest.raises(Unavailable):
        rules.current()

    assert isinstance(known, RuleBook)
    assert rules.current() == first_book()
    assert LONGEST < LEAD


def test_what_a_process_has_read_it_does_not_read_again(
    rules: PointRules, clock: FixedClock
) -> None:
    publish(rules, clock, SIX)
    rules.current()
    publish(rules, clock, {"rule": "report.first", "points": 12})

    with counting() as asked:
        book = rules.current()

    assert [one.version for one in book.versions["report.first"]] == [FIRST, 2, 3]
    assert asked == ["GetItem", "GetItem", "BatchGetItem"]


def test_a_published_rule_reads_back_as_it_was_written(
    rules: PointRules, clock: FixedClock
) -> None:
    draft = {
        "rule": "recheck.passed",
        "points": 4,
        "urgent_bonus": 1,
        "per_day": 2,
        "per_week": 3,
        "per_month": 4,
        "counts": False,
        "cap_group": "looks",
        "budget_per_grid_day": 9,
        "campaign": "spring",
        "name_zh": "复拍",
        "name_en": "Look",
    }

    publish(rules, clock, draft, effective_to=clock.now() + DAY)

    held = rules.current().at("recheck.passed", clock.now() + LEAD)
    assert {name: getattr(held, name) for name in draft} == draft
    assert held.effective_to == clock.now() + DAY
    assert isinstance(read_index(), RuleIndexRow)
