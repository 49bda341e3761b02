"""``make mutants``: change the ledger and redemption in every small way; some test must notice.

Each mutant is asked of the tests that run its line, the quickest first. What is known is kept in
``build/mutants-cache.json`` under the text of the function: a run goes on where Ctrl-C ended one,
and asks again only what changed (a survivor also when the tests did; ``FRESH=1`` asks everything).
``SAMPLE`` takes so many at random, ``MODULES`` those whose path contains it.

Who survives must stand in ``survivors.toml`` with the reason. Figures go to ``build/mutants.json``.
"""

from __future__ import annotations

import ast
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
import tomllib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from infra.local.stack import ROOT
from infra.mutants import children, targets
from infra.mutants.operators import Mutant, function_lines, function_source, mutants, mutated
from infra.prove.figures import Figure, at_least, at_most, progress

OUTPUT = ROOT / "build" / "mutants.json"
CACHE = ROOT / "build" / "mutants-cache.json"
EXCUSES = ROOT / "infra" / "mutants" / "survivors.toml"
KILLED_PERCENT = 95
SEED = 20260318
SLOWER = 5
"""A mutant's tests may take so many times as long as they do without it: then it hangs."""
SHORTEST_S = 60.0
FIRST_TESTS = 30
"""Who outlives so many of his tests is asked the others when everybody has been asked these."""
_WORKERS = max(1, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A mutant, the tests that meet it, and under which names its fate is kept."""

    mutant: Mutant
    tests: tuple[str, ...]
    timeout_s: float
    keys: tuple[str, str]
    """If it was killed, and if it survived: only the second depends on the tests."""


@dataclass(slots=True)
class Fates:
    """What became of each mutant, kept over runs."""

    path: Path
    known: dict[str, bool] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, *, is_fresh: bool) -> Fates:
        """What was kept, or nothing."""
        if is_fresh or not path.exists():
            return cls(path)
        return cls(path, json.loads(path.read_text(encoding="utf-8")))

    def of(self, trial: Trial) -> bool | None:
        """Whether it was killed; None if that is not known."""
        killed, survived = trial.keys
        return True if killed in self.known else False if survived in self.known else None

    def keep(self, trial: Trial, *, is_killed: bool) -> None:
        """Note a fate and write all down."""
        self.known[trial.keys[0 if is_killed else 1]] = is_killed
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self.known), encoding="utf-8")
        fresh.replace(self.path)


def main() -> int:
    """Try every mutant, print who survived, and answer 0 when enough were killed."""
    found = _chosen([mutant for path in targets.modules() for mutant in _of(path)])
    trials = plan(found, _met_by())
    fates = Fates.read(CACHE, is_fresh=bool(os.environ.get("FRESH")))
    try:
        _try_all([trial for trial in trials if fates.of(trial) is None], fates, len(trials))
    except KeyboardInterrupt:
        print("\n已中断 interrupted: what is known is kept", file=sys.stderr)
        return 130
    finally:
        told = _told(trials, fates)
    return 0 if all(figure.ok for figure in told) else 1


def excuses(path: Path = EXCUSES) -> Mapping[str, str]:
    """Why each listed survivor may live, by its name. Raises ``ValueError`` without a reason."""
    listed = tomllib.loads(path.read_text(encoding="utf-8")).get("survivor", [])
    reasons = {str(one["mutant"]): str(one["reason"]).strip() for one in listed}
    if len(reasons) != len(listed) or not all(reasons.values()):
        raise ValueError("a survivor is listed twice, or without a reason")
    return reasons


def plan(found: Sequence[Mutant], met: Mapping[str, Any]) -> list[Trial]:
    """Which tests each mutant is asked of, the quickest first.

    Those that run its line; if that is none (a constant, or a statement of several lines), those
    that run its function, or anything of its module.
    """
    lines_by_test = {
        test: {(path, line) for path, line in lines} for test, lines in met["lines"].items()
    }
    quickest = sorted(lines_by_test, key=lambda test: met["seconds"][test])
    tests_digest = targets.tests_digest()
    trials = []
    for mutant in found:
        source = _source(mutant.module)
        wanted = [
            {(mutant.module, mutant.line)},
            {(mutant.module, line) for line in function_lines(source, mutant)},
        ]
        tests = next(
            (hit for lines in wanted if (hit := _meeting(quickest, lines_by_test, lines))), None
        ) or [t for t in quickest if any(path == mutant.module for path, _ in lines_by_test[t])]
        seconds = sum(met["seconds"][test] for test in tests)
        killed = targets.digest(mutant.name, function_source(source, mutant))
        trials.append(
            Trial(
                mutant=mutant,
                tests=tuple(tests),
                timeout_s=max(SHORTEST_S, SLOWER * seconds),
                keys=(killed, targets.digest(killed, tests_digest)),
            )
        )
    return trials


def figures(trials: Sequence[Trial], fates: Fates, excused: Iterable[str]) -> tuple[Figure, ...]:
    """What is written down of the mutants whose fate is known."""
    killed = sum(fates.of(trial) is True for trial in trials)
    alive = {trial.mutant.name for trial in trials if fates.of(trial) is False}
    share = 100 * killed / max(1, killed + len(alive))
    unexplained = len(alive - set(excused))
    return (
        at_least("ledger.mutants", killed + len(alive), "mutants", len(trials)),
        at_least("ledger.mutants_killed_percent", round(share, 1), "%", KILLED_PERCENT),
        at_most("ledger.mutants_unexplained", unexplained, "mutants", 0),
    )


def _source(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _of(path: str) -> list[Mutant]:
    return mutants(path, _source(path))


def _chosen(found: Sequence[Mutant]) -> Sequence[Mutant]:
    wanted = os.environ.get("MODULES", "")
    kept = [mutant for mutant in found if wanted in mutant.module]
    size = int(os.environ.get("SAMPLE") or len(kept))
    return kept if size >= len(kept) else random.Random(SEED).sample(kept, size)


def _met_by() -> Mapping[str, Any]:
    """Which test runs which line; found anew when a module or a test has changed."""
    paths = targets.modules()
    name = targets.digest(targets.tests_digest(), *map(_source, paths))
    kept = ROOT / "build" / f"mutants-tests-{name}.json"
    if kept.exists():
        known: Mapping[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return known
    print("先跑一遍测试 which test meets which line: all of them once", file=sys.stderr)
    kept.parent.mkdir(parents=True, exist_ok=True)
    for old in kept.parent.glob("mutants-tests-*.json"):
        old.unlink()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder, context.Pool(1, _quietly) as pool:
        report = Path(folder) / "met.json"
        tests = [path.relative_to(ROOT).as_posix() for path in targets.test_files()]
        found = pool.apply(children.watched, (paths, tests, report))
    kept.write_text(json.dumps(found), encoding="utf-8")
    return found


def _meeting(
    tests: Sequence[str],
    lines_by_test: Mapping[str, set[tuple[str, int]]],
    lines: set[tuple[str, int]],
) -> list[str]:
    return [test for test in tests if lines_by_test[test] & lines]


class Tally:
    """Notes fates as they become known, and says how far it has come."""

    def __init__(self, fates: Fates, *, left: int, of: int) -> None:
        self._fates, self._left, self._of = fates, left, of
        self._show, self._began, self._done = progress(), time.monotonic(), 0
        self._lock = threading.Lock()

    def note(self, trial: Trial, *, is_killed: bool) -> None:
        with self._lock:
            self._fates.keep(trial, is_killed=is_killed)
            self._done += 1
            minutes = (time.monotonic() - self._began) / self._done * (self._left - self._done) / 60
            done = self._of - self._left + self._done
            self._show(f"{done}/{self._of} mutants, {minutes:.0f} min left")
            if not is_killed:
                print(f"\n  alive: {trial.mutant.name}", file=sys.stderr)


def _try_all(trials: Sequence[Trial], fates: Fates, of: int) -> None:
    tally = Tally(fates, left=len(trials), of=of)
    for trial in trials:
        if not trial.tests:
            tally.note(trial, is_killed=False)
    asked = [trial for trial in trials if trial.tests]
    random.Random(SEED).shuffle(asked)  # what is known when it is cut short is a fair sample
    with children.in_memory() as folder:
        of_functions = [trial for trial in asked if trial.mutant.function]
        at_import = _exchanging(of_functions, tally, folder)
        at_import += [trial for trial in asked if not trial.mutant.function]
        _importing(at_import, tally, folder)


def _importing(trials: Sequence[Trial], tally: Tally, folder: Path) -> None:
    """Try mutants in what is done at import."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(_WORKERS, _begin, (folder,)) as pool:
        if not all(pool.map(_sound, trials[:1])):
            raise RuntimeError("the tests fail without a mutant: nothing could be told")
        for number, is_killed in pool.imap_unordered(_try, list(enumerate(trials))):
            tally.note(trials[number], is_killed=is_killed)


def _exchanging(trials: Sequence[Trial], tally: Tally, folder: Path) -> list[Trial]:
    """Try mutants of functions; answer those whose change is in what is done at import."""
    at_import, lock = list[Trial](), threading.Lock()
    waiting = deque((trial, trial.tests[:FIRST_TESTS]) for trial in trials)

    def work(link: Connection) -> None:
        while True:
            with lock:
                if not waiting:
                    return
                trial, tests = waiting.popleft()
            tree = mutated(_source(trial.mutant.module), trial.mutant.number)
            answer = _ask(link, trial, tree, tests)
            if answer == children.UNCHANGED:
                at_import.append(trial)
            elif answer == children.SURVIVED and tests[-1] != trial.tests[-1]:
                waiting.append((trial, trial.tests[FIRST_TESTS:]))
            else:
                tally.note(trial, is_killed=answer != children.SURVIVED)

    workers = _WORKERS if trials else 0
    with _serving(workers, folder) as links, ThreadPoolExecutor(_WORKERS) as threads:
        answers = (
            _ask(links[0], trial, _as_if_changed(trial), trial.tests[:FIRST_TESTS])
            for trial in trials
        )
        if next((a for a in answers if a != children.UNCHANGED), 0) != children.SURVIVED:
            raise RuntimeError("the tests fail without a mutant: nothing could be told")
        try:
            list(threads.map(work, links))
        except KeyboardInterrupt:
            waiting.clear()
            raise
    return at_import


def _ask(link: Connection, trial: Trial, tree: ast.Module, tests: Sequence[str]) -> int:
    mutant = trial.mutant
    link.send((mutant.module, mutant.function, tree, tests, trial.timeout_s))
    answer: int = link.recv()
    return answer


def _as_if_changed(trial: Trial) -> ast.Module:
    """The module as it is, but for a line that says nothing, so that its code is exchanged."""
    tree = ast.parse(_source(trial.mutant.module))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body.append(ast.Pass(lineno=node.end_lineno, col_offset=node.col_offset))
    return ast.increment_lineno(ast.fix_missing_locations(tree))


@contextmanager
def _serving(count: int, folder: Path) -> Iterator[list[Connection]]:
    """Processes that have collected the tests, each behind a link."""
    context = multiprocessing.get_context("spawn")
    tests = [path.relative_to(ROOT).as_posix() for path in targets.test_files()]
    links, processes = [], []
    for _ in range(count):
        ours, theirs = context.Pipe()
        process = context.Process(target=children.serve, args=(tests, folder, theirs), daemon=True)
        process.start()
        theirs.close()  # so that its end is noticed
        links.append(ours)
        processes.append(process)
    try:
        yield links
        for link in links:
            link.send(None)
        for process in processes:
            process.join(20)
    finally:
        for process in processes:
            process.kill()


_place: children.Place


def _begin(folder: Path) -> None:
    """Prepare a process of the pool."""
    global _place
    _quietly()
    _place = children.Place(folder)


def _quietly() -> None:
    """Leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    children.prepare()


def _sound(trial: Trial) -> bool:
    """Whether the tests pass with the module as it is, asked in the same way as of a mutant."""
    return not _is_killed(trial, ast.parse(_source(trial.mutant.module)), trial.tests[:3])


def _try(numbered: tuple[int, Trial]) -> tuple[int, bool]:
    number, trial = numbered
    tree = mutated(_source(trial.mutant.module), trial.mutant.number)
    return number, _is_killed(trial, tree, trial.tests)


def _is_killed(trial: Trial, tree: ast.Module, tests: Sequence[str]) -> bool:
    path = trial.mutant.module
    code = compile(tree, str(ROOT / path), "exec")
    ask = partial(children.imported_anew, path, code, tests)
    return _place.fork(ask, trial.timeout_s) != children.SURVIVED


def _told(trials: Sequence[Trial], fates: Fates) -> tuple[Figure, ...]:
    """Print and write what is known."""
    excused = excuses()
    told = figures(trials, fates, excused)
    alive = [trial.mutant for trial in trials if fates.of(trial) is False]
    print(file=sys.stderr)
    for mutant in alive:
        mark = "·" if mutant.name in excused else "✗ not in survivors.toml:"
        print(f"{mark} {mutant.name} (line {mutant.line})")
    for figure in told:
        print(f"{'✓' if figure.ok else '✗'} {figure.name} {figure.value:g} {figure.unit}")
    _write(told, alive, excused)
    return told


def _write(told: Sequence[Figure], alive: Sequence[Mutant], excused: Mapping[str, str]) -> None:
    content = {
        "figures": [asdict(figure) for figure in told],
        "survivors": [
            {"mutant": mutant.name, "line": mutant.line, "reason": excused.get(mutant.name)}
            for mutant in alive
        ],
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=2, ensure_ascii=False)
    OUTPUT.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
