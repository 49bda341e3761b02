"""A statement that was really exported is accepted offline; whatever is changed in it is found."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from handlers.http.points import shown_export
from infra.local.engine import Engine
from infra.prove import verify_statement
from models.base.clock import FixedClock
from models.base.paging import Cursors
from models.points.entities import EntryKind
from models.points.exporting import Exports
from models.points.ledger import Ledger
from models.points.posting import Event
from models.points.reconciliation import Reconciliation
from tests.support.ledgers import own_ledger
from tests.support.points import COUNTY, NOW, a_member_id, a_step, award, hold, mature

SCRIPT = Path(verify_statement.__file__)
Statement = dict[str, Any]


def _story(member: str) -> None:
    """Pending and matured points, a hold that was spent, one given back, points that ran out."""
    ledger = Ledger()
    award(member, 10, transfer_id=f"{member}-a", matures_at=NOW + timedelta(days=7))
    award(member, 25)
    mature(member, f"{member}-a")
    hold(member, 12, transfer_id=f"{member}-h")
    step = a_step(member, f"{member}-h")
    ledger.post(lambda: ledger.plan_settle(step, reward_id="理发"))
    hold(member, 3, transfer_id=f"{member}-i")
    back = a_step(member, f"{member}-i")
    ledger.post(lambda: ledger.plan_release(back))
    award(member, 7, matures_at=NOW + timedelta(days=9))
    hold(member, 2)
    award(member, 1, now=NOW + timedelta(days=800))


@pytest.fixture(scope="module")
def exported(engine: Engine) -> list[Statement]:
    """The statements of two members after a night, as the service answers them."""
    own_ledger(engine)
    members = [a_member_id() for _ in range(5)]
    for member in members:
        _story(member)
    Reconciliation(clock=FixedClock(NOW), page=2).run()
    award(members[0], 4, now=NOW + timedelta(days=800))
    exports = Exports(Cursors(b"k" * 32))
    return [json.loads(_text(shown_export(exports.piece(member)))) for member in members[:2]]


@pytest.fixture
def statement(exported: list[Statement]) -> Statement:
    return deepcopy(exported[0])


def _text(statement: Statement) -> str:
    return json.dumps(statement, ensure_ascii=False, separators=(",", ":"))


def _run(tmp_path: Path, *statements: Statement, root: str = "") -> tuple[int, str]:
    """Run the script as a rider would, far from our code; its status and what it says."""
    files = []
    for number, each in enumerate(statements):
        files.append(tmp_path / f"{number}.json")
        files[-1].write_text(_text(each), encoding="utf-8")
    asked = [sys.executable, "-I", SCRIPT, *files, *([f"--root={root}"] if root else [])]
    ran = subprocess.run(
        asked, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
    )
    return ran.returncode, ran.stdout + ran.stderr


def _verdict(text: bytes) -> str:
    """What the script says, without starting it anew."""
    try:
        return verify_statement.verify([json.loads(text)], "")
    except SystemExit as refused:
        return str(refused.code)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        return f"WRONG file: {error!r}"


def test_the_script_is_short_and_needs_nothing_but_python() -> None:
    source = SCRIPT.read_text(encoding="utf-8")
    imports = {line.split()[1] for line in source.splitlines() if line.startswith(("im", "from"))}

    assert len(source.splitlines()) <= 60
    assert imports <= sys.stdlib_module_names


def test_a_statement_as_exported_is_accepted(tmp_path: Path, statement: Statement) -> None:
    root = statement["root"]["root"]

    status, said = _run(tmp_path, statement, root=root)

    assert status == 0, said
    assert said.startswith("OK 11 lines, ")
    assert root in said


def _changed(line: int, old: str, new: str) -> Callable[[Statement], None]:
    def change(statement: Statement) -> None:
        body = statement["entries"][line - 1]["body"]
        assert old in body
        statement["entries"][line - 1]["body"] = body.replace(old, new)

    return change


def _without_line(number: int) -> Callable[[Statement], None]:
    return lambda statement: statement["entries"].pop(number - 1)


def _swapped(number: int) -> Callable[[Statement], None]:
    def change(statement: Statement) -> None:
        entries = statement["entries"]
        entries[number - 1], entries[number] = entries[number], entries[number - 1]

    return change


def _set(value: Any, *path: str) -> Callable[[Statement], None]:
    def change(statement: Statement) -> None:
        inner = statement
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = value

    return change


def _truncated(statement: Statement) -> None:
    """The last lines are gone, and wallet and balances are made to fit."""
    kept = statement["entries"][:3]
    legs: dict[str, int] = {}
    for entry in kept:
        for account, points in json.loads(entry["body"])["legs"].items():
            legs[account] = legs.get(account, 0) + points
    own = {account: n for account, n in legs.items() if n and account[:2] in ("a:", "p:")}
    statement["entries"] = kept
    sums = {"available": 35, "pending": 0, "held": 0, "debt": 0}
    statement["wallet"] = {
        "version": 3,
        "head": kept[-1]["hash"],
        "accounts": own,
        "balances": sums,
    }


def _rewritten(statement: Statement) -> None:
    """The first award is doubled and the whole chain hashed anew; only the root is not ours."""
    head = "0" * 64
    for entry in statement["entries"]:
        body = json.loads(entry["body"])
        body["rule"] = body["rule"].replace("@1", "@2")
        entry["body"] = json.dumps(body, sort_keys=True, ensure_ascii=False)
        entry["hash"] = head = verify_statement.sha(head, entry["body"])
    statement["wallet"]["head"] = head


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (_changed(2, '"iss:report.first@1":-25', '"iss:report.first@1":-95'), "line 2:"),
        (_changed(5, "理", "里"), "line 5:"),
        (_set(None, "entries"), "file:"),
        (_without_line(1), "line 1:"),
        (_without_line(4), "line 4:"),
        (_without_line(11), "line 11:"),
        (_swapped(6), "line 6:"),
        (_truncated, "root:"),
        (_rewritten, "root, line 10:"),
        (_set(11, "wallet", "balances", "debt"), "wallet:"),
        (_set("f" * 64, "root", "root"), "root, line 10:"),
        (_set("2026-03-19", "root", "day"), "root, line 10:"),
        (_set(9, "root", "version"), "root, line 9:"),
        (_set("mem_other", "member_id"), "line 1:"),
    ],
)
def test_what_was_tampered_with_is_found_and_the_place_named(
    tmp_path: Path, statement: Statement, change: Callable[[Statement], None], where: str
) -> None:
    change(statement)

    status, said = _run(tmp_path, statement)

    assert status == 1
    assert said.startswith(f"WRONG {where}"), said


def test_another_members_root_is_foreign(tmp_path: Path, exported: list[Statement]) -> None:
    mine = {**exported[0], "root": exported[1]["root"]}

    status, said = _run(tmp_path, mine)

    assert (status, said.startswith("WRONG root, line 10:")) == (1, True)


def test_a_root_that_is_not_the_published_one_is_found(
    tmp_path: Path, statement: Statement
) -> None:
    foreign = _run(tmp_path, statement, root="f" * 64)
    statement["root"] = None
    missing = _run(tmp_path, statement, root="f" * 64)

    assert (foreign[0], missing[0]) == (1, 1)
    assert foreign[1].startswith("WRONG root: not the published one")
    assert missing[1].startswith("WRONG root: it is missing")


def test_no_single_byte_can_be_changed_or_left_away(statement: Statement) -> None:
    text = _text(statement).encode()
    chance = random.Random(4)
    assert _verdict(text).startswith("OK")

    for place in range(len(text)):
        other = text[place] ^ 1 << chance.randrange(7)
        assert not _verdict(text[:place] + bytes([other]) + text[place + 1 :]).startswith("OK")
        assert not _verdict(text[:place] + text[place + 1 :]).startswith("OK")


def test_every_line_whose_text_is_changed_is_the_line_named(statement: Statement) -> None:
    for number, entry in enumerate(statement["entries"], start=1):
        changed = deepcopy(statement)
        changed["entries"][number - 1]["body"] = entry["body"].replace("4", "5", 1)
        assert _verdict(_text(changed).encode()).startswith(f"WRONG line {number}:")


def test_a_member_in_debt_sees_it_as_debt(engine: Engine) -> None:
    own_ledger(engine)
    member, ledger = a_member_id(), Ledger()
    award(member, 4)
    taken = Event(
        member_id=member,
        county=COUNTY,
        transfer_id=f"{member}-back",
        kind=EntryKind.CLAW_BACK,
        points=10,
        source={"reason": "not_there"},
        now=NOW,
    )
    legs = {"iss:report.first@1": 10, "a:2028-03": -4, "d": -6}
    ledger.post(lambda: ledger.plan(taken, lambda accounts, today: legs))
    award(member, 5)

    statement = json.loads(_text(shown_export(Exports(Cursors(b"k" * 32)).piece(member))))

    assert statement["wallet"]["balances"] == {"available": 3, "pending": 0, "held": 0, "debt": 4}
    assert _verdict(_text(statement).encode()).startswith("OK 3 lines")
    statement["wallet"]["accounts"]["d"] = 4
    assert _verdict(_text(statement).encode()).startswith("WRONG wallet:")


def test_pieces_are_checked_together_and_a_missing_one_is_noticed(
    tmp_path: Path, engine: Engine
) -> None:
    own_ledger(engine)
    member = a_member_id()
    _story(member)
    exports = Exports(Cursors(b"k" * 32), page=4)
    pieces: list[Statement] = []
    cursor = None
    while not pieces or cursor:
        pieces.append(shown_export(exports.piece(member, cursor)))
        cursor = pieces[-1]["next_cursor"]

    assert len(pieces) == 3
    assert _run(tmp_path, *pieces)[0] == 0
    assert _run(tmp_path, *pieces[:2])[1].startswith("WRONG file:")
    assert _run(tmp_path, pieces[0], pieces[2])[1].startswith("WRONG line 5:")
