"""An admin takes in his county's leaves; the deputy takes over, and work left behind is told of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from handlers.console import duty
from handlers.events import roster as leavers
from infra.local.seed import geography
from infra.local.seed.roster import Post, posts
from models.alerts.tables import OutboxRow
from models.people.tables import leaves_of
from tests.conftest import NOW
from tests.support.world import EAST, Person, World, done

HEADING = "phone_key,scope,county,from,to,deputy_phone_key,reason"
COUNTY = geography.EAST_COUNTY


def key(world: World, post: Post) -> str:
    return world.services.pseudonyms.phone(post.phone)


def imported(world: World, *lines: str) -> dict[str, object]:
    event = {"csv": "\n".join([HEADING, *lines]), "county": COUNTY, "actor": "district"}
    return duty.on_invoke(event)


@pytest.fixture
def nobody_away(world: World) -> Iterator[None]:
    """Whatever a test sets off ends with it; a leave has ended the sessions of both."""
    officials, before = (world.officer, world.neighbouring_officer), world.clock.now()
    yield
    world.clock.set(before)
    imported(world)
    for official in officials:
        official.sign_in()


@pytest.mark.usefixtures("nobody_away")
def test_during_a_leave_the_deputy_claims_what_is_reported_and_afterwards_he_cannot(
    world: World,
) -> None:
    absent = world.posts()["officer"]
    deputy = world.neighbouring_officer
    assert deputy.post is not None
    line = f"{key(world, absent)},{absent.scope},{COUNTY},2026-03-19,2026-03-20"

    report = imported(world, f"{line},{key(world, deputy.post)},annual")
    world.clock.set(NOW + timedelta(days=1))
    deputy.sign_in()
    filed = world.filed()
    world.work()
    claimed = done(deputy.app.post(f"/v1/cases/{filed.case_id}/claim", {"version": 1})).body
    version = claimed["case"]["version"]
    back = {"version": version, "reason": "off_duty"}
    done(deputy.app.post(f"/v1/cases/{filed.case_id}/return", back))
    world.clock.set(NOW + timedelta(days=2))
    later = deputy.app.get(f"/v1/cases/{filed.case_id}")

    assert report == {"added": 1, "changed": 0, "removed": 0, "refused": []}
    assert claimed["case"]["claimed_by"] == deputy.post.display
    assert (later.status, later.body["code"]) == (404, "case.not_found")
    routing = filed.rider.app.get(f"/v1/reports/{filed.report_id}").body["routing"]
    assert routing["why"] == ["deputy_for_leave"]
    assert (routing["officer"], routing["stands_in_for"]) == (deputy.post.display, absent.display)


@pytest.mark.usefixtures("nobody_away")
def test_when_a_leave_begins_it_is_told_once_that_the_officer_left(world: World) -> None:
    officer: Person = world.officer
    assert officer.post is not None
    deputy = next(
        post
        for post in posts()
        if post.role == "officer" and post.county == COUNTY and post.scope != officer.post.scope
    )
    line = f"{key(world, officer.post)},{officer.post.scope},{COUNTY},2026-03-19,2026-03-20"
    imported(world, f"{line},{key(world, deputy)},sick")
    before = leavers.on_schedule()

    world.clock.set(NOW + timedelta(days=1))
    told = [leavers.on_schedule(), leavers.on_schedule()]

    assert (before, told) == ({"left": 0}, [{"left": 1}, {"left": 0}])
    events = [row for row in OutboxRow.scan() if row.topic == "roster.left"]
    assert (officer.member_id, [officer.post.scope]) in [
        (row.payload["member_id"], row.payload["scopes"]) for row in events
    ]
    assert all(row.county == COUNTY for row in events)
    for row in events:
        row.delete()


def test_a_bad_line_is_answered_by_its_number_and_code_and_nothing_is_written(
    world: World,
) -> None:
    post = world.posts(EAST)["officer"]
    line = f"{key(world, post)},,{COUNTY},2026-03-19,2026-03-20,{key(world, post)},annual"

    answer = imported(world, line)

    assert answer["refused"] == [{"line": 2, "code": "leave.own_deputy"}]
    assert leaves_of(COUNTY) == []
