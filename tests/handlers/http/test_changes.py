"""What changed, over HTTP: a report's whole life as rider, joiner and officer follow it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from infra.local.client import Reply
from models.alerts import feed
from models.alerts.feed import Change
from models.alerts.tables import ChangeRow
from models.base.ids import seq_text
from models.base.store import delete, get
from models.cases.tables import CaseRow
from tests.support.meter import metered
from tests.support.world import Person, World, done, path_with


class Following:
    """One person's app: it keeps a cursor, and asks from there."""

    def __init__(self, person: Person, **query: Any) -> None:
        self.person = person
        self.query = query
        self.cursor: str | None = None
        self.points: dict[str, Any] | None = None

    def page(self, **query: Any) -> Reply:
        asked = {**self.query, **query} | ({"cursor": self.cursor} if self.cursor else {})
        return self.person.app.get(path_with("/v1/changes", asked))

    def items(self, **query: Any) -> list[dict[str, Any]]:
        """Everything new, page after page."""
        found: list[dict[str, Any]] = []
        for _ in range(100):
            page = done(self.page(**query)).body
            self.cursor = page["next_cursor"]
            self.points = page["points"] or self.points
            found += page["items"]
            if not page["has_more"]:
                return found
        raise AssertionError("a log without end")

    def news(self, **query: Any) -> list[tuple[str, str]]:
        """What is new, in short."""
        return [(item["kind"], item["change"]) for item in self.items(**query)]


def of(news: list[tuple[str, str]], *kinds: str) -> list[str]:
    return [change for kind, change in news if kind in kinds]


def from_now(person: Person) -> Following:
    following = Following(person)
    assert following.items(start="now") == []
    return following


def minutes(world: World, count: int = 1) -> None:
    world.clock.advance(timedelta(minutes=count))


def test_a_reports_life_is_followed_by_rider_joiner_and_officer(world: World) -> None:
    officer = from_now(world.officer)
    filed = world.filed()
    rider, joiner = Following(filed.rider), world.rider()
    world.work()

    assert of(rider.news(), "report") == ["submit"]
    assert of(officer.news(), "case") == ["submit"]

    minutes(world)
    photo = joiner.upload("DSCN0010.jpg", waits=True)
    body = world.report_body([photo], same_as=filed.case_id)
    done(joiner.app.post("/v1/reports", body))
    following = Following(joiner)
    minutes(world)
    filed.claimed()
    minutes(world)
    filed.resolved()
    world.work()
    minutes(world)
    done(filed.rider.app.post(f"/v1/reports/{filed.report_id}/verdict", {"satisfied": True}))
    world.work()

    news = rider.news()
    assert of(news, "report") == ["join", "claim", "resolve", "confirm"]
    assert of(news, "points") == ["award", "maturity"]
    assert set(of(news, "inbox")) == {"told"}
    assert len(news) == len(of(news, "report", "points", "inbox"))
    joined = following.news()
    assert of(joined, "report") == ["join", "claim", "resolve", "confirm"]
    assert of(joined, "points") == ["award", "maturity"]
    assert of(officer.news(), "case") == ["join", "claim", "resolve", "confirm"]
    assert (rider.news(), following.news(), officer.news()) == ([], [], [])


def test_things_are_shown_as_their_lists_show_them(world: World) -> None:
    filed = world.filed().claimed()
    world.work()
    app, officer = filed.rider.app, world.officer.app

    following = Following(filed.rider)
    mine = {item["kind"]: item for item in following.items()}
    [case] = [
        item["case"]
        for item in Following(world.officer).items()
        if (item["id"], item["change"]) == (filed.case_id, "claim")
    ]

    assert mine["report"]["report"] == app.get("/v1/reports").body["items"][0]
    assert mine["inbox"]["message"] == app.get("/v1/inbox").body["items"][0]
    assert mine["points"]["entry"] == app.get("/v1/points/entries").body["items"][0]
    assert following.points == app.get("/v1/points").body
    listed = officer.get(path_with("/v1/cases", {"limit": 100, "status": "claimed"})).body
    assert case in listed["items"]


def test_every_change_says_in_words_what_it_is(world: World) -> None:
    filed = world.filed().claimed()
    world.work()

    changes = {(item["kind"], item["change_text"]) for item in Following(filed.rider).items()}

    assert ("report", "接单") in changes
    assert ("inbox", "新消息") in changes
    assert ("points", "首次上报问题被受理") in changes


def test_redemptions_are_followed_by_what_they_do_to_points(world: World) -> None:
    rider = world.redeemer()
    following = from_now(rider)
    reply = done(rider.app.post("/v1/redemptions", {"reward_id": world.haircut})).body
    voucher = reply["redemption"]
    done(world.merchant.app.post("/v1/redemptions/fulfil", {"code": voucher["code"]}))

    items = following.items()

    assert [(item["kind"], item["change"]) for item in items] == [
        ("redemption", "hold"),
        ("redemption", "settle"),
    ]
    assert items[0]["redemption"] == rider.app.get("/v1/redemptions").body["items"][0]
    assert items[0]["id"] == voucher["id"]
    assert items[0]["entry"]["held"] == -items[1]["entry"]["held"] > 0


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_pages_of_any_size_give_the_same(world: World, limit: int) -> None:
    filed = world.filed().claimed().resolved()
    world.work()
    whole = Following(filed.rider).items(limit=100)

    paged = Following(filed.rider).items(limit=limit)

    assert [item["id"] for item in paged] == [item["id"] for item in whole]
    assert len(whole) > limit


def test_a_lost_page_is_asked_for_again(world: World) -> None:
    filed = world.filed().claimed()
    world.work()
    following = Following(filed.rider, limit=2)

    first, again = following.page(), following.page()

    assert first.body == again.body


def test_nobody_is_shown_anothers_changes(world: World) -> None:
    watching = [
        from_now(person)
        for person in (world.bystander, world.foreign_officer, world.neighbouring_officer)
    ]
    world.filed().claimed().resolved()
    world.work()

    assert [following.items() for following in watching] == [[], [], []]


def test_a_cursor_of_anothers_opens_nothing(world: World) -> None:
    theirs = from_now(world.rider()).cursor
    mine = Following(world.bystander)
    mine.cursor = theirs

    reply = mine.page()

    assert (reply.status, reply.body["fields"][0]["field"]) == (422, "cursor")


def test_a_case_that_left_the_officers_scope_is_gone_and_tells_nothing(world: World) -> None:
    officer = from_now(world.officer)
    filed = world.filed()
    world.work()
    case = get(CaseRow, filed.case_id)
    assert case is not None
    elsewhere = [CaseRow.grid_id.set("elsewhere"), CaseRow.community_id.set("elsewhere")]
    case.update(actions=elsewhere)

    items = [item for item in officer.items() if item["kind"] == "case"]

    [gone] = [item for item in items if item["id"] == filed.case_id]
    assert set(gone) == {"kind", "id", "at", "change", "change_text", "gone"}
    assert (gone["gone"], gone["change"], gone["change_text"]) == (True, None, None)


def test_what_was_erased_is_gone(world: World) -> None:
    rider = world.rider()
    change = Change(
        member_id=rider.member_id,
        county="411503",
        kind="report",
        thing_id="rpt_gone",
        change="claim",
        at=world.clock.now(),
        key="erased",
    )
    feed.append(change, world.clock.now())

    [item] = Following(rider).items()

    assert (item["id"], item["gone"]) == ("rpt_gone", True)


def test_who_comes_too_late_loads_the_lists_and_goes_on_from_the_cursor_given(
    world: World,
) -> None:
    filed = world.filed()
    world.work()
    following = Following(filed.rider, limit=1)
    following.cursor = done(following.page()).body["next_cursor"]
    filed.claimed()
    world.work()
    for number in (1, 2):
        delete(ChangeRow(filed.rider.member_id, seq_text(number)))

    reply = following.page()
    following.cursor = reply.body["details"]["cursor"]

    assert (reply.status, reply.body["code"]) == (409, "changes.cursor_too_old")
    assert following.items() == []
    minutes(world)
    filed.resolved()
    world.work()
    assert of(following.news(), "report") == ["resolve"]


def test_a_note_reaches_colleagues_and_not_the_rider(world: World) -> None:
    lead = world.lead
    filed = world.filed()
    world.work()
    rider, colleague = from_now(filed.rider), from_now(lead)
    minutes(world)
    path = f"/v1/cases/{filed.case_id}/note"
    done(world.officer.app.post(path, {"text": "门卫已联系"}))
    world.work()

    assert colleague.news() == [("case", "note")]
    assert rider.news() == []


def test_a_photo_that_becomes_ready_later_is_a_change(world: World) -> None:
    rider = world.rider()
    photo = rider.upload("DSCN0021.jpg")
    done(rider.app.post("/v1/reports", world.report_body([photo])))
    from handlers.events import outbox

    outbox.on_schedule()
    following = from_now(rider)
    world.work()

    assert of(following.news(), "report") == ["photo"]


def test_a_page_costs_two_queries_and_at_most_two_batch_reads(world: World) -> None:
    for _ in range(3):
        world.filed().claimed()
    world.work()
    following = Following(world.officer, limit=100)

    with metered() as officers:
        done(following.page())
    rider = world.filed().claimed().rider
    world.work()
    with metered() as riders:
        done(Following(rider, limit=100).page())

    session = ["GetItem"]
    assert sorted(officers.calls) == sorted([*session, "Query", "Query", "BatchGetItem"])
    assert sorted(riders.calls) == sorted(
        [*session, "Query", "Query", "BatchGetItem", "BatchGetItem"]
    )
