"""A proof on another engine: it is named, it is there, and on AWS nothing foreign is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.local import engine as local
from infra.prove import prove
from infra.prove.ledger import engines
from infra.prove.ledger.engines import EngineUnavailable, own_tables


def test_without_a_name_it_is_the_engine_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENGINE", raising=False)

    with engines.opened() as database:
        tables = local.client(str(database.endpoint_url)).list_tables()["TableNames"]

    assert len(tables) == len(local.table_definitions())


@pytest.mark.parametrize(
    ("engine", "why"), [("oracle", "unknown"), ("aws", "TABLE_PREFIX"), ("dynamodb-local", "jar")]
)
def test_an_engine_that_cannot_be_had_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, engine: str, why: str
) -> None:
    monkeypatch.setenv("ENGINE", engine)
    monkeypatch.setenv("TABLE_PREFIX", "")
    monkeypatch.setenv("DYNAMODB_LOCAL_JAR", str(tmp_path / "none.jar"))

    with pytest.raises(EngineUnavailable, match=why), engines.opened():
        pass


def test_parts_that_need_no_engine_are_not_run_on_another(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENGINE", "ministack")
    monkeypatch.setenv("PARTS", "calendar")

    assert prove.main() == 2
    assert "calendar" in capsys.readouterr().err


class _Account:
    """Stands for an account at AWS: remembers what was made and deleted."""

    def __init__(self, *standing: str, full_after: int = 1_000) -> None:
        self.tables = [*standing]
        self._full_after = full_after

    def get_paginator(self, _: str) -> _Account:
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [{"TableNames": [name]} for name in self.tables]

    def create_table(self, **definition: Any) -> None:
        if len(self.tables) >= self._full_after:
            raise RuntimeError("limit exceeded")
        self.tables.append(definition["TableName"])

    def delete_table(self, *, TableName: str) -> None:
        self.tables.remove(TableName)

    def get_waiter(self, _: str) -> _Account:
        return self

    def wait(self, **_: Any) -> None: ...


def test_own_tables_are_deleted_again_and_foreign_ones_stay() -> None:
    account = _Account("other-wallets")

    with own_tables(account, "prove-") as made:
        assert set(account.tables) == {"other-wallets", *made}
        assert len(made) == len(local.table_definitions())

    assert account.tables == ["other-wallets"]


def test_where_a_table_of_the_prefix_stands_nothing_is_touched() -> None:
    account = _Account("prod-wallets")

    with pytest.raises(EngineUnavailable, match="prod-wallets"), own_tables(account, "prod-"):
        pass

    assert account.tables == ["prod-wallets"]


def test_what_was_made_before_a_failure_is_deleted_too() -> None:
    account = _Account("other-wallets", full_after=10)

    with pytest.raises(RuntimeError, match="limit"), own_tables(account, "prove-"):
        pass

    assert account.tables == ["other-wallets"]
