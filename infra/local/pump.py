"""The local pump: does what queues, streams and schedules do on AWS, until it is stopped.

With ``METER=1`` each run that did something logs what it cost; the jobs then take turns, so that
the figures of one are not another's.

It calls the very functions that ``chalice_app/app.py`` registers. Photo arrivals are files that
the photo store wrote before it answered; a file goes when its photo is dealt with, so a kill at
any point leaves either the file or the finished work.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from infra.local.meter import Meter

log = logging.getLogger("pump")

OUTBOX_EVERY_S = 0.2
PHOTOS_EVERY_S = 0.2
SCHEDULES_EVERY_S = 2.0
QUEUES_EVERY_S = 10.0
ROSTER_EVERY_S = 30.0
DAILY_S = 86_400.0

Job = Callable[[], "int | Mapping[str, int]"]
"""A job answers how much it did, in all or by kind."""


class Pump:
    """Runs each job on its own thread, with a pause between two runs."""

    def __init__(self, arrivals: Path, meter: Meter | None = None) -> None:
        self._arrivals = arrivals
        self._meter = meter
        self._turn = threading.Lock() if meter else contextlib.nullcontext()
        self._stopping = threading.Event()

    def run(self) -> None:
        """Work until ``stop``; a job that fails is logged and tried again."""
        from handlers.events import (
            appeals,
            calendar,
            digests,
            escalation,
            outbox,
            photos,
            queues,
            reconciliation,
            redemptions,
        )
        from handlers.events import roster as leavers

        jobs: list[tuple[str, float, Job]] = [
            ("outbox", OUTBOX_EVERY_S, outbox.on_schedule),
            ("photos", PHOTOS_EVERY_S, self.take_in_photos),
            ("escalation", SCHEDULES_EVERY_S, escalation.on_schedule),
            ("digests", SCHEDULES_EVERY_S, digests.on_schedule),
            ("redemptions", SCHEDULES_EVERY_S, redemptions.on_schedule),
            ("reminders", ROSTER_EVERY_S, redemptions.on_reminders),
            ("queues", QUEUES_EVERY_S, queues.on_schedule),
            ("checks", SCHEDULES_EVERY_S, photos.on_schedule),
            ("reconciliation", ROSTER_EVERY_S, reconciliation.on_schedule),
            ("roster", ROSTER_EVERY_S, leavers.on_schedule),
            ("calendar", DAILY_S, calendar.on_schedule),
            ("appeals", DAILY_S, appeals.on_schedule),
        ]
        threads = [threading.Thread(target=self._repeat, args=job, daemon=True) for job in jobs]
        for thread in threads:
            thread.start()
        self._stopping.wait()
        for thread in threads:
            thread.join(5)

    def stop(self) -> None:
        """Finish what is running and return from ``run``."""
        self._stopping.set()

    def take_in_photos(self) -> int:
        """Hand every waiting arrival to the photo function, as SQS would."""
        waiting = sorted(self._arrivals.glob("*.json")) if self._arrivals.exists() else []
        for path in waiting[:50]:
            with contextlib.suppress(FileNotFoundError):  # another pump was quicker
                _take_in(path)
        return len(waiting)

    def _repeat(self, name: str, pause_s: float, job: Job) -> None:
        while not self._stopping.is_set():
            try:
                with self._turn:
                    self._run(name, job)
            except Exception:  # the pump outlives a failing job, as AWS's schedules do
                log.exception("pump.job_failed", extra={"job": name})
                time.sleep(1)
            self._stopping.wait(pause_s)

    def _run(self, name: str, job: Job) -> None:
        before = self._meter.read() if self._meter else None
        started = time.perf_counter()
        answer = job()
        done = answer if isinstance(answer, int) else sum(answer.values())
        if self._meter and before and done:
            cost = self._meter.read().since(before)
            facts = {
                "job": name,
                "done": done,
                "calls": cost.calls,
                "write_units": cost.write_units,
                "ms": round((time.perf_counter() - started) * 1000, 1),
            }
            log.info("pump.job_done", extra=facts)


def _take_in(path: Path) -> None:
    from handlers.events import photos

    message = {"messageId": path.name, "body": path.read_text(encoding="utf-8")}
    answer = photos.on_queue({"Records": [message]})
    if not answer["batchItemFailures"]:
        path.unlink(missing_ok=True)


def main() -> None:
    """``python -m infra.local.pump ARRIVALS_DIRECTORY``; settings come from the environment."""
    from handlers import telemetry

    telemetry.set_up(service="pump", level=os.environ.get("LOG_LEVEL", "INFO"))
    pump = Pump(Path(sys.argv[1]), _meter() if os.environ.get("METER") == "1" else None)
    for stop_signal in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop_signal, lambda *_: pump.stop())
    log.info("pump.started", extra={"arrivals": json.dumps(sys.argv[1:])})
    pump.run()


def _meter() -> Meter:
    from handlers.wiring import services
    from models.base.tables import connection

    services()  # points the tables, so that the meter finds the connection
    return Meter().watch(connection())


if __name__ == "__main__":
    main()
