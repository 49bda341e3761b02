"""What stands beside a code is what the code meant when the case was filed."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from handlers.http import naming
from handlers.http.categories import criteria_of
from infra.local.engine import Engine
from models.base.clock import FixedClock
from models.base.tables import Database, use_database
from models.cases.categories import Categories
from tests.support.categories import a_sheet, own_tables, publish

RENAMED = {
    "zh": "单车乱停",
    "en": "Bikes in the way",
    "closings": "已移走",
    "closings_en": "Taken away",
}


@pytest.fixture
def call(engine: Engine, database: Database, clock: FixedClock) -> Iterator[Any]:
    """A call after a category was renamed."""
    own_tables(engine.url, "category-versions")
    lists = Categories(clock=clock)
    publish(lists, a_sheet(E0493a=RENAMED), clock.now())
    yield SimpleNamespace(language="zh", services=SimpleNamespace(categories=lists))
    use_database(database)


@pytest.mark.parametrize(
    ("version", "name", "closing"),
    [
        (None, "共享单车（电瓶车）乱停放", "已摆放整齐"),
        ("1", "共享单车（电瓶车）乱停放", "已摆放整齐"),
        ("2", "单车乱停", "已移走"),
    ],
)
def test_a_category_is_called_as_in_the_list_of_the_case(
    call: Any, version: str | None, name: str, closing: str
) -> None:
    case = {"id": "case_1", "category": "E0493a", "category_version": version}

    shown = naming.named(case, call)

    assert shown == {"id": "case_1", "category": "E0493a", "category_name": name}
    assert criteria_of(case, call)["closing_conditions"] == [{"code": "1", "text": closing}]


def test_what_was_stored_before_versions_has_the_first_lists_name(call: Any) -> None:
    assert naming.named({"category": "P0137"}, call)["category_name"] == "路灯不亮"


def test_an_english_client_reads_english(call: Any) -> None:
    call.language = "en"

    shown = naming.named({"category": "E0493a", "category_version": "2"}, call)

    assert shown["category_name"] == "Bikes in the way"
