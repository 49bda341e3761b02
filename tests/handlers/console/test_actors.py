"""Every command of an admin bears the name of a post: it is kept, so it is never a person's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from handlers.console import (
    categories,
    closings,
    codes,
    decisions,
    duty,
    links,
    point_rules,
    queues,
    refunds,
    rewards,
    roster,
    solvency,
    thaws,
)
from tests.support.world import World

Command = Callable[[Mapping[str, Any]], dict[str, Any]]

COMMANDS: tuple[tuple[Command, dict[str, Any]], ...] = (
    (categories.on_invoke, {"content": "code\nE0493a"}),
    (closings.on_invoke, {"merchant_id": "mch_1"}),
    (codes.on_invoke, {"reward_id": "rwd_1", "batch": "x", "csv": "code\nabc"}),
    (decisions.on_propose, {"county": "411502", "kind": "adjustment"}),
    (duty.on_invoke, {"csv": "phone_key", "county": "411502"}),
    (links.on_invoke, {"csv": "phone_key"}),
    (point_rules.on_invoke, {"rules": [{"rule": "report.first", "points": 11}]}),
    (queues.on_invoke, {"redemption_id": "rdm_1", "decline": "not_granted"}),
    (refunds.on_invoke, {"redemption_id": "rdm_1", "step": "approve"}),
    (rewards.on_publish, {"content": []}),
    (rewards.on_change, {"reward_id": "rwd_1", "action": "pause"}),
    (roster.on_invoke, {"csv": "phone_key", "county": "411502"}),
    (solvency.on_invoke, {"members": {"411502": 5}}),
    (thaws.on_invoke, {"member_id": "mbr_1"}),
)


@pytest.mark.parametrize(("command", "event"), COMMANDS)
@pytest.mark.parametrize(
    "actor", ["13800138000", "desk-138-0013-8000", "desk +8613800138000", "41150219900101123X"]
)
def test_no_command_bears_a_phone_or_identity_number(
    world: World, command: Command, event: dict[str, Any], actor: str
) -> None:
    answer = str(command({**event, "actor": actor}))

    assert "actor" in answer
    assert "field.invalid" in answer
    assert actor not in answer
