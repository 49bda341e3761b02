"""Officials handle a case: one wins, nobody handles his own, a fix is proven."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from models.base.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from models.base.ids import new_id
from models.base.store import get
from models.cases import awards
from models.cases.commands import Command
from models.cases.entities import Action, Purpose, Status, UploadState
from models.cases.imaging import SAME_SCENE_DHASH_LIMIT
from models.cases.tables import CaseRow, UploadRow
from models.people.entities import Actor, RoleName
from models.points.ledger import transfer
from tests.support.cases import Town, a_photo, a_rider
from tests.support.faults import lost_reply


def refusal_of(town: Town, actor: Actor, case: CaseRow, action: Action, **values: Any) -> str:
    with pytest.raises(DomainError) as refusal:
        town.act(actor, case, action, **values)
    return refusal.value.code


def test_a_claim_accepts_the_report_and_its_points_are_pending(town: Town) -> None:
    case = town.filed()

    answer = town.act(town.officer, case, Action.CLAIM)

    award = transfer(awards.award_id(case.report_id))
    assert (answer["status"], answer["version"]) == ("claimed", 2)
    assert answer["claimed_by"] == "网格员一"
    assert award is not None
    assert (award.member_id, award.points) == (case.member_id, 10)


def test_of_two_claims_at_once_one_wins_and_the_other_learns_who(town: Town) -> None:
    for _ in range(5):
        case = town.filed()
        commands = {
            actor.member_id: Command(
                client_request_id=new_id("crid"), action=Action.CLAIM, version=1
            )
            for actor in (town.officer, town.lead)
        }

        def claim(actor: Actor, case: CaseRow = case, commands: Any = commands) -> Any:
            try:
                return town.handling.act(actor, case.case_id, commands[actor.member_id])
            except Conflict as refusal:
                return refusal

        with ThreadPoolExecutor(2) as pool:
            officers, leads = pool.map(claim, (town.officer, town.lead))

        won, lost = (officers, leads) if isinstance(leads, Conflict) else (leads, officers)
        winner = town.officer if won is officers else town.lead
        assert lost.code == "case.claimed_by_other"
        assert lost.details["by"] == won["claimed_by"]
        assert claim(winner) == won, "the winner's repeated request is still a success"
        assert len(town.events(case.case_id)) == 2


def test_a_lost_reply_to_a_claim_is_a_success_and_pays_once(town: Town) -> None:
    case = town.filed()

    with lost_reply() as lost:
        answer = town.act(town.officer, case, Action.CLAIM)

    assert lost
    assert answer["status"] == "claimed"
    assert len(town.events(case.case_id)) == 2


def test_a_repeated_command_answers_as_before_also_later(town: Town) -> None:
    case = town.filed()
    command = Command(client_request_id="first", action=Action.CLAIM, version=1)
    answer = town.handling.act(town.officer, case.case_id, command)
    town.resolve(town.case(case.case_id))

    again = town.handling.act(town.officer, case.case_id, command)

    assert again == answer


def test_a_commands_id_with_other_content_is_refused(town: Town) -> None:
    case = town.filed()
    town.act(town.officer, case, Action.CLAIM, client_request_id="one")
    claimed = town.case(case.case_id)

    code = refusal_of(
        town, town.officer, claimed, Action.NOTE, client_request_id="one", text="别的"
    )

    assert code == "request.reused"


def test_a_stale_version_is_refused_with_the_case_as_it_is(town: Town) -> None:
    case = town.filed()
    town.act(town.lead, case, Action.ASSIGN, officer=next(iter(town.handling.officers(case))))

    with pytest.raises(Conflict) as refusal:
        town.act(town.officer, case, Action.REJECT, reason="not_a_problem")

    assert refusal.value.code == "case.version_conflict"
    assert refusal.value.details["case"]["version"] == 2


def test_a_command_without_the_version_it_saw_is_refused(town: Town) -> None:
    case = town.filed()

    with pytest.raises(Invalid) as refusal:
        town.act(town.officer, case, Action.CLAIM, version=None)

    assert [bad.field for bad in refusal.value.fields] == ["version"]


def test_nobody_handles_a_case_that_he_reported_or_joined(town: Town) -> None:
    reported = town.filed(town.officer)
    joined = town.filed()
    town.intake.submit(town.officer, town.a_report(town.officer, same_as=joined.case_id))

    for case in (reported, town.case(joined.case_id)):
        assert refusal_of(town, town.officer, case, Action.CLAIM) == "case.own_report"
        assert town.act(town.lead, case, Action.CLAIM)["status"] == "claimed"


def test_an_officer_of_another_grid_finds_nothing(town: Town) -> None:
    case = town.filed()
    stranger = Town(town.clock).officer

    with pytest.raises(NotFound):
        town.act(stranger, case, Action.CLAIM)


def test_a_role_of_another_county_opens_nothing_even_with_the_same_scope(town: Town) -> None:
    case = town.filed()
    abroad = Town(town.clock, county="411502")
    impostor = abroad.an_official(RoleName.OFFICER, "外县网格员", scope=f"grid:{town.grid.grid_id}")

    with pytest.raises(NotFound):
        town.act(impostor, case, Action.CLAIM)


def test_an_action_that_a_part_never_has_is_forbidden(town: Town) -> None:
    case = town.filed()

    with pytest.raises(Forbidden):
        town.act(town.officer, case, Action.ASSIGN, officer="off_x")


def test_a_fix_is_proven_with_a_photo_that_is_then_the_cases(town: Town) -> None:
    case = town.claimed()
    photo = a_photo(town.officer, purpose=Purpose.RESOLUTION)

    town.act(town.officer, case, Action.RESOLVE, photos=(photo,))

    resolved, upload = town.case(case.case_id), get(UploadRow, photo)
    assert resolved.status == Status.RESOLVED
    assert list(resolved.after or ()) == [photo]
    assert upload is not None
    assert upload.case_id == case.case_id


def test_a_fix_needs_a_photo_or_a_reason_for_none(town: Town) -> None:
    case = town.claimed()

    bare = refusal_of(town, town.officer, case, Action.RESOLVE)
    with_reason = town.act(town.officer, case, Action.RESOLVE, reason="gone_on_arrival")

    assert bare == "request.invalid"
    assert with_reason["status"] == "resolved"


def test_the_reported_photo_does_not_prove_a_fix(town: Town) -> None:
    rider = a_rider()
    case = town.claimed(rider, photos=(a_photo(rider, sha256="a" * 64, dhash=0),))
    same = a_photo(town.officer, purpose=Purpose.RESOLUTION, sha256="a" * 64)
    alike = a_photo(
        town.officer, purpose=Purpose.RESOLUTION, dhash=(1 << SAME_SCENE_DHASH_LIMIT) - 1
    )
    other = a_photo(
        town.officer, purpose=Purpose.RESOLUTION, dhash=(1 << SAME_SCENE_DHASH_LIMIT + 1) - 1
    )

    codes = [
        refusal_of(town, town.officer, case, Action.RESOLVE, photos=(photo,))
        for photo in (same, alike)
    ]

    assert codes == ["resolution.same_photo", "resolution.too_alike"]
    assert town.act(town.officer, case, Action.RESOLVE, photos=(other,))["status"] == "resolved"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"state": UploadState.PROCESSING}, "photo.not_ready"),
        ({"state": UploadState.REFUSED, "reason": "photo.damaged"}, "photo.refused"),
        ({"purpose": Purpose.REPORT}, "photo.wrong_purpose"),
        ({"case_id": "case_other"}, "photo.in_use"),
    ],
)
def test_an_after_photo_must_be_able_to_serve(
    town: Town, values: dict[str, Any], code: str
) -> None:
    case = town.claimed()
    photo = a_photo(town.officer, **{"purpose": Purpose.RESOLUTION, **values})

    assert refusal_of(town, town.officer, case, Action.RESOLVE, photos=(photo,)) == code


def test_another_officers_photo_is_unknown(town: Town) -> None:
    case = town.claimed()
    photo = a_photo(town.lead, purpose=Purpose.RESOLUTION)

    code = refusal_of(town, town.officer, case, Action.RESOLVE, photos=(photo,))

    assert code == "photo.unknown"


def test_only_who_claimed_resolves_or_returns_but_the_lead_may(town: Town) -> None:
    case = town.filed()
    town.act(town.lead, case, Action.CLAIM)
    claimed = town.case(case.case_id)

    code = refusal_of(town, town.officer, claimed, Action.RETURN, reason="off_duty")
    returned = town.act(town.lead, claimed, Action.RETURN, reason="wrong_grid")

    assert code == "case.claimed_by_other"
    assert returned["status"] == "assigned"
    assert returned["claimed_by"] is None


def test_a_case_that_was_accepted_once_is_never_refused(town: Town) -> None:
    case = town.claimed()
    town.act(town.officer, case, Action.RETURN, reason="off_duty")
    returned = town.case(case.case_id)

    code = refusal_of(town, town.officer, returned, Action.REJECT, reason="not_a_problem")

    assert code == "case.accepted_before"


def test_a_second_claim_after_a_return_does_not_pay_again(town: Town) -> None:
    case = town.claimed()
    town.act(town.officer, case, Action.RETURN, reason="off_duty")
    before = transfer(awards.award_id(case.report_id))

    answer = town.act(town.lead, town.case(case.case_id), Action.CLAIM)

    after = transfer(awards.award_id(case.report_id))
    assert answer["status"] == "claimed"
    assert before is not None
    assert after is not None
    assert after.seq == before.seq


def test_a_refusal_needs_a_reason_from_the_list(town: Town) -> None:
    case = town.filed()

    bare = refusal_of(town, town.officer, case, Action.REJECT)
    invented = refusal_of(town, town.officer, case, Action.REJECT, reason="no_mood")
    given = town.act(town.officer, case, Action.REJECT, reason="not_visible")

    assert (bare, invented) == ("request.invalid", "request.invalid")
    assert given["status"] == "rejected"
    assert town.case(case.case_id).cell is None, "nobody is led to it any more"


def test_the_lead_assigns_to_somebody_on_duty(town: Town) -> None:
    second = town.an_official(RoleName.OFFICER, "网格员二")
    town.roster.forget()
    case = town.claimed()
    officers = {entry.display: ref for ref, entry in town.handling.officers(case).items()}

    town.act(town.lead, case, Action.ASSIGN, officer=officers["网格员二"])
    unknown = refusal_of(
        town, town.lead, town.case(case.case_id), Action.ASSIGN, officer="off_unknown"
    )

    assigned = town.case(case.case_id)
    assert (assigned.status, assigned.assigned_to) == ("assigned", second.member_id)
    assert assigned.claimer_id is None
    assert unknown == "request.invalid"


def test_notes_commute_and_are_kept_once(town: Town) -> None:
    case = town.filed()

    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda text: town.act(
                    town.officer, case, Action.NOTE, text=text, client_request_id=text
                ),
                ("一", "二", "二", "三"),
            )
        )

    notes = [event.text for event in town.events(case.case_id) if event.action == "note"]
    assert sorted(notes) == sorted(["一", "二", "三"])
    assert town.case(case.case_id).version == 1


@pytest.mark.parametrize("text", [None, " ", "字" * 501])
def test_a_note_says_something_and_not_too_much(town: Town, text: str | None) -> None:
    case = town.filed()

    assert refusal_of(town, town.officer, case, Action.NOTE, text=text) == "request.invalid"


def test_every_version_has_one_event_and_the_history_has_no_gap(town: Town) -> None:
    case = town.resolved()

    events = [event.event_id for event in town.events(case.case_id)]

    assert events == ["v00001", "v00002", "v00003"]
    assert case.version == 3
