"""The ledger's benchmark follows real entries, and the largest wallet stays small."""

from __future__ import annotations

from infra.bench import ledger
from models.points.chains import START, follow
from models.points.rules import AVAILABLE


def test_the_life_that_is_measured_is_sound_and_has_every_kind_of_movement() -> None:
    entries = list(ledger.lived(ledger.a_life(), "mem_1"))

    followed = follow("mem_1", START, entries)

    assert followed.faults == ()
    assert followed.point.version == ledger.ENTRIES
    assert {entry.kind.value for entry in entries} == {"award", "hold", "settle"}
    assert sum(account.startswith(AVAILABLE) for account in followed.point.own) >= 12
    assert any("exp" in entry.legs for entry in entries)


def test_only_following_is_timed() -> None:
    assert 0 < ledger.verify_s(ledger.a_life(), members=2) < 1


def test_the_largest_wallet_stays_within_one_write_unit() -> None:
    assert 500 < ledger.wallet_bytes() <= 1024


def test_an_items_size_is_counted_as_the_service_does() -> None:
    assert ledger._size({"S": "积分"}) == 6
    assert ledger._size({"N": "600"}) == 3
    assert ledger._size({"N": "-500"}) == 4
    assert ledger._size({"M": {"2028-03": {"N": "600"}}}) == 3 + 7 + 3 + 1
