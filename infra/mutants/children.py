"""One mutant in one child: a fork in which the core is another, and the tests that meet it.

A function is changed in a fork of a process that has collected all tests already: its code is
exchanged, so that everybody who holds the function has the other one. What a module does while it
is imported (a constant, a default) is changed in a fork of a process that has not imported the core
yet: it takes in the changed module under its own name, and then the tests.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

from infra.local import engine as engines
from infra.local.stack import ROOT

OPTIONS = (
    *("-o", "addopts=", "--import-mode=importlib", "-x", "-q", "--no-header", "--no-summary"),
    *("-p", "no:cacheprovider", "-p", "xdist.plugin"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
SURVIVED, KILLED, UNCHANGED = 0, 1, 7
"""What a child answers. The last: the change is in what is done once, at import."""


def name_of(path: str) -> str:
    """A module's dotted name."""
    return path.removesuffix(".py").replace("/", ".")


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module another code."""

    def __init__(self, path: str, code: CodeType) -> None:
        self._path, self._name, self._code = path, name_of(path), code

    def find_spec(self, name: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(name, ROOT / self._path, loader=self)

    def create_module(self, spec: object) -> None:
        return None

    def exec_module(self, module: Any) -> None:
        exec(self._code, module.__dict__)


class Quick:
    """Prepares the tests: Hypothesis does not shrink what it found, and looks at fewer examples."""

    def pytest_collection(self) -> None:
        quick = settings(
            settings.get_profile("ci"),
            phases=(Phase.explicit, Phase.generate),
            max_examples=40,
            database=None,
        )
        settings.register_profile("quick", quick)
        settings.load_profile("quick")


class Watch:
    """Notes which lines of which modules each test runs, and how long it takes."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._path_by_file = {str(ROOT / path): path for path in paths}
        self._lines: set[tuple[str, int]] = set()
        self.lines_by_test: dict[str, set[tuple[str, int]]] = {}
        self.seconds_by_test: dict[str, float] = {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._lines = set()
        threading.settrace(self._trace)
        sys.settrace(self._trace)
        yield
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
        self.lines_by_test[item.nodeid] = self._lines

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        before = self.seconds_by_test.get(report.nodeid, 0.0)
        self.seconds_by_test[report.nodeid] = before + report.duration
        if report.failed:
            print(f"\n✗ {report.nodeid}\n{report.longreprtext}", file=sys.stderr)

    def _trace(self, frame: Any, event: str, _: Any) -> Any:
        path = self._path_by_file.get(frame.f_code.co_filename)
        if path is None:
            return None
        lines = self._lines

        def line(inner: Any, what: str, _: Any) -> Any:
            lines.add((path, inner.f_lineno))
            return line

        lines.add((path, frame.f_lineno))
        return line


@contextlib.contextmanager
def in_memory() -> Iterator[Path]:
    """A folder that is gone afterwards, in memory where there is such a place."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


class Place:
    """A part of a folder with an engine's file of empty tables; every child gets a copy of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / str(os.getpid())
        self._empty = self._folder / "empty.db"
        engine = engines.Engine(path=self._empty).start()
        engines.create_tables(engine.url)
        engine.stop()

    def fork(self, ask: Callable[[], int], timeout_s: float) -> int:
        """What a child answers; it is gone afterwards, with its engine.

        One that does not come to an end is as good as one that failed.
        """
        own = self._folder / "own"
        child = os.fork()
        if child == 0:
            os._exit(self._in_child(ask, own, timeout_s))
        _, status = os.waitpid(child, 0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # the engine that a killed child could not stop
        shutil.rmtree(own, ignore_errors=True)
        return os.waitstatus_to_exitcode(status)

    def _in_child(self, ask: Callable[[], int], own: Path, timeout_s: float) -> int:
        os.setpgid(0, 0)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, timeout_s)
        self._quicken_engines(own)
        try:
            return ask()
        except BaseException:
            return KILLED

    def _quicken_engines(self, own: Path) -> None:
        """Tables stand already, and an engine ends with the child's group."""
        own.mkdir()
        start, popen = engines.Engine.start, subprocess.Popen
        numbers = itertools.count()

        def started(engine: engines.Engine) -> engines.Engine:
            engine._path = own / f"{next(numbers)}.db"
            shutil.copy(self._empty, engine._path)
            return start(engine)

        def within(*arguments: Any, **options: Any) -> Any:
            return popen(*arguments, **{**options, "start_new_session": False})

        changed: Any = engines
        changed.Engine.start = started
        changed.subprocess.Popen = within
        changed.create_tables = lambda *_: 0


class Server:
    """Tries one mutant after the other in forks of a process that has collected the tests."""

    def __init__(self, place: Place, link: Connection) -> None:
        self._place = place
        self._link = link

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        while (asked := self._link.recv()) is not None:
            path, function, tree, tests, timeout_s = asked
            code = compile(tree, str(ROOT / path), "exec")
            wanted = [items[test] for test in tests]
            ask = partial(_exchanged, path, function, code, wanted)
            self._link.send(self._place.fork(ask, timeout_s))
        return True


def serve(tests: Sequence[str], folder: Path, link: Connection) -> None:
    """Run a server until it is sent None; nobody else may have imported the core before."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare()
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    place = Place(folder)
    pytest.main([*OPTIONS, "--capture=no", *tests], plugins=[Quick(), Server(place, link)])


def _exchanged(path: str, function: str, code: CodeType, items: Sequence[pytest.Item]) -> int:
    """Exchange a function's code and run tests until one fails; for a child."""
    if not exchange(sys.modules[name_of(path)], function, code):
        return UNCHANGED
    for item, following in itertools.zip_longest(items, items[1:]):
        if any(report.failed for report in runtestprotocol(item, log=False, nextitem=following)):
            return KILLED
    return SURVIVED


def exchange(owner: Any, function: str, code: CodeType) -> bool:
    """Give a function (``Class.method`` of its module) the code that a module's code has for it.

    False, and nothing is changed, where that is the same: the change is in what is done once, while
    the module is imported.
    """
    for name in function.split("."):
        inner = [one for one in code.co_consts if getattr(one, "co_name", None) == name]
        if not inner:
            return False
        code = inner[0]
        owner = _plain(inspect.getattr_static(owner, name))
        if isinstance(owner, FunctionType):
            if owner.__code__ == code:
                return False
            owner.__code__ = code
            return True
    return False


def _plain(found: Any) -> Any:
    """The function behind a property, a static or class method, or a decorator."""
    found = found.fget if isinstance(found, property) else found
    found = found.__func__ if isinstance(found, staticmethod | classmethod) else found
    return inspect.unwrap(found) if callable(found) and not isinstance(found, type) else found


def imported_anew(path: str, code: CodeType, tests: Sequence[str]) -> int:
    """Run tests that import a changed module; for a child of a process without the core."""
    sys.meta_path.insert(0, Mutated(path, code))
    return SURVIVED if run(tests) == pytest.ExitCode.OK else KILLED


def prepare() -> None:
    """Import what every child needs and no mutant changes. Raises ``RuntimeError`` if one does."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # one of them takes a second to import

    import boto3  # noqa: F401
    import botocore.httpsession  # noqa: F401
    import hypothesis.strategies  # noqa: F401
    import pynamodb.models
    import pynamodb.transactions  # noqa: F401
    import yaml  # noqa: F401

    import models.base.store
    import models.people.entities  # noqa: F401

    loaded = [name for name in sys.modules if name.startswith(("models.points", "models.rewards"))]
    if loaded:
        raise RuntimeError(f"imported too early: {loaded}")


def run(tests: Sequence[str], *plugins: object) -> int:
    """Run tests in this process, which is a child's: 0 when all passed."""
    return int(pytest.main([*OPTIONS, *tests], plugins=[Quick(), *plugins]))


def watched(paths: Sequence[str], tests: Sequence[str], report: Path) -> Mapping[str, Any]:
    """What each test runs, found in a child: ``{"seconds": by test, "lines": by test}``.

    Raises ``RuntimeError`` when a test fails without any mutant.
    """
    child = os.fork()
    if child == 0:
        watch = Watch(paths)
        with contextlib.redirect_stdout(sys.stderr):
            result = run(tests, watch)
        lines = {test: sorted(found) for test, found in watch.lines_by_test.items()}
        content = {"seconds": watch.seconds_by_test, "lines": lines}
        report.write_text(json.dumps(content), encoding="utf-8")
        os._exit(int(result))
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError("the tests fail without a mutant")
    found: Mapping[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found
