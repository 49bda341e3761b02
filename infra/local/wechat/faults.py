"""Failures on demand, per path: refusals, bad statuses, slow, cut and lost answers."""

from typing import Any

from infra.local.wechat.errors import BadControl
from infra.local.wechat.world import World

_KINDS = ("errcode", "http", "timeout_s", "reset", "truncated")


def plan(world: World, body: dict[str, Any]) -> None:
    """Make the next `times` calls of `path` fail in one way; plans for a path queue up."""
    kinds = [kind for kind in _KINDS if body.get(kind)]
    if not isinstance(body.get("path"), str) or len(kinds) != 1:
        raise BadControl(f"needs path and exactly one of {', '.join(_KINDS)}")
    path = "/" + body["path"].lstrip("/")
    fault = {"kind": kinds[0], "value": body[kinds[0]], "after": bool(body.get("after"))}
    planned = world.store.get("fault", path) or []
    world.store.put("fault", path, planned + [fault] * int(body.get("times", 1)))


def take(world: World, path: str) -> dict[str, Any] | None:
    """Return the failure planned for this call and strike it out; None when all is well."""
    planned = world.store.get("fault", path)
    if not planned:
        return None
    world.store.put("fault", path, planned[1:])
    return dict(planned[0])


def keeps_effect(fault: dict[str, Any]) -> bool:
    """Tell whether the call is carried out although its answer goes wrong.

    Slow and truncated answers come after the work; a reset does when `after` was given.
    """
    return fault["kind"] in ("timeout_s", "truncated") or fault["after"]
