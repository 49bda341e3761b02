"""Several commands at once, one request at a time: who goes on next is drawn at every request.

Each command runs in a thread of its own and holds the only baton while it runs, so nothing ever
happens at the same time and a seed gives the same order each time. Threads, because a command is
the product's plain code and can be stopped in the middle of a call in no other way that the
standard library has: commands nested within each other's requests would always end in the reverse
order of their beginning, which real ones do not, and greenlets would be one more package. Handing
the baton over costs two locks, some ten microseconds.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Iterable

Work = Callable[[], None]


class _Runner:
    def __init__(self, number: int) -> None:
        self.number = number
        self.turn = threading.Lock()
        self.turn.acquire()


class Baton:
    """``places`` commands run at once; ``place`` is the one that runs now (-1: none)."""

    def __init__(self, chance: random.Random, places: int) -> None:
        self._chance = chance
        self._runners = [_Runner(number) for number in range(places)]
        self._running: list[_Runner] = []
        self._works: deque[Work] = deque()
        self._ended = threading.Lock()
        self._ended.acquire()
        self._broken: BaseException | None = None
        self._is_over = False
        self.place = -1
        self._threads = [
            threading.Thread(target=self._run, args=(runner,), daemon=True)
            for runner in self._runners
        ]
        for thread in self._threads:
            thread.start()

    def play(self, works: Iterable[Work]) -> None:
        """Run all works, so many at once as there are places; raises what one of them raised."""
        self._works.extend(works)
        self._running = self._runners[: len(self._works)]
        if not self._running:
            return
        self._go_on()
        self._ended.acquire()
        broken, self._broken, self.place = self._broken, None, -1
        if broken is not None:
            raise broken

    def pass_on(self) -> None:
        """Called by a work before each of its requests: perhaps another one goes on first."""
        if len(self._running) < 2:
            return
        mine = self._runners[self.place]
        chosen = self._chance.choice(self._running)
        if chosen is not mine:
            self.place = chosen.number
            chosen.turn.release()
            mine.turn.acquire()

    def close(self) -> None:
        """End the threads."""
        self._is_over = True
        for runner in self._runners:
            runner.turn.release()
        for thread in self._threads:
            thread.join()

    def _go_on(self) -> None:
        chosen = self._chance.choice(self._running)
        self.place = chosen.number
        chosen.turn.release()

    def _run(self, runner: _Runner) -> None:
        while True:
            runner.turn.acquire()
            if self._is_over:
                return
            while self._works and self._broken is None:
                try:
                    self._works.popleft()()
                except BaseException as broken:
                    self._broken = broken
            self._works.clear()
            self._running = [one for one in self._running if one is not runner]
            if self._running:
                self._go_on()
            else:
                self._ended.release()
