"""``python -m infra.bench.duplicates``: the plain rule on the development seed."""

from __future__ import annotations

from infra.bench.duplicates.evaluation import DEVELOPMENT_SEED, baseline, evaluate
from infra.bench.duplicates.reports import labelled

if __name__ == "__main__":
    print("50 m and 72 h:", evaluate(labelled(DEVELOPMENT_SEED), baseline, 0.5))
