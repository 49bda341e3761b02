"""What a rider shows can be read by us, and made by nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from models.rewards.codes import Codes

NOW = datetime(2026, 3, 18, 2, 0, 30, tzinfo=UTC)
CODES = Codes(b"k" * 32)


def test_a_code_has_ten_characters_and_is_always_the_same() -> None:
    code = CODES.code("red_1")

    assert len(code) == 10
    assert code == CODES.code("red_1")
    assert code == "HTN4D671NZ"  # vouchers that are out must go on being read
    assert len({code, CODES.code("red_2"), CODES.code("red_1", 1), Codes(b"x").code("red_1")}) == 4


@pytest.mark.parametrize("typed", ["0123456789", "o1234-56789", " OI23 456789 ", "Ol23456789"])
def test_a_code_is_found_however_it_was_typed(typed: str) -> None:
    assert CODES.code_key(typed) == CODES.code_key("0123456789")


@pytest.mark.parametrize(
    "typed", ["", "012345678", "01234567890", "U123456789", "０123456789", "R1.x"]
)
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert CODES.code_key(typed) is None


def test_the_stored_key_does_not_show_the_code() -> None:
    code = CODES.code("red_1")
    key = CODES.code_key(code)

    assert key is not None
    assert code not in key
    assert key != Codes(b"other").code_key(code)


def test_a_payload_is_fresh_in_its_own_minute_and_one_to_either_side() -> None:
    payload, ends = CODES.qr("red_1", NOW)

    freshness = []
    for minutes in (-2, -1, 0, 1, 2):
        read = CODES.read_qr(payload, NOW + timedelta(minutes=minutes))
        assert read is not None
        freshness.append(read.is_fresh)
    assert freshness == [False, True, True, True, False]
    assert ends == datetime(2026, 3, 18, 2, 1, tzinfo=UTC)


def test_a_payload_is_signed_as_it_always_was() -> None:
    assert CODES.qr("red_1", NOW)[0] == "R1.red_1.29563320.T02GTES64FCJBG5C"


def test_the_payload_changes_with_every_minute() -> None:
    payload, ends = CODES.qr("red_1", NOW)

    assert CODES.qr("red_1", ends - timedelta(seconds=1))[0] == payload
    assert CODES.qr("red_1", ends)[0] != payload


def test_a_payload_that_we_did_not_sign_is_none() -> None:
    payload, _ = CODES.qr("red_1", NOW)
    version, redemption_id, slot, mac = payload.split(".")

    forged = [
        f"{version}.red_2.{slot}.{mac}",
        f"{version}.{redemption_id}.{int(slot) + 1}.{mac}",
        f"R2.{redemption_id}.{slot}.{mac}",
        f"{version}.{redemption_id}.{slot}",
        f"{version}.{redemption_id}.-1.{mac}",
        f"{version}.{redemption_id}.١.{mac}",
        f"{version}.{redemption_id}.{slot}.é",
        f"{payload}.x",
    ]
    assert [CODES.read_qr(text, NOW) for text in forged] == [None] * len(forged)
    assert Codes(b"other").read_qr(payload, NOW) is None
