"""Whatever is put into the outbox has somebody who handles it; nothing waits there for ever."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.support import source
from tests.support.world import World


def told_topics() -> Iterator[str]:
    """The first text of every ``outbox.row(…)`` and ``tell(tx, …)`` in the models."""
    for path, tree in source.modules().items():
        if not path.startswith("models/"):
            continue
        for name, call in source.calls(tree):
            texts = [arg.value for arg in call.args if isinstance(arg, ast.Constant)]
            if name in ("row", "tell"):
                yield from (text for text in texts[:1] if isinstance(text, str))


def test_every_topic_that_is_told_is_handled(world: World) -> None:
    topics = {topic for topic in told_topics() if "." in topic}

    assert {"case.closed", "case.noted", "case.changed", "text.check"} <= topics
    assert topics <= set(world.services.outbox_handlers)


def test_every_change_of_a_case_is_logged_before_it_is_handled(world: World) -> None:
    notices = world.services.case_notices.handlers()
    wired = world.services.outbox_handlers

    plain = {topic for topic in notices if wired[topic] == notices[topic]}

    assert not {topic for topic in plain if topic.startswith("case.")}
