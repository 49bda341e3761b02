"""What the product stands on and reaches out to: the clock, secrets, WeChat's accounts, the photo
store, as the settings say. ``wiring.Services`` builds the capabilities upon it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handlers.secrets import Keys, Secrets, open_secrets
from handlers.settings import Settings, TemplateKind
from models.alerts.entities import Channel, Post, Quota, RoleOrder
from models.base.clock import Clock, OffsetFileClock, SystemClock
from models.base.paging import Cursors
from models.base.tables import Database, use_database
from models.people.posts import posts_of
from models.places.service import Places

if TYPE_CHECKING:
    from models.gateways.photos import S3PhotoStore
    from models.gateways.wechat.callbacks import CallbackDecoder
    from models.gateways.wechat.client import WeChatClient
    from models.gateways.wechat.robot import Robots
    from models.gateways.wechat.service_account import ServiceAccount
    from models.gateways.wechat.tokens import Account, Tokens
    from models.gateways.wechat.transport import Transport


class Gateways:
    """Each part is made when it is first asked for, and its library imported then."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        local = settings.stage == "local"
        use_database(
            Database(
                region=settings.region,
                endpoint_url=settings.dynamodb_url or None,
                prefix=settings.table_prefix,
                access_key="local" if local else None,
                secret_key="local" if local else None,
            )
        )

    # base ---------------------------------------------------------------------------------------

    @cached_property
    def clock(self) -> Clock:
        path = self.settings.clock_file
        return OffsetFileClock(Path(path)) if path else SystemClock()

    @cached_property
    def secrets(self) -> Secrets:
        return open_secrets(self.settings.secrets_from, self.settings.region)

    @cached_property
    def keys(self) -> Keys:
        return Keys(bytes.fromhex(self.secrets.get("root_key")))

    @cached_property
    def cursors(self) -> Cursors:
        return Cursors(self.keys.derive("cursor"))

    # places -------------------------------------------------------------------------------------

    @cached_property
    def places(self) -> Places:
        return Places(self.clock)

    # gateways -----------------------------------------------------------------------------------

    @cached_property
    def wechat(self) -> WeChatClient:
        from models.gateways.wechat.client import WeChatClient

        account = self._mini_account
        return WeChatClient(
            account=account,
            tokens=self._tokens_of(account),
            transport=self._wechat_transport,
        )

    @cached_property
    def service_account(self) -> ServiceAccount:
        from models.gateways.wechat.service_account import ServiceAccount
        from models.gateways.wechat.tokens import Account

        account = Account(
            appid=self.settings.service_appid,
            secret=lambda: self.secrets.get("service_secret"),
        )
        return ServiceAccount(
            tokens=self._tokens_of(account),
            transport=self._wechat_transport,
            appid=account.appid,
            mini_appid=self.settings.mini_appid,
        )

    @cached_property
    def channels(self) -> Mapping[RoleOrder, Sequence[Channel]]:
        """Every way to a member's phone, in the order it is tried for his role."""
        from models.gateways.wechat.channels import (
            EmploymentMessages,
            RobotMessages,
            ServiceMessages,
            SubscriptionMessages,
        )

        service = ServiceMessages(account=self.service_account, **self._granted("svc"))
        employment = EmploymentMessages(client=self.wechat, **self._granted("emp"))
        once = SubscriptionMessages(client=self.wechat, **self._granted("sub"))
        long_term = SubscriptionMessages(
            client=self.wechat,
            name="long_term",
            quota=Quota.WHILE_ACCEPTED,
            **self._granted("long"),
        )
        robot = RobotMessages(robots=self._robots, post_of=self._post_of, key_of=self._robot_key_of)
        return {"officer": (service, employment, once, robot), "rider": (long_term, once)}

    def _granted(self, kind: TemplateKind) -> Mapping[str, Any]:
        granted = self.settings.granted(kind)
        return {
            "template_ids": {template: one.template_id for template, one in granted.items()},
            "field_keys": {template: one.keys for template, one in granted.items()},
        }

    @cached_property
    def _robots(self) -> Robots:
        from models.gateways.wechat.robot import Robots
        from models.gateways.wechat.transport import Transport

        return Robots(Transport(self.settings.wecom_url))

    @cached_property
    def _robot_keys(self) -> dict[str, str | None]:
        return {}

    def _post_of(self, member_id: str) -> Post | None:
        """The post by which a robot names an official: the first he holds below the county."""
        for entry in posts_of(member_id, self.clock.now()):
            kind, _, place = entry.scope.partition(":")
            grid = self.places.grid(place) if kind == "grid" else None
            community = place if kind == "community" else grid.community_id if grid else None
            if community is not None:
                return Post(display=entry.display, community_id=community)
        return None

    def _robot_key_of(self, community_id: str) -> str | None:
        """The bearer key of a community's robot; one made meanwhile is found by a new process."""
        if community_id not in self._robot_keys:
            try:
                self._robot_keys[community_id] = self.secrets.get(f"wecom_robot_{community_id}")
            except KeyError:
                self._robot_keys[community_id] = None
        return self._robot_keys[community_id]

    @cached_property
    def callback_decoders(self) -> Mapping[str, CallbackDecoder]:
        """How the pushes of each account are verified and read."""
        from models.gateways.wechat.callbacks import CallbackDecoder, PushAccount

        mini = PushAccount(
            name="mini",
            appid=self.settings.mini_appid,
            token=lambda: self.secrets.get("mini_push_token"),
            aes_key=lambda: self.secrets.get("mini_push_key"),
        )
        service = PushAccount(
            name="service",
            appid=self.settings.service_appid,
            token=lambda: self.secrets.get("service_push_token"),
            aes_key=lambda: self.secrets.get("service_push_key"),
        )
        return {
            account.name: CallbackDecoder(account=account, clock=self.clock)
            for account in (mini, service)
        }

    @cached_property
    def _mini_account(self) -> Account:
        from models.gateways.wechat.tokens import Account

        return Account(
            appid=self.settings.mini_appid, secret=lambda: self.secrets.get("mini_secret")
        )

    @cached_property
    def _wechat_transport(self) -> Transport:
        from models.gateways.wechat.transport import Transport

        return Transport(self.settings.wechat_url)

    def _tokens_of(self, account: Account) -> Tokens:
        from models.gateways.wechat.tokens import Tokens

        return Tokens(account=account, transport=self._wechat_transport, clock=self.clock)

    @cached_property
    def photo_store(self) -> S3PhotoStore:
        from models.gateways.photos import S3PhotoStore

        settings = self.settings
        return S3PhotoStore(
            bucket=settings.photo_bucket,
            region=settings.region,
            endpoint_url=settings.s3_url or None,
            path_style=bool(settings.s3_url),
        )
