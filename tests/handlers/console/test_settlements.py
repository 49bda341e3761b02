"""An admin takes a merchant's month away as a file, and two refund what a merchant failed."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest

from handlers import wiring
from handlers.console import cells, closings, refunds, settlements
from handlers.settings import Settings
from models.base.clock import FixedClock
from models.base.tables import Database
from models.points.ledger import Ledger
from models.rewards.tables import MerchantRow
from tests.support.people import COUNTY
from tests.support.rewards import Shop

NAME = '=HYPERLINK("http://x","y")'


@pytest.fixture
def shop(database: Database, clock: FixedClock) -> Iterator[Shop]:
    shop = Shop(clock=clock).opened()
    MerchantRow(shop.merchant_id, county=COUNTY, name=NAME, address="a", lon=114.0, lat=32.1).save()
    wired = wiring.Services(Settings(dynamodb_url=str(database.endpoint_url)))
    wired.__dict__ |= {"clock": clock, "ledger": Ledger()}
    wiring.use_services(wired)
    yield shop
    wiring.use_services(None)


def ask(shop: Shop, **changes: Any) -> dict[str, Any]:
    return settlements.on_invoke({"merchant_id": shop.merchant_id, "month": "2026-03"} | changes)


def rows_of(answer: dict[str, Any]) -> list[list[Any]]:
    """The file's rows, as whoever opens it reads them."""
    if "csv" in answer:
        assert answer["csv"].startswith("\ufeff")
        return list(csv.reader(io.StringIO(answer["csv"].removeprefix("\ufeff"))))
    book = openpyxl.load_workbook(io.BytesIO(base64.b64decode(answer["xlsx"])))
    return [list(row) for row in book.active.iter_rows(values_only=True)]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_month_is_a_file_with_a_line_per_reward_and_a_total(shop: Shop, kind: str) -> None:
    shop.fulfil(shop.merchant(), shop.redeem(shop.rider()).qr)

    answer = ask(shop, format=kind)

    heading, line, total = rows_of(answer)
    assert (answer["count"], answer["points"], answer["final"]) == (1, 10, False)
    assert len(heading) == len(line) == len(total)
    assert (line[3], line[4], total[3]) == ("理发", shop.reward_id, "合计")
    assert [str(cell) for cell in line[5:]] == ["1", "10", "0", "0", "0", "0", "1", "10"]
    assert line[5:] == total[5:]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_name_that_looks_like_a_formula_is_text(shop: Shop, kind: str) -> None:
    shop.fulfil(shop.merchant(), shop.redeem(shop.rider()).qr)

    _, line, _ = rows_of(ask(shop, format=kind))

    assert line[1] == f"'{NAME}"


@pytest.mark.parametrize("first", cells.FORMULAS)
def test_no_text_of_a_workbook_is_a_formula(clock: FixedClock, first: str) -> None:
    book = cells.xlsx_of([[f"{first}1+1", -5]], title="t", at=clock.now())

    text, number = openpyxl.load_workbook(io.BytesIO(book)).active[1]
    assert (text.data_type, number.data_type, number.value) == ("s", "n", -5)


def test_everything_that_is_wrong_with_the_question_is_said_at_once(shop: Shop) -> None:
    wrong = settlements.on_invoke({"merchant_id": 7, "format": "pdf"})
    future, stranger = ask(shop, month="2027-01"), ask(shop, merchant_id="nobody")

    assert {bad["field"] for bad in wrong["fields"]} == {"merchant_id", "month", "format"}
    assert [bad["field"] for bad in future["fields"]] == ["month"]
    assert stranger["code"] == "merchant.not_found"


def test_two_actors_refund_and_one_cannot(shop: Shop) -> None:
    voucher = shop.redeem(shop.rider())
    shop.fulfil(shop.merchant(), voucher.qr)
    asked = {"redemption_id": voucher.redemption.redemption_id, "actor": "desk-1"}

    proposed = refunds.on_invoke({**asked, "step": "propose", "reason": "defective"})
    alone = refunds.on_invoke({**asked, "step": "approve"})
    together = refunds.on_invoke({**asked, "actor": "desk-2", "step": "approve"})

    assert proposed["step"] == "propose"
    assert alone["code"] == "redemption.refund_own_proposal"
    assert together["state"] == "refunded"


def test_a_proposal_can_be_dropped(shop: Shop) -> None:
    voucher = shop.redeem(shop.rider())
    shop.fulfil(shop.merchant(), voucher.qr)
    asked = {"redemption_id": voucher.redemption.redemption_id, "actor": "desk-1"}
    refunds.on_invoke({**asked, "step": "propose", "reason": "defective"})

    refunds.on_invoke({**asked, "step": "decline"})

    left = refunds.on_invoke({**asked, "actor": "desk-2", "step": "approve"})
    assert left["code"] == "redemption.refund_not_proposed"


def test_a_step_needs_who_what_and_why() -> None:
    nothing = refunds.on_invoke({})
    reasonless = refunds.on_invoke({"redemption_id": "r", "actor": 5, "step": "propose"})

    assert {bad["field"] for bad in nothing["fields"]} == {"redemption_id", "actor", "step"}
    assert {bad["field"] for bad in reasonless["fields"]} == {"actor", "reason"}


def test_a_merchant_is_closed_with_a_result_for_each_voucher(shop: Shop) -> None:
    alone = Shop(clock=shop.clock, has_station=False).opened()
    voucher = alone.redeem(alone.rider())

    answer = closings.on_invoke({"merchant_id": alone.merchant_id, "actor": "desk-1"})

    cancelled = {"redemption_id": voucher.redemption.redemption_id, "result": "cancelled"}
    assert answer["results"] == [{**cancelled, "code": None}]
    assert (answer["cancelled"], answer["failed"], answer["finished"]) == (1, 0, False)
    assert answer["rewards"] == [alone.reward_id]


def test_a_closing_needs_a_merchant_and_who_asks(shop: Shop) -> None:
    nothing = closings.on_invoke({})
    stranger = closings.on_invoke({"merchant_id": "mch_none", "actor": "desk-1"})

    assert {bad["field"] for bad in nothing["fields"]} == {"merchant_id", "actor"}
    assert stranger["code"] == "merchant.not_found"
