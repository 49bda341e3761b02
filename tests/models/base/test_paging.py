"""A cursor can be carried, but neither forged nor used for another list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base.errors import Invalid
from models.base.paging import Cursors

CURSORS = Cursors(b"k" * 32)
POSITION = {"case_id": {"S": "case_1"}, "due_at": {"S": "2026-03-18T02:00:00.000Z"}}


def test_a_cursor_opens_to_where_the_list_goes_on() -> None:
    sealed = CURSORS.seal("cases/grid-1", POSITION)

    assert CURSORS.open("cases/grid-1", sealed) == POSITION


def test_the_end_of_a_list_has_no_cursor_and_no_cursor_is_the_start() -> None:
    assert CURSORS.seal("cases", None) is None
    assert CURSORS.open("cases", None) is None


@pytest.mark.parametrize("scope", ["cases/grid-2", "cases", "cases/grid-1\0"])
def test_a_cursor_of_another_list_is_refused(scope: str) -> None:
    sealed = CURSORS.seal("cases/grid-1", POSITION)

    with pytest.raises(Invalid) as raised:
        CURSORS.open(scope, sealed)

    assert [(bad.field, bad.code) for bad in raised.value.fields] == [("cursor", "field.invalid")]


def test_a_cursor_sealed_with_another_key_is_refused() -> None:
    with pytest.raises(Invalid):
        CURSORS.open("cases", Cursors(b"o" * 32).seal("cases", POSITION))


@given(st.text(max_size=80))
def test_no_text_that_is_not_ours_opens(text: str) -> None:
    with pytest.raises(Invalid):
        CURSORS.open("cases", text)


@given(st.integers(min_value=0, max_value=10_000), st.characters(codec="ascii"))
def test_a_changed_cursor_opens_to_the_same_place_or_not_at_all(place: int, mark: str) -> None:
    sealed = CURSORS.seal("cases", POSITION)
    assert sealed is not None
    place %= len(sealed)

    try:
        opened = CURSORS.open("cases", sealed[:place] + mark + sealed[place + 1 :])
    except Invalid:
        return
    assert opened == POSITION
