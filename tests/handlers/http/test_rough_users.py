"""A hurried rider, a hostile one and a tired officer are told what happened, and break nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from models.base.clock import utc_text
from models.cases.rechecks import recheck_id_of
from tests.support.world import EAST, Filed, Person, Reply, World, done


def fixed_without_photo(world: World) -> Filed:
    """A case that a passer-by is asked to look at."""
    case = world.filed().claimed()
    done(case.act(world.officer, "resolve", reason="gone_on_arrival"))
    world.work()
    return case


def offer(rider: Person, case: Filed) -> dict[str, Any] | None:
    """What a rider is asked of this case, standing near it; None: nothing."""
    place = {"lon": EAST.lon, "lat": EAST.lat}
    items = done(rider.app.get("/v1/rechecks", **place)).body["items"]
    return next((one for one in items if one["id"] == recheck_id_of(case.case_id, 0)), None)


def an_answer(world: World, rider: Person, task: dict[str, Any]) -> dict[str, Any]:
    return {
        "fixed": True,
        "photos": [rider.upload("landscape_6.jpg", "recheck")],
        "lon": task["lon"],
        "lat": task["lat"],
        "accuracy_m": 10,
        "captured_at": utc_text(world.clock.now()),
    }


def test_a_hurried_rider_who_taps_twice_answers_once_and_is_asked_no_more(world: World) -> None:
    case, rider = fixed_without_photo(world), world.rider()
    task = offer(rider, case)
    assert task is not None
    body, path = an_answer(world, rider, task), f"/v1/rechecks/{task['id']}"

    def tap(_: int) -> Reply:
        return rider.app.post(path, body)  # each tap has a request id of its own

    with ThreadPoolExecutor(2) as thumbs:
        taps = sorted(thumbs.map(tap, range(2)), key=lambda reply: reply.status)

    assert [reply.status for reply in taps] == [201, 409]
    assert taps[1].code == "recheck.taken"
    assert offer(rider, case) is None


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"fixed": "yes"}, 422),
        ({"lon": "NaN"}, 422),
        ({"photos": ["up_of_another"] * 3}, 422),
        ({"captured_at": "9999-12-31T23:59:59.999Z"}, 422),
    ],
)
def test_a_hostile_riders_answer_is_refused_and_the_look_stays_open(
    world: World, wrong: dict[str, Any], status: int
) -> None:
    case, rider = fixed_without_photo(world), world.rider()
    task = offer(rider, case)
    assert task is not None

    refused = rider.app.post(
        f"/v1/rechecks/{task['id']}", {**an_answer(world, rider, task), **wrong}
    )

    assert refused.status == status
    assert offer(rider, case) == task


def test_a_tired_officer_who_acts_on_what_he_saw_an_hour_ago_is_told_and_changes_nothing(
    world: World,
) -> None:
    case = world.filed().claimed()
    seen = case.version
    done(case.act(world.lead, "note", text="已联系清运"))
    done(case.act(world.officer, "resolve", reason="gone_on_arrival"))
    path = f"/v1/cases/{case.case_id}"

    again = world.officer.app.post(
        f"{path}/resolve", {"version": seen, "reason": "gone_on_arrival"}
    )
    shown = done(world.officer.app.get(path)).body

    assert again.status == 409
    assert shown["status"] == "resolved"
