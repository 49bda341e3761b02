"""Every line of a statement says in plain words what it was for and what else it did."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from models.points.entities import Entry, EntryKind, Legs
from models.points.sentences import LIMITS, REASONS, sentence
from tests.support.points import NOW

HAN = re.compile(r"[一-鿿]")


def an_entry(
    kind: EntryKind = EntryKind.AWARD,
    *,
    rule: str = "",
    legs: Legs | None = None,
    inputs: dict[str, Any] | None = None,
    **source: Any,
) -> Entry:
    return Entry(
        member_id="mem_1",
        seq=1,
        transfer_id="trf_1",
        kind=kind,
        rule=rule,
        county="411502",
        legs=legs or {},
        source={**source, **({"inputs": inputs} if inputs else {})},
        posted_at=NOW,
    )


def test_every_kind_of_entry_and_every_limit_is_said_in_both_languages() -> None:
    assert {kind.value for kind in EntryKind} <= set(REASONS)
    for zh, en in (*REASONS.values(), *LIMITS.values()):
        assert HAN.search(zh)
        assert not HAN.search(en)


@pytest.mark.parametrize("limit", [*LIMITS, "something.new"])
def test_an_award_that_met_a_limit_says_which_and_how_many_points_fewer(limit: str) -> None:
    inputs = {"gross": 10, "granted": 7, "limit": limit}

    said = sentence(an_entry(rule="report.first@2", legs={"a:2028-03": 7}, inputs=inputs))

    assert said.startswith("首次上报问题被受理；")
    assert said.endswith("已用完，少得 3 分" if limit == "budget" else "已达上限，少得 3 分")


def test_an_award_refused_by_a_limit_says_that_it_gives_nothing() -> None:
    inputs = {"gross": 1, "granted": 0, "limit": "act_day"}
    entry = an_entry(rule="station.check_in@1", inputs=inputs)

    assert sentence(entry) == "驿站打卡；当日此项已达上限，本次不计分"
    assert sentence(entry, "en") == (
        "Checked in at a station; this act's limit of the day was reached: no points this time"
    )


def test_an_award_in_full_says_nothing_of_limits() -> None:
    inputs = {"gross": 10, "granted": 10, "day": "2026-03-18"}

    assert sentence(an_entry(rule="report.early@1", inputs=inputs)) == "与首报同时发现问题"


def test_an_award_says_how_much_of_it_repaid_debt() -> None:
    legs = {"iss:recheck.passed@1": -3, "d": 1, "a:2028-03": 2}

    assert sentence(an_entry(rule="recheck.passed@1", legs=legs)) == "复拍核实；其中 1 分归还欠分"


def test_a_claw_back_says_what_became_debt_and_what_was_dropped() -> None:
    legs = {"iss:report.first@1": 20, "a:2028-03": -8, "d": -10, "wo:cap": -2}

    said = sentence(an_entry(EntryKind.CLAW_BACK, legs=legs))

    assert said == "积分收回；其中 10 分记为欠分；超出欠分上限的 2 分免除"


def test_a_write_off_is_not_told_as_repaid() -> None:
    entry = an_entry(EntryKind.WRITE_OFF, legs={"d": 10, "wo:old": -10})

    assert sentence(entry) == "欠分核销"


def test_what_matured_and_what_ran_out_meanwhile_is_said_on_the_next_line() -> None:
    legs = {
        "p:2026-03-17:2028-03": -5,
        "a:2028-03": 5,
        "a:2026-01": -4,
        "exp": 4,
        "h": 3,
        "a:2027-01": -3,
    }
    entry = an_entry(EntryKind.HOLD, legs=legs)

    assert sentence(entry) == "兑换权益，积分暂扣；此前待到账的 5 分已到账；到期积分清除 4"
    assert sentence(entry, "en") == (
        "Reward reserved, points held; 5 pending points became available; 4 expired points removed"
    )


def test_what_matures_by_the_close_of_its_case_is_not_told_twice() -> None:
    legs = {"p:2026-03-25:2028-03": -5, "a:2028-03": 5}

    assert sentence(an_entry(EntryKind.MATURITY, legs=legs)) == "问题办结，积分到账"


@pytest.mark.parametrize(
    ("kind", "rule", "reason", "said"),
    [
        (EntryKind.ADJUSTMENT, "", "missing", "积分更正：补记漏发的积分"),
        (EntryKind.WRITE_OFF, "", "relief", "欠分核销：生活困难"),
        (EntryKind.CLAW_BACK, "", "not_there", "积分收回：本人不在现场"),
        (EntryKind.AWARD, "hardship.grant@1", "applied", "关爱补助：本人申请"),
        (EntryKind.AWARD, "service.hour@1", "patrol", "志愿服务时长：巡查"),
        (EntryKind.ADJUSTMENT, "", "unheard_of", "积分更正"),
    ],
)
def test_what_two_people_decided_says_why(
    kind: EntryKind, rule: str, reason: str, said: str
) -> None:
    assert sentence(an_entry(kind, rule=rule, legs={"a:2028-03": 1}, reason=reason)) == said


def test_a_claw_back_says_of_what_it_is() -> None:
    source = {"reason": "old_photo", "rule": "report.first@1", "proposal": "prp_1"}
    taken = replace(an_entry(EntryKind.CLAW_BACK, legs={"a:2028-03": -10}), source=source)

    assert sentence(taken) == "积分收回（首次上报问题被受理）：照片不是当时当地所拍"
    assert sentence(taken, "en").startswith("Points taken back (First report")
