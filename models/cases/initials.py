"""First letters of Chinese words, for searching: 井盖 is found by ``jg``.

*Source:* GB/T 2312-1980 puts its 3,755 commonest characters in the order of their pronunciation;
its second level is ordered by shape, and a character with two readings stands under one of them.
Such words need their letters written beside them.
"""

from __future__ import annotations

from bisect import bisect_right

_LETTERS = "abcdefghjklmnopqrstwxyz"
_FIRST = "啊芭擦搭蛾发噶哈击喀垃妈拿哦啪期然撒塌挖昔压匝"
_STARTS = [char.encode("gb2312") for char in _FIRST]
_END = bytes.fromhex("d7fa")


def initials(text: str) -> str:
    """The first letter of each Chinese character; all others are left out.

    >>> initials("共享单车（电瓶车）乱停放")
    'gxdcdpcltf'
    """
    return "".join(_initial(char) for char in text)


def _initial(char: str) -> str:
    try:
        code = char.encode("gb2312")
    except UnicodeEncodeError:
        return ""
    if not _STARTS[0] <= code < _END:
        return ""
    return _LETTERS[bisect_right(_STARTS, code) - 1]
