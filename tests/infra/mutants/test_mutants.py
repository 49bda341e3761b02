"""Who survives must be excused; what is known is not asked again; a child tells the truth."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from infra.mutants import children, targets
from infra.mutants.mutants import ROOT, Fates, Trial, excuses, figures, plan
from infra.mutants.operators import Mutant, mutants

PATH = "models/points/rules.py"


def _mutant(number: int = 0) -> Mutant:
    return mutants(PATH, (ROOT / PATH).read_text(encoding="utf-8"))[number]


def _trial(number: int = 0) -> Trial:
    keys = (f"killed-{number}", f"alive-{number}")
    return Trial(mutant=_mutant(number), tests=("t",), timeout_s=1, keys=keys)


def _lived(tmp_path: Path, *, killed: int, alive: int) -> tuple[list[Trial], Fates]:
    trials = [_trial(number) for number in range(killed + alive)]
    fates = Fates(tmp_path / "cache.json")
    for number, trial in enumerate(trials):
        fates.keep(trial, is_killed=number < killed)
    return trials, fates


def test_a_survivor_that_is_not_listed_fails_and_a_listed_one_does_not(tmp_path: Path) -> None:
    trials, fates = _lived(tmp_path, killed=39, alive=1)

    unlisted = figures(trials, fates, [])
    listed = figures(trials, fates, [trials[-1].mutant.name])

    assert [figure.name for figure in unlisted if not figure.ok] == ["ledger.mutants_unexplained"]
    assert all(figure.ok for figure in listed)
    assert {figure.name: figure.value for figure in listed}["ledger.mutants_killed_percent"] == 97.5


def test_a_listed_survivor_is_not_counted_as_killed(tmp_path: Path) -> None:
    trials, fates = _lived(tmp_path, killed=9, alive=1)

    told = figures(trials, fates, [trials[-1].mutant.name])

    assert [f.name for f in told if not f.ok] == ["ledger.mutants_killed_percent"]


def test_a_run_that_was_cut_short_is_not_whole(tmp_path: Path) -> None:
    trials, fates = _lived(tmp_path, killed=20, alive=0)

    told = figures([*trials, _trial(30)], fates, [])

    assert [f.name for f in told if not f.ok] == ["ledger.mutants"]


def test_what_is_known_is_known_in_the_next_run_too(tmp_path: Path) -> None:
    (killed, alive), _ = _lived(tmp_path, killed=1, alive=1)

    again = Fates.read(tmp_path / "cache.json", is_fresh=False)

    assert (again.of(killed), again.of(alive), again.of(_trial(7))) == (True, False, None)
    assert Fates.read(tmp_path / "cache.json", is_fresh=True).known == {}


def test_a_mutant_is_asked_of_the_tests_that_run_its_line_the_quickest_first() -> None:
    mutant = next(one for one in map(_mutant, range(40)) if one.function == "merge")
    here, elsewhere = [PATH, mutant.line], [PATH, 1]
    met = {
        "seconds": {"slow": 2.0, "quick": 0.1, "other": 0.0},
        "lines": {"slow": [here], "quick": [here, elsewhere], "other": [elsewhere]},
    }

    (trial,) = plan([mutant], met)

    assert trial.tests == ("quick", "slow")


def test_a_constant_of_the_module_is_asked_of_whatever_runs_the_module() -> None:
    mutant = next(one for one in map(_mutant, range(40)) if not one.function)
    met = {"seconds": {"some": 1.0, "none": 0.1}, "lines": {"some": [[PATH, 500]], "none": []}}

    (trial,) = plan([mutant], met)

    assert trial.tests == ("some",)


def test_every_listed_survivor_is_a_mutant_of_today_with_a_reason() -> None:
    there = {
        one.name
        for path in targets.modules()
        for one in mutants(path, (ROOT / path).read_text(encoding="utf-8"))
    }

    assert sorted(set(excuses()) - there) == []


@pytest.mark.parametrize("entry", ['mutant = "m"\nreason = " "', 'mutant = "m"\nreason = "r"'])
def test_a_survivor_without_a_reason_or_listed_twice_is_refused(tmp_path: Path, entry: str) -> None:
    listed = tmp_path / "survivors.toml"
    listed.write_text(f"[[survivor]]\n{entry}\n" * 2, encoding="utf-8")

    with pytest.raises(ValueError, match="listed twice, or without a reason"):
        excuses(listed)


def test_a_child_notices_a_mutant_and_lets_the_product_as_it_is_pass() -> None:
    script = """
    from functools import partial
    from infra.mutants import children
    from infra.mutants.operators import mutated, mutants

    children.prepare()
    path = "models/points/rules.py"
    source = open(path, encoding="utf-8").read()
    wrong = next(m for m in mutants(path, source) if m.before.startswith("LIFETIME"))
    tests = ["tests/models/points/test_rules.py"]
    with children.in_memory() as folder:
        place = children.Place(folder)
        for tree in (source, mutated(source, wrong.number)):
            code = compile(tree, path, "exec")
            print(place.fork(partial(children.imported_anew, path, code, tests), 60))
    """

    assert _printed(script) == [str(children.SURVIVED), str(children.KILLED)]


def test_a_server_tries_one_function_after_the_other_and_says_which_it_cannot() -> None:
    script = """
    import ast, multiprocessing
    from infra.mutants import children
    from infra.mutants.operators import mutated, mutants

    if __name__ == "__main__":
        path = "models/points/rules.py"
        source = open(path, encoding="utf-8").read()
        wrong = next(m for m in mutants(path, source) if m.function == "release")
        file = "tests/models/points/test_rules.py"
        test = f"{file}::test_released_points_go_back_where_they_came_from"
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        with children.in_memory() as folder:
            process = multiprocessing.get_context("spawn").Process(
                target=children.serve, args=([file], folder, theirs)
            )
            process.start()
            for tree in (mutated(source, wrong.number), ast.parse(source)):
                ours.send((path, "release", tree, (test,), 60))
                print(ours.recv())
            ours.send(None)
            process.join()
    """

    assert _printed(script) == [str(children.KILLED), str(children.UNCHANGED)]


def _printed(script: str) -> list[str]:
    run = subprocess.run(
        [sys.executable, "-c", dedent(script)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.split()
