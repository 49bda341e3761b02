"""What of a case leaves the house, or comes into it from outside."""

from __future__ import annotations

import pytest

from models.base.errors import Invalid
from models.cases.transfer_files import COLUMNS, read_file
from tests.support.world import World, done


def test_a_hand_over_file_does_not_say_that_the_officer_reported_it_himself(world: World) -> None:
    filed = world.filed(world.officer.consenting())

    shown = done(world.lead.app.get(f"/v1/cases/{filed.case_id}")).body
    file = done(world.lead.app.get(f"/v1/cases/{filed.case_id}/hand-over")).body

    assert "the_reporter" in str(shown["routing"]["why"])
    assert "reporter" not in str(file["routing"]["why"])
    assert "上报人" not in file["routing"]["reason"]
    assert file["routing"]["grid"] == shown["routing"]["grid"]


@pytest.mark.parametrize("cell", ["x" * 200_000, "a\rb"])
def test_a_receivers_file_that_is_no_table_is_refused_and_not_crashed_on(cell: str) -> None:
    text = f"{','.join(COLUMNS)}\npolice,,260318-MNPQRS,returned,2026-03-18T10:00:00+08:00,{cell}\n"

    with pytest.raises(Invalid) as refusal:
        read_file(text)

    assert refusal.value.fields[0].code == "hand_over.columns"
