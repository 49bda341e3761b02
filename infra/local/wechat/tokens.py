"""Access tokens: the legacy kind that replaces itself and the stable kind that does not."""

import secrets
from typing import Any

from infra.local.wechat.accounts import Account
from infra.local.wechat.errors import WeChatError
from infra.local.wechat.wire import Answer, Request, json_answer
from infra.local.wechat.world import World

LIFETIME_S = 7200
OVERLAP_S = 300
FORCED_PER_DAY = 20
FORCED_GAP_S = 30
_DAY_S = 86400


def legacy_token(world: World, request: Request) -> Answer:
    """GET cgi-bin/token: a new token each time; the one before lives 5 minutes longer."""
    account = check_credentials(world, request.query, grant_type="client_credential")
    replaced = world.store.get("current", f"legacy:{account.appid}")
    if replaced is not None:
        kept = world.store.get("token", replaced)
        kept["expires_at"] = min(kept["expires_at"], world.now() + OVERLAP_S)
        world.store.put("token", replaced, kept)
    return _token_answer(world, _mint(world, account, "legacy"))


def stable_token(world: World, request: Request) -> Answer:
    """POST cgi-bin/stable_token: the same token while it has more than 5 minutes to live."""
    body = request.json()
    account = check_credentials(world, body, grant_type="client_credential")
    current = world.store.get("current", f"stable:{account.appid}")
    if current is not None and body.get("force_refresh") is True:
        current = _kill_if_allowed(world, account, current)
    if current is None or _seconds_left(world, current) <= OVERLAP_S:
        current = _mint(world, account, "stable")
    return _token_answer(world, current)


def require_token(world: World, request: Request, account_name: str) -> Account:
    """Return the account whose token is in the query, or refuse.

    41001 missing, 40001 unknown or replaced, 42001 expired, 48001 the other account's.
    """
    text = request.query.get("access_token", "")
    if not text:
        raise WeChatError(41001)
    token = world.store.get("token", text)
    if token is None or token["killed"]:
        raise WeChatError(40001)
    if token["expires_at"] <= world.now():
        raise WeChatError(42001)
    account = world.account(token["appid"])
    if account.name != account_name:
        raise WeChatError(48001)
    return account


def check_credentials(world: World, given: Any, *, grant_type: str) -> Account:
    """Return the account an appid and secret belong to: 40002, 41002, 41004, 40013, 40125."""
    if given.get("grant_type") != grant_type:
        raise WeChatError(40002)
    for name, missing in (("appid", 41002), ("secret", 41004)):
        if not given.get(name):
            raise WeChatError(missing)
    account = world.account(str(given["appid"]))
    if given["secret"] != account.secret:
        raise WeChatError(40125)
    return account


def end_tokens(world: World, appid: str, *, killed: bool) -> None:
    """Make every token of an account expire now (42001) or be replaced (40001)."""
    for text, token in world.store.all("token").items():
        if token["appid"] == appid:
            expires_at = token["expires_at"] if killed else min(token["expires_at"], world.now())
            world.store.put("token", text, {**token, "killed": killed, "expires_at": expires_at})
    world.store.delete("current", f"stable:{appid}")
    world.store.delete("current", f"legacy:{appid}")


def _kill_if_allowed(world: World, account: Account, current: str) -> str | None:
    if not world.take_turn(f"force-gap:{account.appid}", limit=1, window_s=FORCED_GAP_S):
        return current
    if not world.take_turn(f"force:{account.appid}", limit=FORCED_PER_DAY, window_s=_DAY_S):
        raise WeChatError(45009)
    world.store.put("token", current, {**world.store.get("token", current), "killed": True})
    return None


def _mint(world: World, account: Account, kind: str) -> str:
    text = f"{kind}_{secrets.token_urlsafe(96)}"
    expires_at = world.now() + LIFETIME_S
    world.store.put(
        "token", text, {"appid": account.appid, "expires_at": expires_at, "killed": False}
    )
    world.store.put("current", f"{kind}:{account.appid}", text)
    return text


def _seconds_left(world: World, text: str) -> int:
    return int(world.store.get("token", text)["expires_at"] - world.now() + 0.5)


def _token_answer(world: World, text: str) -> Answer:
    return json_answer({"access_token": text, "expires_in": _seconds_left(world, text)})
