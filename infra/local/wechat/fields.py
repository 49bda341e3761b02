"""Say whether a template field's value would pass WeChat's argument check (47003).

*Source:* the field table of subscribeMessage.send, section 其他说明 (copies read 2026-11).
Characters are Unicode code points; WeChat leaves the counting of emoji unanswered.
"""

import re
from collections.abc import Callable, Mapping

_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_DAY = r"\d{4}(?:年\d{1,2}月\d{1,2}日|-\d{1,2}-\d{1,2}|/\d{1,2}/\d{1,2})"
_HOUR = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_TIME = rf"(?:{_DAY} ?)?{_HOUR}"
_DATE = rf"{_DAY}(?: ?{_HOUR})?"


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


def _is_number(value: str) -> bool:
    digits = sum(character.isdigit() for character in value)
    return digits <= 32 and re.fullmatch(r"-?\d+(?:\.\d+)?", value, re.ASCII) is not None


def _is_name(value: str) -> bool:
    limit = 10 if re.search(f"[{_HAN}]", value) else 20
    return len(value) <= limit and not any(character.isdigit() for character in value)


def _fits(limit: int) -> Callable[[str], bool]:
    return lambda value: len(value) <= limit


_CHECK_BY_TYPE: Mapping[str, Callable[[str], bool]] = {
    "thing": _fits(20),
    "number": _is_number,
    "letter": _matches(r"[A-Za-z]{1,32}"),
    "symbol": _matches(rf"[^0-9A-Za-z\s{_HAN}]{{1,5}}"),
    "character_string": _matches(r"[\x20-\x7e]{1,32}"),
    "time": _matches(rf"{_TIME}(?: ?~ ?{_TIME})?"),
    "date": _matches(rf"{_DATE}(?: ?~ ?{_DATE})?"),
    "amount": _matches(r"[¥￥$€£]?[0-9]{1,10}(?:\.[0-9]{1,2})?元?"),
    "phone_number": _matches(r"[0-9+\-() ]{1,17}"),
    "car_number": _matches(rf"[{_HAN}A-Z0-9][A-Z0-9]{{1,6}}[{_HAN}A-Z0-9]"),
    "name": _is_name,
    "phrase": _matches(rf"[{_HAN}]{{1,5}}"),
    # The console keeps the list of allowed values; only emptiness can be judged from outside.
    "enum": _fits(20),
    "enum_string": _fits(20),
    "const": _fits(20),
    "short_thing": _fits(20),
}


def field_type(key: str) -> str:
    """Return the type a key such as `thing12` stands for; ValueError when there is none.

    >>> field_type("character_string4")
    'character_string'
    """
    matched = re.fullmatch(r"([a-z_]+?)(\d+)", key)
    if matched is None or matched.group(1) not in _CHECK_BY_TYPE:
        raise ValueError(f"not a template field key: {key!r}")
    return matched.group(1)


def is_valid(key: str, value: str) -> bool:
    """Tell whether `value` may stand in the field `key`; empty and blank values may not."""
    return bool(value.strip()) and _CHECK_BY_TYPE[field_type(key)](value)
