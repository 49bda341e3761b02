"""``python -m infra.bench.duplicates [seed]``: the judges beside each other, by default on the
development seed; the held-out seed is for ``make bench``."""

from __future__ import annotations

import sys

from infra.bench.duplicates.evaluation import (
    DEVELOPMENT_SEED,
    baseline,
    evaluate,
    open_first,
)
from infra.bench.duplicates.reports import labelled
from infra.bench.duplicates.scoring import judge, judge_without_photos
from models.cases.likeness import SAME_SCORE

if __name__ == "__main__":
    bench = labelled(int(sys.argv[1]) if len(sys.argv) > 1 else DEVELOPMENT_SEED)
    print("50 m and 72 h  ", evaluate(bench, baseline, 0.1))
    print("   open first  ", evaluate(bench, open_first, 0.1))
    print("likeness       ", evaluate(bench, judge, SAME_SCORE))
    print("without photos ", evaluate(bench, judge_without_photos, SAME_SCORE))
