"""No module of the product grows past what somebody can read at once."""

from __future__ import annotations

import pytest

from tests.support import source

LONGEST = 500


@pytest.mark.parametrize("path", sorted(source.modules()))
def test_a_module_is_short_enough_to_read(path: str) -> None:
    lines = (source.ROOT / path).read_text(encoding="utf-8").count("\n")

    assert lines <= LONGEST
