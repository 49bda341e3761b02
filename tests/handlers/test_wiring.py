"""The wiring makes every part, each on first use, and leaves nobody without a handler."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cached_property

import pytest

from handlers import wiring
from handlers.settings import Settings, SettingsError
from handlers.wiring import Services, services, use_services
from infra.local.client import Client
from infra.local.wechat import accounts
from models.alerts import messages
from models.alerts.entities import ChannelRefused, Recipient, Refusal, Template
from tests.support import source
from tests.support.world import World

PARTS = sorted(
    name for name in dir(Services) if isinstance(getattr(Services, name, None), cached_property)
)


@pytest.mark.parametrize("name", PARTS)
def test_every_part_can_be_made(name: str, world: World) -> None:
    assert getattr(world.services, name) is getattr(world.services, name)


def test_every_topic_that_is_put_into_the_outbox_has_a_handler(world: World) -> None:
    topics = {
        first.value
        for tree in source.modules().values()
        for name, call in source.calls(tree)
        if name == "row" and ast.unparse(call.func) == "outbox.row"
        for first in call.args[:1]
        if isinstance(first, ast.Constant)
    }

    assert topics
    assert topics <= set(world.services.outbox_handlers)


def test_the_ways_to_a_phone_stand_in_their_order(world: World) -> None:
    names = {role: [way.name for way in ways] for role, ways in world.services.channels.items()}

    assert names == {
        "officer": ["service", "employment", "subscription", "robot"],
        "rider": ["long_term", "subscription"],
    }


def test_every_template_of_a_role_has_an_id_where_it_is_sent(world: World) -> None:
    officers = {Template.OFFICER_ALERT, Template.ESCALATION, Template.DIGEST}
    for role, templates in (("officer", officers), ("rider", {Template.RIDER_PROGRESS})):
        for way in world.services.channels[role]:  # type: ignore[index]
            assert all(way.template_id(template) for template in templates), way.name


def test_a_robot_speaks_for_the_post_of_its_community(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = world.officer
    assert officer.post is not None
    grid = world.services.places.grid(officer.post.scope.removeprefix("grid:"))
    assert grid is not None
    monkeypatch.setitem(world.services._robot_keys, grid.community_id, accounts.ROBOT_KEY)
    robot = world.services.channels["officer"][-1]
    to = Recipient(member_id=officer.member_id, openid="-", service_openid=None)
    template, fields = messages.officer_alert(
        what="占道", where="某处", due_at=world.clock.now(), number="XY-0042"
    )

    robot.send(to, template=template, fields=fields, page="", dedupe_key="ntc_1")

    sent = Client(world.simulator.base_url).get("/_control/sent").body["items"]
    said = next(one for one in sent if one["channel"] == "robot")["data"]["content"]
    assert officer.post.display in said
    assert "XY-0042" in said


def test_an_official_without_a_community_has_no_robot(world: World) -> None:
    robot = world.services.channels["officer"][-1]
    to = Recipient(member_id=world.rider().member_id, openid="-", service_openid=None)

    with pytest.raises(ChannelRefused) as refused:
        robot.counter(to)

    assert refused.value.reason is Refusal.NOT_BOUND


def test_the_services_of_a_process_are_made_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "Services", lambda settings: object())
    use_services(None)

    assert services() is services()

    world.enter()


def test_a_process_with_wrong_settings_does_not_start(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "prod")
    use_services(None)

    with pytest.raises(SettingsError):
        services()

    world.enter()


def test_serving_http_imports_neither_pictures_nor_wechats_library() -> None:
    script = (
        "import sys, app; from handlers.wiring import Services; "
        "from handlers.settings import Settings; Services(Settings()); "
        "print([name for name in ('PIL', 'numpy', 'simplejpeg', 'wechatpy', 'requests', 'boto3')"
        " if name in sys.modules])"
    )

    run = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={"PYTHONPATH": f"{source.ROOT}:{source.ROOT / 'chalice_app'}", "PATH": ""},
    )

    assert run.stdout.strip() == "[]"
    assert Settings().stage == "local"
