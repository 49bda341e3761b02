"""The labelled reports are what their docstrings state, and the same on every machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from statistics import mean

import pytest

from infra.bench.budgets import BUDGETS
from infra.bench.duplicates.evaluation import (
    DEVELOPMENT_SEED,
    REMEMBERED,
    Question,
    asked,
    baseline,
    evaluate,
    open_first,
    right_link,
)
from infra.bench.duplicates.reports import COUNT, Labelled, labelled
from infra.bench.duplicates.scoring import judge, judge_without_photos, measure
from models.base.geometry import distance_m
from models.cases.likeness import SAME_SCORE


@pytest.fixture(scope="module")
def bench() -> Labelled:
    return labelled(DEVELOPMENT_SEED)


@pytest.fixture(scope="module")
def questions(bench: Labelled) -> list[list[Question]]:
    return list(asked(bench))


def test_a_seed_always_gives_the_same_reports(bench: Labelled) -> None:
    again = labelled(DEVELOPMENT_SEED)

    assert len(bench.reports) == COUNT
    assert again.reports == bench.reports
    assert labelled(DEVELOPMENT_SEED + 1).reports != bench.reports


def test_phones_are_off_by_seven_to_thirteen_metres_and_say_about_so(bench: Labelled) -> None:
    things = {episode.number: episode.thing for episode in bench.episodes}
    lamps = [report for report in bench.reports if report.family == "lighting"]
    errors = [distance_m(things[report.episode].position, report.position) for report in lamps]
    within = [error <= report.accuracy_m + 5 for error, report in zip(errors, lamps, strict=True)]

    assert 7 <= mean(errors) <= 13
    assert 0.6 <= mean(within) <= 0.85


def test_ids_are_read_in_their_share_and_some_are_wrong(bench: Labelled) -> None:
    lamps = [report for report in bench.reports if report.family == "lighting"]
    things = {episode.number: episode.thing for episode in bench.episodes}
    read = [report for report in lamps if report.object_id]
    wrong = [report for report in read if report.object_id not in things[report.episode].ids]

    assert 0.4 <= len(read) / len(lamps) <= 0.6
    assert 0 < len(wrong) / len(read) <= 0.12
    assert not any(report.object_id for report in bench.reports if report.family == "waste")


def test_hashes_are_those_that_were_measured(
    bench: Labelled, questions: list[list[Question]]
) -> None:
    single = [q for asked_at in questions for q in asked_at if len(q.case.reports) == 1]
    known = [q for q in single if q.hamming is not None]
    same = [q for q in known if q.case.thing == q.report.thing]
    other = [q for q in known if q.case.thing != q.report.thing]

    assert 0.65 <= len(known) / len(single) <= 0.80
    assert 0.28 <= mean(q.hamming < 45 for q in same if q.hamming is not None) <= 0.42
    assert mean(q.hamming < 45 for q in other if q.hamming is not None) <= 0.06
    assert bench.hamming(bench.reports[0], bench.reports[1]) == bench.hamming(
        bench.reports[1], bench.reports[0]
    )


def test_what_came_back_is_the_case_fixed_last_and_nothing_older_than_three_days(
    questions: list[list[Question]],
) -> None:
    back = standing = 0
    for around in questions:
        assert all(q.report.at <= q.case.fixed_at + REMEMBERED for q in around)
        link = right_link(around)
        linked = next((q for q in around if q.case.number == link), None)
        if linked is None:
            continue
        assert linked.case.thing == linked.report.thing
        is_open = linked.case.number == linked.report.episode
        assert is_open == (linked.since_fixed is None)
        back, standing = back + (not is_open), standing + is_open

    assert back > 100
    assert standing > 1000


def test_different_things_of_one_family_stand_close_together(
    questions: list[list[Question]],
) -> None:
    crowded = Counter(
        q.report.family
        for around in questions
        for q in around
        if q.case.thing != q.report.thing
        and q.case.first.family == q.report.family
        and q.distance_m <= 50
        and q.age <= timedelta(hours=72)
    )

    assert set(crowded) >= {"parking", "waste", "lighting", "road"}


def test_the_plain_rule_is_neither_useless_nor_good_enough(bench: Labelled) -> None:
    found = evaluate(bench, baseline, 0.5)

    assert found.reports == COUNT
    assert found.made == pytest.approx(found.right / found.precision)
    assert 0.6 < found.precision < 0.97
    assert 0.6 < found.recall < 0.92


def test_a_judge_that_never_links_is_never_wrong_and_finds_nothing(bench: Labelled) -> None:
    found = evaluate(bench, lambda questions: [0.0] * len(questions), 0.5)

    assert (found.precision, found.recall) == (1.0, 0.0)


def test_a_judge_that_knows_the_labels_is_perfect(bench: Labelled) -> None:
    def oracle(around: Sequence[Question]) -> list[float]:
        link = right_link(around)
        return [float(question.case.number == link) for question in around]

    found = evaluate(bench, oracle, 0.5)

    assert (found.precision, found.recall) == (1.0, 1.0)


def test_the_scorer_beats_the_plain_rule_on_the_development_seed(bench: Labelled) -> None:
    plain, found = evaluate(bench, baseline, 0.1), evaluate(bench, judge, SAME_SCORE)
    without_photos = evaluate(bench, judge_without_photos, SAME_SCORE)

    assert found.precision >= 0.97 > plain.precision
    assert found.recall >= 0.92 > plain.recall
    assert found.precision > evaluate(bench, open_first, 0.1).precision
    assert without_photos.recall < found.recall


def test_the_figures_are_those_of_the_held_out_seed_and_have_budgets() -> None:
    found = measure()

    assert found == pytest.approx(
        {"duplicates.precision": 0.9760, "duplicates.recall": 0.9367}, abs=5e-5
    )
    assert found.keys() <= {budget.name for budget in BUDGETS}
