"""Merging, splitting, handing over and acting on many, over the whole product."""

from __future__ import annotations

from typing import Any

from tests.support.world import Filed, Person, World, done


def batch(world: World, person: Person, action: str, *filed: Filed, **needs: Any) -> Any:
    items = [{"case_id": each.case_id, "version": each.version} for each in filed]
    return person.app.post("/v1/cases/actions", {"action": action, "items": items, **needs})


def test_a_merged_rider_sees_hears_and_judges_what_the_parent_becomes(world: World) -> None:
    parent, merged = world.filed(), world.filed()
    version = parent.version
    done(
        merged.act(
            world.lead,
            "merge",
            reason="same_thing",
            into=parent.case_id,
            into_version=version,
        )
    )
    parent.claimed()
    world.work()
    parent.resolved()
    world.work()

    shown = done(merged.rider.app.get(f"/v1/reports/{merged.report_id}")).body
    heard = done(merged.rider.app.get("/v1/inbox")).body["items"]
    verdict = merged.rider.app.post(f"/v1/reports/{merged.report_id}/verdict", {"satisfied": True})

    assert shown["case"]["id"] == parent.case_id
    assert shown["case"]["status"] == "resolved"
    assert shown["merged_from"] is not None
    assert len(shown["after_photos"]) == 1
    assert shown["points"]["points"] == 10
    assert shown["allowed_actions"] == ["verdict"]
    assert {"case.merged", "case.claimed", "case.resolved"} <= {item["kind"] for item in heard}
    assert done(verdict).body["case"]["id"] == parent.case_id


def test_an_official_sees_what_was_merged_and_what_it_was_merged_into(world: World) -> None:
    parent, merged = world.filed(), world.filed()
    done(merged.act(world.officer, "merge", reason="same_thing", into=parent.case_id))

    of_parent = done(world.officer.app.get(f"/v1/cases/{parent.case_id}")).body["related"]
    of_merged = done(world.officer.app.get(f"/v1/cases/{merged.case_id}")).body

    assert [each["id"] for each in of_parent["merged"]] == [merged.case_id]
    assert of_merged["related"]["merged_into"]["id"] == parent.case_id
    assert "unmerge" in [offer["action"] for offer in of_merged["allowed_actions"]]


def test_a_rider_sees_the_parts_of_what_he_reported_and_hears_of_each(world: World) -> None:
    filed = world.filed()
    done(filed.act(world.officer, "split", reason="several_problems", categories=["E0110"]))
    world.work()

    shown = done(filed.rider.app.get(f"/v1/reports/{filed.report_id}")).body
    heard = done(filed.rider.app.get("/v1/inbox")).body["items"]

    assert [part["category"] for part in shown["parts"]] == ["E0110"]
    assert [part["status"] for part in shown["parts"]] == ["assigned"]
    assert "case.parted" in {item["kind"] for item in heard}


def test_a_case_handed_over_is_accepted_and_comes_back(world: World) -> None:
    filed = world.filed()

    handed = done(filed.act(world.lead, "transfer", reason="police_matter", receiver="police")).body
    away = done(filed.act(world.lead, "accept", external_ref="GA-2026/7")).body
    back = done(filed.act(world.lead, "return", reason="not_accepted")).body
    world.work()

    assert [each["case"]["status"] for each in (handed, away, back)] == [
        "transferred",
        "external",
        "assigned",
    ]


def test_a_batch_answers_for_each_case(world: World) -> None:
    first, second = world.filed(), world.filed().claimed()

    answer = done(batch(world, world.lead, "claim", first, second)).body

    assert (answer["done"], answer["refused"]) == (1, 1)
    good, bad = answer["items"]
    assert (good["ok"], good["case"]["status"], good["code"]) == (True, "claimed", None)
    assert (bad["ok"], bad["case"], bad["code"]) == (False, None, "case.claimed_by_other")
    assert bad["message"].startswith("已由")


def test_foreign_cases_are_unknown_one_by_one(world: World) -> None:
    own, foreign = world.filed(), world.filed()
    items = [
        {"case_id": own.case_id, "version": own.version},
        {"case_id": foreign.case_id, "version": foreign.version},
    ]

    answer = done(
        world.foreign_officer.app.post("/v1/cases/actions", {"action": "claim", "items": items})
    ).body

    assert [item["code"] for item in answer["items"]] == ["case.not_found"] * 2


def test_a_batch_must_name_an_action_of_officials_and_each_case_once(world: World) -> None:
    filed = world.filed()
    item = {"case_id": filed.case_id, "version": 1}

    unknown = world.lead.app.post("/v1/cases/actions", {"action": "withdraw", "items": [item]})
    twice = world.lead.app.post("/v1/cases/actions", {"action": "claim", "items": [item, item]})
    none = world.lead.app.post("/v1/cases/actions", {"action": "claim", "items": []})

    assert (unknown.status, unknown.body["fields"][0]["field"]) == (422, "action")
    assert (twice.status, twice.body["fields"][0]["code"]) == (422, "case.twice")
    assert none.status == 422


def test_the_hand_over_file_has_what_is_needed_and_nobodys_name(world: World) -> None:
    filed = world.filed().claimed()
    note = {"text": "内部备注"}
    done(world.officer.app.post(f"/v1/cases/{filed.case_id}/note", note))
    done(filed.act(world.lead, "transfer", reason="police_matter", receiver="police"))

    reply = done(world.lead.app.get(f"/v1/cases/{filed.case_id}/hand-over"))

    file = reply.body
    assert (file["receiver"], file["receiver_text"]) == ("police", "公安")
    assert file["datum"] == "GCJ-02"
    assert file["routing"]["reason"]
    assert len(file["photos"]) + file["photos_withheld"] == 1
    assert [event["action"] for event in file["history"]][-1] == "transfer"
    text = str(file)
    assert filed.rider.member_id not in text
    assert "骑手" not in text
    assert "内部备注" not in text


def test_the_hand_over_page_is_whole_in_itself_and_runs_nothing(world: World) -> None:
    filed = world.filed()
    done(filed.act(world.lead, "note", text="x"))
    done(
        filed.act(
            world.lead,
            "transfer",
            reason="police_matter",
            receiver="police",
            text="<script>alert(1)</script>",
            external_ref="GA-2026/8",
        )
    )

    reply = world.lead.app.get(f"/v1/cases/{filed.case_id}/hand-over?format=html")

    page = reply.body.decode() if isinstance(reply.body, bytes) else str(reply.body)
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert "案件移交单" in page
    assert "GA-2026/8" in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_hand_over_file_of_another_format_is_refused(world: World) -> None:
    filed = world.filed()

    reply = world.lead.app.get(f"/v1/cases/{filed.case_id}/hand-over?format=docx")

    assert (reply.status, reply.body["fields"][0]["code"]) == (422, "field.not_allowed")


def test_lists_and_changes_show_the_case_that_goes_on_for_a_merged_one(world: World) -> None:
    parent, merged = world.filed(), world.filed()
    done(merged.act(world.lead, "merge", reason="same_thing", into=parent.case_id))
    parent.claimed()
    world.work()

    (listed,) = done(merged.rider.app.get("/v1/reports")).body["items"]
    changed = done(merged.rider.app.get("/v1/changes")).body["items"]

    reports = [item["report"]["case"]["id"] for item in changed if item["kind"] == "report"]
    assert (listed["id"], listed["case"]["id"]) == (merged.report_id, parent.case_id)
    assert listed["case"]["status"] == "claimed"
    assert set(reports) == {parent.case_id}
