"""The product's own judgement, asked the benchmark's questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from infra.bench.duplicates.evaluation import HELD_OUT_SEED, Question, evaluate
from infra.bench.duplicates.reports import Report, labelled
from models.cases.likeness import SAME_SCORE, Candidate, Seen, Spot, compare, together

_BIT_COUNT_ONLY = 0
"""The benchmark knows how far apart two hashes are, not what they are."""


def measure() -> dict[str, float]:
    """The figures by name, on the seed that nothing was tuned on."""
    found = evaluate(labelled(HELD_OUT_SEED), judge, SAME_SCORE)
    return {"duplicates.precision": found.precision, "duplicates.recall": found.recall}


def judge(questions: Sequence[Question]) -> list[float]:
    """With everything that the report and its photos tell: what officials see."""
    return _judged(questions, lambda question: question.hamming)


def judge_without_photos(questions: Sequence[Question]) -> list[float]:
    """Before any photo has been taken in: what the rider sees who is about to report."""
    return _judged(questions, lambda question: None)


def _judged(
    questions: Sequence[Question], hamming: Callable[[Question], int | None]
) -> list[float]:
    if not questions:
        return []
    report = questions[0].report
    cases = [_candidate(question, hamming(question)) for question in questions]
    seen = _seen(report, _spot(report), report.object_id, _BIT_COUNT_ONLY)
    return [likeness.score for likeness in compare(seen, cases, report.at)]


def _candidate(question: Question, hamming: int | None) -> Candidate:
    case = question.case
    spot = reduce(together, (_spot(report) for report in case.reports))
    return Candidate(
        seen=_seen(case.first, spot, case.object_id, None if hamming is None else 2**hamming - 1),
        created_at=case.first.at,
        fixed_at=case.fixed_at if question.since_fixed is not None else None,
    )


def _seen(report: Report, spot: Spot, object_id: str | None, dhash: int | None) -> Seen:
    return Seen(
        spot=spot,
        category=report.category,
        family=report.family,
        object_id=object_id,
        hashes=() if dhash is None else (dhash,),
    )


def _spot(report: Report) -> Spot:
    return Spot(position=report.position, accuracy_m=report.accuracy_m)
