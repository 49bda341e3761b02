"""Which refusals of a transaction mean that the points moved."""

from __future__ import annotations

import pytest

from models.base.store import Refused
from models.points.posting import Posting


@pytest.mark.parametrize(
    ("names", "is_lost"),
    [
        (["points.wallet"], True),
        (["points.giver.entry", "points.giver.transfer"], True),
        (["stock", "points.wallet"], True),
        (["stock"], False),
        (["redemption", "code"], False),
    ],
)
def test_points_have_moved_if_any_write_of_theirs_refused(names: list[str], is_lost: bool) -> None:
    assert Posting.lost(Refused(dict.fromkeys(names))) is is_lost
