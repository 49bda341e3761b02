"""What of a case leaves the house, or comes into it from outside."""

from __future__ import annotations

from tests.support.world import World, done


def test_a_hand_over_file_does_not_say_that_the_officer_reported_it_himself(world: World) -> None:
    filed = world.filed(world.officer.consenting())

    shown = done(world.lead.app.get(f"/v1/cases/{filed.case_id}")).body
    file = done(world.lead.app.get(f"/v1/cases/{filed.case_id}/hand-over")).body

    assert "the_reporter" in str(shown["routing"]["why"])
    assert "reporter" not in str(file["routing"]["why"])
    assert "上报人" not in file["routing"]["reason"]
    assert file["routing"]["grid"] == shown["routing"]["grid"]
