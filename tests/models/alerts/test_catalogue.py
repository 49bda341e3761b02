"""Every message fits the table of WeChat's fields, judged by a validator made from the table alone.

*Source:* the table under 其他说明 of the subscribe message's page (read 2026-11): thing ≤20
characters of any kind; number ≤32 digits, decimals allowed; character_string ≤32 digits, letters
and signs; time 24 hours, with or without a date; phrase ≤5 Chinese characters; nothing is empty.
"""

from __future__ import annotations

import dataclasses
import inspect
import string
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.alerts import messages
from models.alerts.digests import Sending, message_of
from models.alerts.entities import Event, Template, Text
from models.alerts.stored import written
from models.alerts.tables import HeldRow
from models.cases import wording
from models.rewards.notices import WORDINGS, notice_of
from tests.support.alerts import NOW, a_notice

ROBOT_TEXT_MAX_BYTES = 2048
"""*Source:* WeCom's group robots: a text's content is at most 2048 bytes of UTF-8."""

HOSTILE = st.one_of(
    st.text(max_size=80),
    st.text(st.characters(codec=None, categories=["So", "Cs", "Cf", "Cc", "Mn"]), max_size=40),
    st.text("٠١٢३४۰①⑳ⅣⅧ²½", max_size=40),
    st.sampled_from(
        [
            "",
            " \u3000\u00a0 ",
            "\r\n\t\v\f\x85\u2028\u2029",
            "\u202e倒着写\u202c\u2066abc\u2069\u200f\u061c",
            "👨‍👩‍👧‍👦🏳️‍🌈👍🏽" * 5,
            "🇨🇳❤️☎️℃°㎡",
            "\ud83d半个\udc00字符",
            "e\u0301\u0302\u0303" * 20,
            "0123456789" * 12,
            "占道停放电动车堵塞消防通道" * 8,
            "𠮷𠀀" * 15,
            "R20261123-0042" * 5,
            "ABC 中文 123",
            "{{thing1.DATA}}",
            "<script>&amp;\\u0000",
        ]
    ),
)
INSTANTS = st.integers(946_684_800, 32_472_144_000).map(lambda s: datetime.fromtimestamp(s, UTC))
COUNTS = st.integers(0, 10**31)


# the table -------------------------------------------------------------------------------------


def is_thing(value: str) -> bool:
    return len(value) <= 20 and not any(_is_odd(mark) for mark in value)


def is_number(value: str) -> bool:
    whole, dot, part = value.partition(".")
    digits = whole + part
    is_made_of_digits = digits != "" and set(digits) <= set(string.digits)
    return is_made_of_digits and len(digits) <= 32 and (not dot or (whole != "" and part != ""))


def is_character_string(value: str) -> bool:
    return len(value) <= 32 and set(value) <= set(
        string.digits + string.ascii_letters + string.punctuation
    )


def is_phrase(value: str) -> bool:
    return len(value) <= 5 and all("CJK UNIFIED" in unicodedata.name(mark, "") for mark in value)


def is_time(value: str) -> bool:
    """``15:01`` or ``2019年10月1日 15:01``."""
    day, space, hour = value.rpartition(" ")
    return (not space or _is_day(day)) and _is_hour(hour)


IS_FIT: Mapping[str, Callable[[str], bool]] = {
    "thing": is_thing,
    "number": is_number,
    "character_string": is_character_string,
    "phrase": is_phrase,
    "time": is_time,
}


def fits(key: str, value: object) -> bool:
    kind = key.rstrip(string.digits)
    return isinstance(value, str) and value.strip() != "" and IS_FIT[kind](value)


def _is_odd(mark: str) -> bool:
    """What the guide says to keep out: breaks, emoji, direction marks, halves of characters."""
    is_unit = mark in "°℃" or "\u3380" <= mark <= "\u33df"
    return not is_unit and unicodedata.category(mark) in {"Cc", "Cf", "Cs", "Co", "Cn", "So", "Zl"}


def _is_day(text: str) -> bool:
    year, _, rest = text.partition("年")
    month, _, rest = rest.partition("月")
    day, mark, after = rest.partition("日")
    if not (mark and not after and all(part.isdigit() for part in (year, month, day))):
        return False
    datetime(int(year), int(month), int(day), tzinfo=UTC)
    return len(year) == 4 and (month[0], day[0]) != ("0", "0")


def _is_hour(text: str) -> bool:
    hour, _, minute = text.partition(":")
    return len(hour) == len(minute) == 2 and int(hour) < 24 and int(minute) < 60


@pytest.mark.parametrize(
    ("key", "bad"),
    [
        ("thing1", "字" * 21),
        ("thing1", " "),
        ("thing1", "一\n二"),
        ("thing1", "好👍"),
        ("thing1", "\u202e反"),
        ("number1", "1" * 33),
        ("number1", "3.1.4"),
        ("number1", "١"),
        ("character_string4", "a" * 33),
        ("character_string4", "编号"),
        ("character_string4", "a b"),
        ("phrase5", "六个字的状态"),
        ("phrase5", "A级"),
        ("time3", "24:00"),
        ("time3", "2026-03-18 10:00"),
    ],
)
def test_the_validator_refuses_what_the_table_does(key: str, bad: str) -> None:
    assert not fits(key, bad)


# the catalogue ---------------------------------------------------------------------------------

MAKERS: Mapping[str, Callable[..., Any]] = {
    name: made
    for name, made in inspect.getmembers(messages, inspect.isfunction)
    if made.__module__ == messages.__name__ and name != "robot_text"
}
VALUES = {"str": HOSTILE, "datetime": INSTANTS, "int": COUNTS}


@pytest.mark.parametrize("name", sorted(MAKERS))
@given(data=st.data())
def test_every_field_of_every_message_fits_whatever_goes_in(name: str, data: Any) -> None:
    maker = MAKERS[name]
    needs = inspect.signature(maker).parameters
    given_values = {
        need: data.draw(VALUES[str(parameter.annotation)], label=need)
        for need, parameter in needs.items()
    }

    template, fields = maker(**given_values)

    assert tuple(fields) == messages.FIELDS[template]
    assert {key: value for key, value in fields.items() if not fits(key, value)} == {}


def test_every_template_has_a_message_and_its_fields() -> None:
    sample = {"str": "字", "datetime": NOW, "int": 1}
    made = {
        maker(
            **{
                need: sample[str(parameter.annotation)]
                for need, parameter in inspect.signature(maker).parameters.items()
            }
        )[0]
        for maker in MAKERS.values()
    }

    assert made == set(Template) == set(messages.FIELDS)


@given(template=st.sampled_from(Template), post=HOSTILE, number=HOSTILE, what=HOSTILE)
def test_a_robot_says_a_post_and_a_number_and_nothing_else(
    template: Template, post: str, number: str, what: str
) -> None:
    _, fields = messages.officer_alert(what=what, where=what, due_at=NOW, number=number)
    unlike = dict.fromkeys(("thing1", "thing2", "thing3", "thing4"), "")

    said = messages.robot_text(template, fields, post)

    assert 0 < len(said.encode()) <= ROBOT_TEXT_MAX_BYTES
    assert said == messages.robot_text(template, {**fields, **unlike}, post)


# the inbox -------------------------------------------------------------------------------------


def texts_in(value: object) -> Iterator[Text]:
    """Every text within constants, however they are grouped."""
    if isinstance(value, Text):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from texts_in(inner)


def is_chinese(text: str) -> bool:
    return any(is_phrase(mark) for mark in text)


CONSTANTS = [(name, text) for name, value in vars(wording).items() for text in texts_in(value)]


@pytest.mark.parametrize(("name", "text"), CONSTANTS, ids=[name for name, _ in CONSTANTS])
def test_every_sentence_to_a_member_is_chinese_with_an_english_one_beside(
    name: str, text: Text
) -> None:
    assert is_chinese(text.zh)
    assert text.en.strip()
    assert not is_chinese(text.en)


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        (name, value[0])
        for name, constant in vars(wording).items()
        for value in (constant.values() if isinstance(constant, Mapping) else [constant])
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], Text)
    ],
)
def test_every_status_is_a_phrase_as_it_stands(name: str, phrase: str) -> None:
    assert fits("phrase1", phrase)


def test_a_digest_and_an_expired_voucher_are_told_in_both_languages() -> None:
    held = [
        HeldRow(
            "mbr_1",
            f"held#{number}",
            county="411503",
            notice=written(dataclasses.replace(a_notice(), case_id=f"case_{number}")),
            due_at=NOW,
            urgent=False,
            first_told=True,
            slot="0",
            release_at=NOW,
        )
        for number in range(2)
    ]
    ids = tuple(row.held_id for row in held)
    sending = Sending(notice_id="ntc_1", held=ids, at=NOW, day="2026-03-18", alone=False)
    payload = {
        "name_zh": "理发",
        "name_en": "Haircut",
        "points": 10,
        "redemption_id": "red_1",
        "member_id": "mbr_1",
        "reason": "not_delivered",
        "at": "2026-03-18T02:00:00.000Z",
    }
    events = [
        Event(outbox_id="o", topic=topic, county="411503", payload=payload, at=NOW, attempts=1)
        for topic in WORDINGS
    ]

    for notice in (message_of(sending, held), *map(notice_of, events)):
        assert is_chinese(notice.title.zh)
        assert is_chinese(notice.body.zh)
        for english in (notice.title.en, notice.body.en):
            assert english.strip()
            assert not is_chinese(english)
        assert all(fits(key, value) for key, value in notice.fields.items())
