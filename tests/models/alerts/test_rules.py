"""Every message that the catalogue makes fits WeChat's fields, whatever people write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.wechat import accounts
from infra.local.wechat.fields import is_valid
from models.alerts import messages, rules
from models.alerts.entities import Template

TEXTS = st.text(max_size=60) | st.sampled_from(
    ["", " ", "\n\t", "\u3000\u2028", "👩‍👩‍👧‍👦" * 9, "e\u0301" * 30, "\ud800", "占道停放" * 9]
)
INSTANTS = st.integers(946_684_800, 32_472_144_000).map(lambda s: datetime.fromtimestamp(s, UTC))
KEYS_BY_TEMPLATE = {
    Template.OFFICER_ALERT: accounts.OFFICER_ALERT,
    Template.ESCALATION: accounts.ESCALATION,
    Template.RIDER_PROGRESS: accounts.RIDER_PROGRESS,
    Template.DIGEST: accounts.DIGEST,
}


def _misfits(made: tuple[Template, messages.Fields]) -> dict[str, str]:
    template, fields = made
    assert fields.keys() == KEYS_BY_TEMPLATE[template].keys()
    return {key: value for key, value in fields.items() if not is_valid(key, value)}


@given(what=TEXTS, where=TEXTS, number=TEXTS, due_at=INSTANTS)
def test_an_officers_alert_fits_whatever_its_texts(
    what: str, where: str, number: str, due_at: datetime
) -> None:
    made = messages.officer_alert(what=what, where=where, due_at=due_at, number=number)

    assert _misfits(made) == {}


@given(what=TEXTS, where=TEXTS, number=TEXTS, status=TEXTS, due_at=INSTANTS)
def test_an_escalation_fits_whatever_its_texts(
    what: str, where: str, number: str, status: str, due_at: datetime
) -> None:
    made = messages.escalation(what=what, where=where, due_at=due_at, number=number, status=status)

    assert _misfits(made) == {}


@given(what=TEXTS, status=TEXTS, note=TEXTS, number=TEXTS)
def test_a_riders_progress_fits_whatever_its_texts(
    what: str, status: str, note: str, number: str
) -> None:
    made = messages.rider_progress(what=what, status=status, note=note, number=number)

    assert _misfits(made) == {}


@given(count=st.integers(1, 10_000), most_urgent=TEXTS, due_at=INSTANTS)
def test_a_digest_fits_whatever_its_texts(count: int, most_urgent: str, due_at: datetime) -> None:
    made = messages.digest(count=count, most_urgent=most_urgent, due_at=due_at)

    assert _misfits(made) == {}


@given(TEXTS)
def test_a_thing_is_one_line_and_can_be_encoded(text: str) -> None:
    thing = rules.thing(text)

    assert thing.splitlines() == [thing]
    assert thing.encode().decode() == thing


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("电动车占道", "电动车占道"),
        ("一" * 20, "一" * 20),
        ("一" * 21, "一" * 19 + "…"),
        ("积水\n很深", "积水 很深"),
        ("路灯💡不亮", "路灯不亮"),
        ("水温80°", "水温80°"),
        ("积水3㎡，30℃", "积水3㎡，30℃"),
        ("💡", "见详情"),
    ],
)
def test_a_thing_keeps_what_can_be_read(text: str, expected: str) -> None:
    assert rules.thing(text) == expected


def test_a_phrase_keeps_five_chinese_characters_and_nothing_else() -> None:
    assert rules.phrase("已 处置(ok)完成了") == "已处置完成"


def test_a_number_loses_what_is_not_ascii() -> None:
    assert rules.character_string("XY 信阳-0042") == "XY-0042"


def test_a_time_is_written_for_china() -> None:
    at = datetime(2026, 3, 17, 16, 5, tzinfo=UTC)

    _, fields = messages.officer_alert(what="a", where="b", due_at=at, number="c")

    assert fields["time3"] == "2026年3月18日 00:05"


def test_pauses_double_from_a_second_to_ten_minutes() -> None:
    pauses = [rules.pause_after(attempts) for attempts in (1, 2, 3, 10, 11, 5000)]

    expected = [1, 2, 4, 512, 600, 600]
    assert pauses == [timedelta(seconds=seconds) for seconds in expected]
