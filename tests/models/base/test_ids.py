"""Ids are opaque, and derived ones are the same for the same thing only."""

from __future__ import annotations

import re

from hypothesis import assume, given
from hypothesis import strategies as st

from models.base.ids import content_hash, crockford, derived_id, keyed_id, new_id

PARTS = st.lists(st.text(max_size=8), max_size=4)
SHAPE = re.compile(r"x_[0-9A-HJKMNP-TV-Z]{26}")


def test_a_new_id_is_prefixed_opaque_and_new() -> None:
    made = {new_id("x") for _ in range(1000)}

    assert len(made) == 1000
    assert all(SHAPE.fullmatch(one) for one in made)


@given(PARTS)
def test_the_same_parts_make_the_same_id(parts: list[str]) -> None:
    assert derived_id("x", *parts) == derived_id("x", *parts)
    assert SHAPE.fullmatch(derived_id("x", *parts))


@given(PARTS, PARTS)
def test_other_parts_make_another_id_wherever_they_are_cut(
    some: list[str], other: list[str]
) -> None:
    assume(some != other)

    assert derived_id("x", *some) != derived_id("x", *other)
    assert keyed_id("x", b"key", *some) != keyed_id("x", b"key", *other)


def test_a_keyed_id_depends_on_its_key() -> None:
    assert keyed_id("x", b"one", "a") != keyed_id("x", b"two", "a")
    assert keyed_id("x", b"one", "a") == keyed_id("x", b"one", "a")


@given(st.integers(min_value=0, max_value=2**130 - 1))
def test_crockford_text_sorts_like_its_number(number: int) -> None:
    assert crockford(number, 26) <= crockford(2**130 - 1, 26)
    assert int(crockford(number, 26).translate(_TO_BASE_32), 32) == number


def test_a_contents_hash_ignores_the_order_of_keys_and_nothing_else() -> None:
    assert content_hash({"a": 1, "b": [1, 2]}) == content_hash({"b": [1, 2], "a": 1})
    assert content_hash({"a": 1, "b": [1, 2]}) != content_hash({"a": 1, "b": [2, 1]})
    assert content_hash({"a": 1}) != content_hash({"a": "1"})
    assert content_hash({"a": None}) != content_hash({})


_TO_BASE_32 = str.maketrans("0123456789ABCDEFGHJKMNPQRSTVWXYZ", "0123456789abcdefghijklmnopqrstuv")
