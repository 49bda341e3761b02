"""Under load the parts are killed one after the other, and started again at once.

Riders sign in, send photos and report, an officer claims their cases; each repeats his request
until it is acknowledged. Meanwhile API, pump, engine and photo store are killed (SIGKILL) in turn.
What was acknowledged is kept in a diary; ``losses`` then looks for every line of it.
"""

from __future__ import annotations

import itertools
import queue
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from infra.local.seed import roster
from infra.local.stack import ROOT, Stack
from infra.prove.phones import PATIENCE_S, NotAsPromisedError, Phone, Repeats, Sent, unlike
from models.base.geometry import Position

VICTIMS = ("api", "pump", "engine", "photos")
SPOT = Position(lon=114.0853, lat=32.1462)
LANES = 6
REPORTS_PER_RIDER = 4  # below the limit of five in ten minutes
_PHOTOS = ("DSCN0010.jpg", "DSCN0021.jpg", "landscape_6.jpg")
_NEARBY_DEGREES = 0.0003
_PUSHES = {"push_attempts": 200, "push_retry_gap_s": 1}
"""WeChat gives a push up after three tries, whoever was away; here it must not."""

Progress = Callable[[int], None]


@dataclass(slots=True)
class Diary:
    """What was acknowledged; ``failures`` are answers that no kill excuses."""

    kills: int = 0
    sent: list[Sent] = field(default_factory=list)
    claimed: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    repeats: Repeats = field(default_factory=Repeats)


class Storm:
    """Riders who never give up, and somebody who kills one part after the other."""

    def __init__(self, stack: Stack, *, kills: int, seed: int) -> None:
        self._stack = stack
        self._kills = kills
        self._random = random.Random(seed)
        self._photos = [(ROOT / "tests" / "photos" / name).read_bytes() for name in _PHOTOS]
        self._numbers = itertools.count(1)
        self._is_over = threading.Event()
        self._cases: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.diary = Diary()
        stack.control("configure", _PUSHES)
        self.officer = self._officer()

    def rage(self, progress: Progress) -> Diary:
        """Run until all kills are done and everybody has his answers."""
        riders = [self._thread(self._ride) for _ in range(LANES)]
        officer = self._thread(self._work)
        for victim in itertools.islice(itertools.cycle(VICTIMS), self._kills):
            time.sleep(self._random.uniform(0.1, 3.0))
            self._stack.kill_part(victim)
            time.sleep(self._random.uniform(0.0, 0.3))
            self._stack.start_part(victim)
            self.diary.kills += 1
            progress(self.diary.kills)
        self._is_over.set()
        for thread in riders:
            thread.join(4 * PATIENCE_S)
        self._cases.put(None)
        officer.join(4 * PATIENCE_S)
        if any(thread.is_alive() for thread in (*riders, officer)):
            self.diary.failures.append("somebody still waits for his answer")
        return self.diary

    def _ride(self) -> None:
        """One rider after the other, each with a few reports, as long as the storm lasts."""
        while not self._is_over.is_set():
            rider = Phone(self._stack, f"rider-{next(self._numbers)}", self.diary.repeats)
            rider.sign_in()
            rider.consent()
            for _ in range(REPORTS_PER_RIDER):
                sent = rider.report(unlike(self._random.choice(self._photos)), self._near())
                self.diary.sent.append(sent)
                self._cases.put(sent.case_id)
                if self._is_over.wait(self._random.uniform(0.3, 2.0)):
                    return

    def _work(self) -> None:
        """The officer claims every second case, so that claims and reports meet the same kills."""
        for number in itertools.count():
            case_id = self._cases.get()
            if case_id is None:
                return
            if number % 2 == 0:
                self.officer.claim(case_id, version=1)
                self.diary.claimed.append(case_id)

    def _thread(self, work: Callable[[], None]) -> threading.Thread:
        def guarded() -> None:
            try:
                work()
            except NotAsPromisedError as error:
                self.diary.failures.append(str(error))
            except Exception as error:  # a thread that ends unseen would prove nothing
                self.diary.failures.append(repr(error))

        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()
        return thread

    def _near(self) -> Position:
        return Position(
            lon=SPOT.lon + self._random.uniform(-_NEARBY_DEGREES, _NEARBY_DEGREES),
            lat=SPOT.lat + self._random.uniform(-_NEARBY_DEGREES, _NEARBY_DEGREES),
        )

    def _officer(self) -> Phone:
        """The officer of the spot's grid, who follows the service account."""
        officer = Phone(self._stack, "officer", self.diary.repeats)
        officer.sign_in()
        officer.bind(roster.demo_posts(SPOT)["officer"].phone)
        following = {"unionid": officer.unionid, "service_openid": service_openid(officer)}
        self._stack.control("follow", following)
        return officer


def service_openid(officer: Phone) -> str:
    """The officer's openid at the service account."""
    return f"s-{officer.openid}"
