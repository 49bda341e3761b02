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
from tests.support import source
from tests.support.world import World

PARTS = sorted(name for name, part in vars(Services).items() if isinstance(part, cached_property))


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
