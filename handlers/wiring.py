"""The only place that picks implementations and reads settings.

``services()`` is made on first use and kept for the process. Each part is made when first asked
for: a function that sends alerts never imports Pillow, one that serves HTTP never makes an S3
client unless an upload asks for it. Capabilities name nothing from here.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

from handlers.secrets import Keys, Secrets, open_secrets
from handlers.settings import Settings
from models.alerts.callbacks import Callbacks, Reactions
from models.alerts.delivery import Messenger
from models.alerts.entities import Event, Recipient
from models.alerts.inbox import Inbox
from models.base.clock import Clock, OffsetFileClock, SystemClock
from models.base.errors import NotFound
from models.base.paging import Cursors
from models.base.tables import Database, use_database
from models.people import members
from models.people.followers import service_openid_of
from models.people.pseudonyms import Pseudonyms
from models.people.roster import Roster
from models.people.verification import Verifications
from models.places.service import Places
from models.points.ledger import Ledger
from models.stations.check_ins import CheckIns
from models.stations.codes import Codes
from models.stations.directory import Directory
from models.stations.doors import Doors


class Services:
    """Everything the handlers call, wired once."""

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

    # people -------------------------------------------------------------------------------------

    @cached_property
    def pseudonyms(self) -> Pseudonyms:
        return Pseudonyms(
            identity_key=self.keys.derive("identity"),
            phone_key=self.keys.derive("phone"),
            session_key=self.keys.derive("session"),
        )

    @cached_property
    def roster(self) -> Roster:
        return Roster(clock=self.clock)

    @cached_property
    def verifications(self) -> Verifications:
        return Verifications(pseudonyms=self.pseudonyms, clock=self.clock)

    # gateways -----------------------------------------------------------------------------------

    # alerts -------------------------------------------------------------------------------------

    @cached_property
    def inbox(self) -> Inbox:
        return Inbox(cursors=self.cursors, clock=self.clock)

    @cached_property
    def messenger(self) -> Messenger:
        return Messenger(channels=self.channels, recipient=_recipient, clock=self.clock)

    @cached_property
    def callbacks(self) -> Callbacks:
        reactions = Reactions(
            member_id_of=self.pseudonyms.member_id,
            verdict=lambda trace_id, suggestion: self.evidence.verdict(
                trace_id, suggestion or "none"
            ),
            follow_changed=lambda openid, at: self.followers.changed(openid, at=at),
            revoked=self._revoked,
        )
        return Callbacks(clock=self.clock, reactions=reactions)

    def _revoked(self, member_id: str) -> None:
        try:
            self.members.release_phone(member_id)
        except NotFound:
            pass  # WeChat also tells of people who never signed in

    @cached_property
    def outbox_handlers(self) -> Mapping[str, Callable[[Event], None]]:
        return {
            "callback": self.callbacks.handle,
            **self.case_notices.handlers(),
            **self.reward_notices.handlers(),
        }

    # points and rewards -------------------------------------------------------------------------

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger()

    # cases --------------------------------------------------------------------------------------

    # stations -----------------------------------------------------------------------------------

    @cached_property
    def stations(self) -> Directory:
        return Directory(self.clock)

    @cached_property
    def check_ins(self) -> CheckIns:
        return CheckIns(
            clock=self.clock,
            directory=self.stations,
            codes=Codes(self.keys.derive("station-code")),
            ledger=self.ledger,
        )

    @cached_property
    def doors(self) -> Doors:
        return Doors(clock=self.clock, directory=self.stations)


def _recipient(member_id: str) -> Recipient | None:
    """Where a member can be reached now."""
    member = members.get(member_id)
    if member is None:
        return None
    following = service_openid_of(member.union_key) if member.union_key else None
    return Recipient(member_id=member_id, openid=member.openid, service_openid=following)


_lock = threading.Lock()
_services: Services | None = None


def services() -> Services:
    """The process's services, made on first use from the environment."""
    global _services
    if _services is None:
        with _lock:
            if _services is None:
                _services = Services(Settings.read(os.environ))
    return _services


def use_services(made: Services | None) -> None:
    """Replace the process's services: tests and the embedded run make their own."""
    global _services
    _services = made
