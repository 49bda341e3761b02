"""Every field type at its limit and one step beyond."""

import pytest

from infra.local.wechat.fields import field_type, is_valid

GOOD = [
    ("thing1", "占道停放的电动车,共20个字符以内就好吧"[:20]),
    ("thing1", "🚧" * 20),
    ("number1", "-12.50"),
    ("number1", "1" * 32),
    ("letter1", "Ab" * 16),
    ("symbol1", "+-*/="),
    ("character_string1", "R20261123-0042"),
    ("character_string1", "x" * 32),
    ("time1", "15:01"),
    ("time1", "2026年11月23日 15:01"),
    ("time1", "2023-12-13 17:24:00"),
    ("time1", "2026年11月23日 15:01~2026年11月23日 16:01"),
    ("date1", "2026年11月23日"),
    ("date1", "2026年11月23日 15:01"),
    ("amount1", "¥12.50"),
    ("amount1", "1234567890元"),
    ("phone_number1", "+86-000-0000-0000"),
    ("car_number1", "豫A00000"),
    ("name1", "十个以内的汉字名字呀"),
    ("name1", "a" * 20),
    ("phrase1", "待处理"),
    ("phrase1", "五个汉字呀"),
    ("enum1", "甲"),
]
BAD = [
    ("thing1", "一" * 21),
    ("thing1", ""),
    ("thing1", " \n"),
    ("number1", "12a"),
    ("number1", "1" * 33),
    ("letter1", "ab1"),
    ("letter1", "a" * 33),
    ("symbol1", "++++++"),
    ("symbol1", "a"),
    ("character_string1", "编号1"),
    ("character_string1", "x" * 33),
    ("time1", "25:01"),
    ("time1", "15:60"),
    ("time1", "下午三点"),
    ("time1", "2026年11月23日"),
    ("date1", "15:01"),
    ("date1", "2026.11.23"),
    ("amount1", "12345678901"),
    ("amount1", "十元"),
    ("phone_number1", "0" * 18),
    ("phone_number1", "电话"),
    ("car_number1", "豫A0000000"),
    ("name1", "十一个汉字的名字就太长了"),
    ("name1", "a" * 21),
    ("name1", "甲1"),
    ("phrase1", "六个汉字太长"),
    ("phrase1", "待处理1"),
    ("phrase1", "OK"),
    ("enum1", ""),
]


@pytest.mark.parametrize(("key", "value"), GOOD)
def test_fitting_value_passes(key: str, value: str) -> None:
    assert is_valid(key, value)


@pytest.mark.parametrize(("key", "value"), BAD)
def test_unfit_value_is_refused(key: str, value: str) -> None:
    assert not is_valid(key, value)


@pytest.mark.parametrize("key", ["thing", "unknown1", "1thing", "thing1x", ""])
def test_key_without_a_known_type_is_an_error(key: str) -> None:
    with pytest.raises(ValueError, match="not a template field key"):
        field_type(key)


def test_type_is_the_key_without_its_number() -> None:
    assert field_type("character_string12") == "character_string"
