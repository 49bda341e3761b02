"""A small synthetic town on whatever tables the product is pointed at: its grid, officials, riders.

Everything goes through the real use cases; ids come from the seed, so a seed is one history.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from models.base.clock import FixedClock
from models.base.geometry import Position
from models.base.ids import derived_id
from models.calendar.china import working_time
from models.cases.answering import Answering
from models.cases.categories import Categories
from models.cases.closing import Closing
from models.cases.entities import Purpose, SubmitReport, UploadState
from models.cases.escalation import Escalation
from models.cases.handling import Handling
from models.cases.intake import Intake
from models.cases.tables import UploadRow
from models.people.entities import Actor, Role, RoleName, Standing
from models.people.roster import Roster
from models.people.tables import RosterRow
from models.places.entities import Grid
from models.places.service import Places
from models.points.ledger import Ledger

COUNTY = "411503"
GRID = "grid_schedule"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CENTRE = Position(lon=114.602, lat=31.502)
_SIDE = 0.002


def rider_of(name: str) -> Actor:
    """A member who has agreed to report."""
    return _actor(name, ())


def officials() -> tuple[Actor, Actor, Actor]:
    """Two officers and the lead of the grid."""
    roles = (RoleName.OFFICER, RoleName.OFFICER, RoleName.GRID_LEAD)
    return tuple(  # type: ignore[return-value]
        _actor(f"official-{number}", (Role(role=role, scope=f"grid:{GRID}", county=COUNTY),))
        for number, role in enumerate(roles)
    )


def _actor(name: str, roles: tuple[Role, ...]) -> Actor:
    return Actor(
        member_id=derived_id("mbr", name),
        session_id="schedule",
        roles=roles,
        standing=Standing.GUEST,
        county=None,
        consents={"report": "1"},
        confirmed_until=None,
    )


def settle() -> None:
    """Write the town's rows: its grid and its roster."""
    west, east = CENTRE.lon - _SIDE, CENTRE.lon + _SIDE
    south, north = CENTRE.lat - _SIDE, CENTRE.lat + _SIDE
    grid = Grid(
        grid_id=GRID,
        name="测试网格",
        county=COUNTY,
        community_id="community-schedule",
        community_name="测试社区",
        polygon=((west, south), (east, south), (east, north), (west, north)),
        area_m2=170_000,
        synthetic=True,
    )
    Places(FixedClock(LONG_AGO)).put_grids([grid])
    for actor in officials():
        role = actor.roles[0]
        RosterRow(
            derived_id("phk", actor.member_id),
            f"{role.role.value}#{role.scope}",
            schema=1,
            county=COUNTY,
            role=role.role.value,
            scope=role.scope,
            display="测试岗位",
            starts_at=LONG_AGO,
            member_id=actor.member_id,
            synthetic=True,
        ).save()


@dataclass
class Town:
    """The use cases around one clock."""

    clock: FixedClock
    escalation: Escalation | None = None
    roster: Roster = field(init=False)

    def __post_init__(self) -> None:
        working, ledger = working_time(), Ledger()
        # Nobody's post changes here: the roster is read once.
        self.roster = Roster(clock=self.clock, ttl=timedelta(days=1000))
        categories = Categories(clock=self.clock, ttl=timedelta(days=1000))
        parts: Any = {"clock": self.clock, "working": working}
        places = Places(self.clock)
        self.working = working
        self.intake = Intake(places=places, roster=self.roster, categories=categories, **parts)
        self.handling = Handling(roster=self.roster, ledger=ledger, categories=categories, **parts)
        self.closing = Closing(ledger=ledger, **parts)
        self.answering = Answering(categories=categories, **parts)
        if self.escalation is None:
            self.escalation = Escalation(ledger=ledger, working=working)

    def report(self, rider: Actor, category: str, *, has_photo: bool) -> str:
        """File a report with one photo that is ready, or never will be; answers the case's id."""
        now = self.clock.now()
        upload_id = derived_id("up", rider.member_id)
        UploadRow(
            upload_id,
            schema=1,
            member_id=rider.member_id,
            purpose=Purpose.REPORT.value,
            content_type="image/jpeg",
            size_bytes=1000,
            sha256=upload_id.ljust(64, "0"),
            state=(UploadState.READY if has_photo else UploadState.WAITING).value,
            public_name=upload_id,
            signed_at=now,
            created_at=now,
            request_hash="0" * 32,
        ).save()
        receipt = self.intake.submit(
            rider,
            SubmitReport(
                client_request_id="report",
                category=category,
                lon=CENTRE.lon,
                lat=CENTRE.lat,
                accuracy_m=12.0,
                captured_at=now - timedelta(minutes=1),
                photos=(upload_id,),
            ),
        )
        case_id: str = receipt["case"]["id"]
        return case_id
