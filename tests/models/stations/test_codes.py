"""Rotating codes: 60 s, the slot before is still taken, and nothing can be forged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from models.base.errors import Conflict, Invalid
from models.stations.codes import Codes
from tests.support.stations import KEY

TURN = datetime(2026, 3, 18, 2, 0, tzinfo=UTC)
"""The instant at which a slot begins."""
codes = Codes(KEY)


@pytest.mark.parametrize("seconds", [0, 59, 60, 119])
def test_a_code_is_taken_in_its_slot_and_the_next(seconds: int) -> None:
    shown = codes.for_station("st_1", TURN)

    codes.check_station(shown.payload, station_id="st_1", now=TURN + timedelta(seconds=seconds))

    assert shown.valid_until == TURN + timedelta(seconds=60)


@pytest.mark.parametrize("seconds", [-1, 120, 86_400])
def test_a_code_of_another_time_is_expired(seconds: int) -> None:
    shown = codes.for_station("st_1", TURN)

    with pytest.raises(Conflict, match=r"check_in\.code_expired"):
        codes.check_station(shown.payload, station_id="st_1", now=TURN + timedelta(seconds=seconds))


def test_a_code_has_the_shape_a_screen_shows() -> None:
    kind, station_id, slot, mac = codes.for_station("st_1", TURN).payload.split(".")

    assert (kind, station_id, slot) == ("S1", "st_1", str(int(TURN.timestamp()) // 60))
    assert len(mac) == 8


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "S1.st_1",
        "S1.st_1.x.00000000",
        "S1.st_1.٣.00000000",
        f"S1.st_1.{'9' * 400}.00000000",
        "S1.st_1.-1.00000000",
        codes.for_station("st_2", TURN).payload,
        codes.for_station("st_2", TURN).payload.replace("st_2", "st_1"),
        Codes(b"another key").for_station("st_1", TURN).payload,
        codes.for_member("st_1", TURN).payload,
        codes.for_station("st_1", TURN).payload + "é",
    ],
)
def test_a_code_that_is_not_of_this_station_is_invalid(payload: str) -> None:
    with pytest.raises(Invalid, match=r"check_in\.code_invalid"):
        codes.check_station(payload, station_id="st_1", now=TURN)


def test_an_old_code_under_a_new_slot_is_invalid() -> None:
    kind, station_id, slot, mac = codes.for_station("st_1", TURN).payload.split(".")

    with pytest.raises(Invalid):
        codes.check_station(
            f"{kind}.{station_id}.{int(slot) + 5}.{mac}",
            station_id="st_1",
            now=TURN + timedelta(minutes=5),
        )


def test_a_member_code_leads_back_to_the_member_and_does_not_name_him() -> None:
    shown = codes.for_member("mbr_0123456789ABCDEFGHJKMNPQRS", TURN)

    assert codes.member_of(shown.payload) == "mbr_0123456789ABCDEFGHJKMNPQRS"
    assert "0123456789" not in shown.payload


def test_two_member_codes_have_nothing_in_common() -> None:
    first = codes.for_member("mbr_1", TURN).payload.split(".")
    second = codes.for_member("mbr_1", TURN + timedelta(minutes=1)).payload.split(".")

    assert first[1] != second[1]
    assert first[3] != second[3]


@pytest.mark.parametrize(
    "payload",
    [
        "M1.!!.29565720.00000000",
        "M1.AAAA.29565720.00000000",
        codes.for_station("mbr_1", TURN).payload,
        Codes(b"another key").for_member("mbr_1", TURN).payload,
        codes.for_member("mbr_1", TURN).payload.replace("M1.", "M1.A"),
        f"M1.{'A' * 200}.29565720.00000000",
    ],
)
def test_a_member_code_that_is_not_ours_is_invalid(payload: str) -> None:
    with pytest.raises(Invalid, match=r"check_in\.code_invalid") as refused:
        codes.member_of(payload)

    assert [bad.field for bad in refused.value.fields] == ["member_code"]


def test_a_member_code_expires_after_the_next_slot() -> None:
    shown = codes.for_member("mbr_1", TURN).payload

    codes.check_member(shown, now=TURN + timedelta(seconds=119))

    with pytest.raises(Conflict, match=r"check_in\.code_expired"):
        codes.check_member(shown, now=TURN + timedelta(seconds=120))
