"""Ask several partitions at once: as long as the slowest, not as long as all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

MAX_THREADS = 16

_Result = TypeVar("_Result")


def together(calls: Sequence[Callable[[], _Result]]) -> list[_Result]:
    """Run independent reads at the same time; answers in their order, raises the first error."""
    if len(calls) < 2:
        return [call() for call in calls]
    with ThreadPoolExecutor(max_workers=min(MAX_THREADS, len(calls))) as pool:
        return list(pool.map(lambda call: call(), calls))
