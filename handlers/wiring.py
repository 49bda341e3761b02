"""The only place, with ``gateways`` and ``accounts``, that picks implementations.

It alone reads settings. ``services()`` is made on first use and kept for the process. Each part is
made when first asked for: a function that sends alerts never imports Pillow, one that serves HTTP
never makes an S3 client unless an upload asks for it. Capabilities name nothing from here.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from handlers.accounts import Accounts
from handlers.settings import Settings
from models.alerts import leavers
from models.alerts.callbacks import Callbacks, Reactions
from models.alerts.delivery import Messenger
from models.alerts.desk import AlertDesk
from models.alerts.entities import Event, Recipient
from models.alerts.forgetting import AlertsForgetting
from models.alerts.inbox import Inbox
from models.alerts.point_notices import PointNotices
from models.base.clock import SystemClock
from models.calendar.china import working_time
from models.cases.answering import Answering
from models.cases.bulk import Bulk
from models.cases.categories import Categories
from models.cases.closing import Closing
from models.cases.dry_run import DryRun
from models.cases.escalation import Escalation
from models.cases.evidence import Evidence
from models.cases.feeding import Feeding as CaseFeeding
from models.cases.forgetting import CasesForgetting
from models.cases.hand_over import HandOver
from models.cases.handling import Handling
from models.cases.intake import Intake
from models.cases.listing import Listing
from models.cases.nearby import Neighbourhood
from models.cases.notices import Notices as CaseNotices
from models.cases.orphans import Orphans
from models.cases.photos import PhotoAddresses
from models.cases.reading import Reading
from models.cases.rechecks import Rechecks
from models.cases.signals import Signals
from models.cases.transfer_files import TransferFiles
from models.cases.trust import Trust
from models.cases.uploads import Uploads
from models.people import members
from models.people.followers import Followers, service_openid_of
from models.people.forgetting import PeopleForgetting
from models.people.members import Members
from models.people.pseudonyms import Pseudonyms
from models.people.roster import Roster
from models.people.sessions import Sessions
from models.people.verification import Verifications
from models.people.withdrawals import Forgetful
from models.points.forgetting import PointsForgetting
from models.rewards.notices import Notices as RewardNotices
from models.stations.check_ins import CheckIns
from models.stations.codes import Codes
from models.stations.directory import Directory
from models.stations.doors import Doors
from models.stations.forgetting import StationsForgetting
from models.sync.reading import Sync


class Services(Accounts):
    """Everything the handlers call, wired once."""

    # people -------------------------------------------------------------------------------------

    @cached_property
    def pseudonyms(self) -> Pseudonyms:
        return Pseudonyms(
            identity_key=self.keys.derive("identity"),
            phone_key=self.keys.derive("phone"),
            session_key=self.keys.derive("session"),
        )

    @cached_property
    def sessions(self) -> Sessions:
        return Sessions(pseudonyms=self.pseudonyms, clock=self.clock, login=self.wechat)

    @cached_property
    def members(self) -> Members:
        return Members(
            pseudonyms=self.pseudonyms,
            clock=self.clock,
            phones=self.wechat,
            tell=leavers.row,
        )

    @cached_property
    def followers(self) -> Followers:
        return Followers(pseudonyms=self.pseudonyms, users=self.service_account)

    @cached_property
    def roster(self) -> Roster:
        return Roster(clock=self.clock)

    @cached_property
    def verifications(self) -> Verifications:
        return Verifications(pseudonyms=self.pseudonyms, clock=self.clock)

    # alerts -------------------------------------------------------------------------------------

    @cached_property
    def inbox(self) -> Inbox:
        return Inbox(cursors=self.cursors, clock=self.clock)

    @cached_property
    def messenger(self) -> Messenger:
        return Messenger(channels=self.channels, recipient=_recipient, clock=self.clock)

    @cached_property
    def alert_desk(self) -> AlertDesk:
        return AlertDesk(messenger=self.messenger, clock=self.clock)

    @cached_property
    def callbacks(self) -> Callbacks:
        reactions = Reactions(
            member_id_of=self.pseudonyms.member_id,
            verdict=lambda trace_id, suggestion, at: self.evidence.verdict(
                trace_id, suggestion, at=at
            ),
            follow_changed=lambda openid, at: self.followers.changed(openid, at=at),
            not_shown=lambda account, wechat_id, outcome: self.messenger.not_shown(
                account, wechat_id, outcome
            ),
            forgetful=self._forgetful,
        )
        return Callbacks(clock=self.clock, reactions=reactions)

    @cached_property
    def _forgetful(self) -> Sequence[Forgetful]:
        """Every capability that keeps something of a member's; the ledger forgets nothing."""
        return (
            PeopleForgetting(members=self.members, clock=self.clock),
            AlertsForgetting(),
            PointsForgetting(),
            StationsForgetting(),
            CasesForgetting(clock=self.clock, store=self.photo_store),
        )

    @cached_property
    def outbox_handlers(self) -> Mapping[str, Callable[[Event], None]]:
        return {
            "callback": self.callbacks.handle,
            **self.case_feeding.around(self._case_handlers()),
            **self.orphans.handlers(),
            **self.point_notices.handlers(),
            **self.reward_notices.handlers(),
        }

    def _case_handlers(self) -> Mapping[str, Callable[[Event], None]]:
        handlers = {**self.case_notices.handlers(), **self.rechecks.handlers()}
        return self.signals.around(self.orphans.around(self.rechecks.around(handlers)))

    # points and rewards: what stands in ``accounts`` tells nobody by itself ----------------------

    @cached_property
    def point_notices(self) -> PointNotices:
        return PointNotices(self.messenger)

    @cached_property
    def reward_notices(self) -> RewardNotices:
        return RewardNotices(self.messenger)

    # cases --------------------------------------------------------------------------------------

    @cached_property
    def categories(self) -> Categories:
        return Categories(clock=self.clock)

    @cached_property
    def photo_addresses(self) -> PhotoAddresses:
        return PhotoAddresses(base_url=self.settings.photo_base_url.rstrip("/"))

    @cached_property
    def uploads(self) -> Uploads:
        return Uploads(clock=self.clock, signing_clock=SystemClock(), store=self.photo_store)

    @cached_property
    def evidence(self) -> Evidence:
        return Evidence(
            clock=self.clock,
            store=self.photo_store,
            addresses=self.photo_addresses,
            checker=self.wechat,
            openid_of=_openid_of,
        )

    @cached_property
    def intake(self) -> Intake:
        return Intake(
            clock=self.clock,
            places=self.places,
            roster=self.roster,
            working=working_time(),
            categories=self.categories,
        )

    @cached_property
    def dry_run(self) -> DryRun:
        return DryRun(
            clock=self.clock, places=self.places, roster=self.roster, categories=self.categories
        )

    @cached_property
    def neighbourhood(self) -> Neighbourhood:
        return Neighbourhood(
            clock=self.clock,
            places=self.places,
            categories=self.categories,
            addresses=self.photo_addresses,
        )

    @cached_property
    def handling(self) -> Handling:
        return Handling(
            clock=self.clock,
            roster=self.roster,
            ledger=self.ledger,
            working=working_time(),
            categories=self.categories,
        )

    @cached_property
    def bulk(self) -> Bulk:
        return Bulk(clock=self.clock, handling=self.handling)

    @cached_property
    def closing(self) -> Closing:
        return Closing(clock=self.clock, ledger=self.ledger, working=working_time())

    @cached_property
    def answering(self) -> Answering:
        return Answering(clock=self.clock, working=working_time(), categories=self.categories)

    @cached_property
    def escalation(self) -> Escalation:
        return Escalation(ledger=self.ledger, working=working_time())

    @cached_property
    def orphans(self) -> Orphans:
        return Orphans(
            clock=self.clock, roster=self.roster, places=self.places, working=working_time()
        )

    @cached_property
    def listing(self) -> Listing:
        return Listing(
            clock=self.clock, places=self.places, working=working_time(), cursors=self.cursors
        )

    @cached_property
    def reading(self) -> Reading:
        return Reading(
            clock=self.clock,
            working=working_time(),
            categories=self.categories,
            handling=self.handling,
            addresses=self.photo_addresses,
            pseudonym_key=self.keys.derive("reporter"),
        )

    @cached_property
    def case_feeding(self) -> CaseFeeding:
        return CaseFeeding(clock=self.clock, roster=self.roster)

    @cached_property
    def signals(self) -> Signals:
        return Signals(clock=self.clock)

    @cached_property
    def trust(self) -> Trust:
        return Trust(clock=self.clock)

    @cached_property
    def rechecks(self) -> Rechecks:
        return Rechecks(clock=self.clock, ledger=self.ledger, key=self.keys.derive("recheck"))

    @cached_property
    def hand_over(self) -> HandOver:
        return HandOver(clock=self.clock, reading=self.reading)

    @cached_property
    def transfer_files(self) -> TransferFiles:
        return TransferFiles(clock=self.clock, working=working_time())

    @cached_property
    def case_notices(self) -> CaseNotices:
        return CaseNotices(
            clock=self.clock,
            roster=self.roster,
            ledger=self.ledger,
            messenger=self.messenger,
            alert_desk=self.alert_desk,
            working=working_time(),
            categories=self.categories,
            evidence=self.evidence,
            text_checker=self.wechat,
            openid_of=_openid_of,
        )

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

    # sync ---------------------------------------------------------------------------------------

    @cached_property
    def sync(self) -> Sync:
        return Sync(
            clock=self.clock,
            cursors=self.cursors,
            listing=self.listing,
            redemptions=self.redemptions,
        )


def _openid_of(member_id: str) -> str | None:
    found = members.get(member_id)
    return found.openid if found else None


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
