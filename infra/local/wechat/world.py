"""The state every endpoint works on: clock, settings, accounts, templates, limits, messages."""

import secrets
import time
from collections.abc import Mapping
from typing import Any

from infra.local.wechat.accounts import ACCOUNTS, PAGES, ROBOT_KEY, TEMPLATES, Account
from infra.local.wechat.errors import WeChatError
from infra.local.wechat.store import Store

DEFAULT_SETTINGS: Mapping[str, Any] = {
    "mini_push_url": None,
    "service_push_url": None,
    "push_attempts": 3,
    "push_retry_gap_s": 1.0,
    "push_timeout_s": 5.0,
    "media_delay_s": 1.0,
    "pages": list(PAGES),
    "robot_keys": [ROBOT_KEY],
    "keywords": {"赌博": "risky", "办证刻章": "risky", "待审样词": "review"},
}


class World:
    """What WeChat would know. Every method expects the store's transaction to be held."""

    def __init__(self, store: Store) -> None:
        self.store = store
        with store.transaction():
            self._register_default_templates()

    def now(self) -> float:
        """Return the virtual time: seconds since 1970, the real clock plus the offset."""
        return time.time() + (self.store.get("clock", "offset_s") or 0.0)

    def set_clock_offset(self, offset_s: float) -> None:
        """Move the clock; what waits keeps its distance when time goes backwards."""
        moved_s = offset_s - (self.store.get("clock", "offset_s") or 0.0)
        if moved_s < 0:
            self.store.run("UPDATE pushes SET due_at = due_at + ?", moved_s)
        self.store.put("clock", "offset_s", offset_s)

    def setting(self, name: str) -> Any:
        """Return a setting: what `configure` gave, else the default."""
        kept = self.store.get("setting", name)
        return DEFAULT_SETTINGS[name] if kept is None else kept

    def account(self, appid: str) -> Account:
        """Return the account with this appid; 40013 when there is none."""
        for account in ACCOUNTS:
            if account.appid == appid:
                return account
        raise WeChatError(40013)

    def template(self, template_id: object, *audiences: str) -> dict[str, Any]:
        """Return a registered template for one of the audiences; 40037 when there is none."""
        found = self.store.get("template", str(template_id))
        if found is None or found["audience"] not in audiences:
            raise WeChatError(40037)
        return dict(found)

    def require_user(self, openid: object) -> dict[str, Any]:
        """Return what is known of a mini-program user; 40003 when the openid is unknown."""
        user = self.store.get("user", openid) if isinstance(openid, str) else None
        if user is None:
            raise WeChatError(40003)
        return dict(user)

    def require_page(self, page: str, *, errcode: int = 41030) -> None:
        """Refuse a page (path, maybe with a query) that no released version has."""
        if page.split("?", 1)[0] not in self.setting("pages"):
            raise WeChatError(errcode)

    def visit(self, openid: str, unionid: str | None = None) -> None:
        """Record that a user opened the mini-program now, and who the user is elsewhere."""
        user = self.store.get("user", openid) or {}
        self.store.put(
            "user", openid, {"unionid": unionid or user.get("unionid"), "visited_at": self.now()}
        )

    def take_turn(self, name: str, *, limit: int, window_s: float) -> bool:
        """Count one call in a sliding window; False, uncounted, when the limit is reached."""
        now = self.now()
        turns = [at for at in self.store.get("turns", name) or [] if now - window_s < at <= now]
        if len(turns) >= limit:
            return False
        self.store.put("turns", name, [*turns, now])
        return True

    def deliver(self, *, channel: str, touser: str, **facts: object) -> int:
        """Put a message in the recipient's hands and return its msgid."""
        msgid = self.new_message_id()
        self.store.put_message(
            self.now(), touser, {"channel": channel, "touser": touser, "msgid": str(msgid), **facts}
        )
        return msgid

    def withheld(self, touser: str) -> dict[str, Any] | None:
        """Return why the next message of a user is taken and not shown; None when it is shown."""
        planned = self.store.get("withheld", touser)
        if planned is None or planned["times"] < 1:
            return None
        self.store.put("withheld", touser, {**planned, "times": planned["times"] - 1})
        return dict(planned)

    def new_message_id(self) -> int:
        """Return a msgid beyond 2**53."""
        return 2**61 + secrets.randbelow(2**61)

    def push(
        self,
        account: str,
        event: Mapping[str, object],
        *,
        lane: str = "",
        stage: str = "deliver",
        delay_s: float = 0.0,
    ) -> None:
        """Queue an event for our callback; lanes keep their order, and nothing else does."""
        self.store.put_push(
            account=account,
            lane=lane or str(event.get("FromUserName", "")),
            stage=stage,
            content=dict(event),
            due_at=self.now() + delay_s,
        )

    def _register_default_templates(self) -> None:
        for template in TEMPLATES:
            if self.store.get("template", template.id) is None:
                self.store.put(
                    "template",
                    template.id,
                    {
                        "title": template.title,
                        "audience": template.audience,
                        "fields": dict(template.label_by_key),
                    },
                )
