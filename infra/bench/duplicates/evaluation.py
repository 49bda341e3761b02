"""How well a judge tells whether a report is about a thing that is reported already.

For every report, in the order of arrival, the *standing* cases around it (within 150 m) are those
of earlier reports that are not fixed, or were fixed at most 72 hours ago. Cases stand as if every
decision before had been right, so a mistake is counted once. The judge scores each; the highest
score that reaches its threshold is the link, and at most one is made.

*Labels.* The right link of a report is the standing case of the same thing's same problem, if
that is not fixed. Is the thing back within 72 hours of having been fixed, the right link is the
case last fixed: the same thing, though a new problem. Whether a link means *join* or *it is back*
is then known from the case's status and nothing to be guessed. Any other link is wrong.

*Precision* = right links / links made. *Recall* = right links / reports that have a right link.
A wrong link where a right one existed counts against both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from infra.bench.duplicates.reports import Labelled, Report
from models.base.geometry import cell_of, cells_within, distance_m

DEVELOPMENT_SEED = 20260301
"""The scorer was tuned on this one and on 11, 12 and 13."""
HELD_OUT_SEED = 77003
"""Nothing was ever tuned on it. It was looked at once, when the scorer stood: precision 0.976,
recall 0.937. It comes from the same generator, so it guards against tuning to chance, not against
a city that is unlike the generator."""
AROUND_M = 150.0
REMEMBERED = timedelta(hours=72)
BASELINE_M, BASELINE_AGE = 50.0, timedelta(hours=72)


@dataclass(slots=True, kw_only=True)
class Standing:
    """A case as it is known when the next report comes in: its place is its first report's."""

    number: int
    thing: int
    fixed_at: datetime
    reports: list[Report] = field(default_factory=list)

    @property
    def first(self) -> Report:
        return self.reports[0]

    @property
    def object_id(self) -> str | None:
        return next((report.object_id for report in self.reports if report.object_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A report and one standing case; ``hamming`` is the nearest of the case's photos."""

    report: Report
    case: Standing
    distance_m: float
    hamming: int | None

    @property
    def age(self) -> timedelta:
        """Since the last report of the case."""
        return self.report.at - self.case.reports[-1].at

    @property
    def since_fixed(self) -> timedelta | None:
        """None while the case is not fixed."""
        past = self.report.at - self.case.fixed_at
        return past if past > timedelta() else None


Judge = Callable[[Sequence[Question]], Sequence[float]]
"""Scores a report's questions together, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Counts over one seed."""

    reports: int
    due: int
    made: int
    right: int

    @property
    def precision(self) -> float:
        return self.right / self.made if self.made else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.due if self.due else 1.0

    def __str__(self) -> str:
        return (
            f"precision {self.precision:.4f}  recall {self.recall:.4f}"
            f"  ({self.reports} reports, {self.due} with a right link, {self.made} linked)"
        )


def evaluate(bench: Labelled, judge: Judge, threshold: float) -> Outcome:
    """Let a judge decide on every report of a benchmark."""
    due = made = right = 0
    for questions in asked(bench):
        answer = right_link(questions)
        link = _link(questions, judge, threshold)
        due += answer is not None
        made += link is not None
        right += link is not None and link == answer
    return Outcome(reports=len(bench.reports), due=due, made=made, right=right)


def baseline(questions: Sequence[Question]) -> list[float]:
    """The plain rule: within 50 m and 72 hours and of the same family; the nearest wins.

    *Source:* the duplicate radius of the project's rule table.
    """
    return [
        1 - question.distance_m / (2 * BASELINE_M)
        if question.distance_m <= BASELINE_M
        and question.age <= BASELINE_AGE
        and question.report.family == question.case.first.family
        else 0.0
        for question in questions
    ]


def open_first(questions: Sequence[Question]) -> list[float]:
    """The plain rule made less plain: what is not fixed goes first, then what was fixed last."""
    scores = []
    for question, score in zip(questions, baseline(questions), strict=True):
        since = question.since_fixed
        bonus = 1.0 if since is None else 0.5 * (1 - since / REMEMBERED)
        scores.append(score and score / 10 + bonus)
    return scores


def right_link(questions: Sequence[Question]) -> int | None:
    """The case that is the same thing: standing before fixed, then the one last fixed."""
    same = [question.case for question in questions if question.case.thing == question.report.thing]
    return max(same, key=lambda case: case.fixed_at).number if same else None


def asked(bench: Labelled) -> Iterator[list[Question]]:
    """Each report's questions, in the order of arrival."""
    cases: dict[int, Standing] = {}
    cells: dict[str, list[Standing]] = defaultdict(list)
    for report in bench.reports:
        around = [case for cell in cells_within(report.position, AROUND_M) for case in cells[cell]]
        yield [
            _question(bench, report, case, distance)
            for case in around
            if report.at <= case.fixed_at + REMEMBERED
            and (distance := distance_m(case.first.position, report.position)) <= AROUND_M
        ]
        case = cases.get(report.episode)
        if case is None:
            case = Standing(
                number=report.episode,
                thing=report.thing,
                fixed_at=bench.episodes[report.episode].fixed_at,
            )
            cases[report.episode] = case
            cells[cell_of(report.position)].append(case)
        case.reports.append(report)


def _question(bench: Labelled, report: Report, case: Standing, distance: float) -> Question:
    hashes = [bench.hamming(report, earlier) for earlier in case.reports]
    return Question(
        report=report,
        case=case,
        distance_m=distance,
        hamming=min((value for value in hashes if value is not None), default=None),
    )


def _link(questions: Sequence[Question], judge: Judge, threshold: float) -> int | None:
    scores = judge(questions)
    best = max(
        zip(scores, questions, strict=True),
        key=lambda pair: (pair[0], -pair[1].case.number),
        default=None,
    )
    return best[1].case.number if best and best[0] >= threshold else None
