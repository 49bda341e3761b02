"""A small synthetic place with its people, on the real tables; every test gets its own ground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from models.base.clock import FixedClock
from models.base.geometry import Position, offset
from models.base.ids import new_id
from models.base.store import get
from models.base.tables import connection
from models.calendar.china import working_time
from models.cases.answering import Answering
from models.cases.categories import Categories
from models.cases.closing import Closing
from models.cases.commands import Command
from models.cases.entities import Action, Purpose, SubmitReport, UploadState
from models.cases.escalation import Escalation
from models.cases.handling import Handling
from models.cases.intake import Intake
from models.cases.nearby import Neighbourhood
from models.cases.photos import PhotoAddresses
from models.cases.tables import CaseEventRow, CaseRow, UploadRow
from models.people.entities import Actor, Role, RoleName, Standing
from models.people.roster import Roster
from models.people.tables import RosterRow
from models.places.entities import Grid
from models.places.service import Places
from models.points.ledger import Ledger

COUNTY = "411503"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
_SIDE = 0.004
_PLOTS = 480
_COUNTIES = (COUNTY, "411502")


def a_rider(*, consents: Mapping[str, str] | None = None, roles: tuple[Role, ...] = ()) -> Actor:
    """A member who has agreed to report."""
    return Actor(
        member_id=new_id("mbr"),
        session_id="test",
        roles=roles,
        standing=Standing.GUEST,
        county=None,
        consents={"report": "1"} if consents is None else consents,
        confirmed_until=None,
    )


def a_photo(
    owner: Actor,
    *,
    state: UploadState = UploadState.READY,
    purpose: Purpose = Purpose.REPORT,
    sha256: str | None = None,
    dhash: int | None = None,
    **values: Any,
) -> str:
    """An upload as it stands after its photo has been taken in."""
    upload_id = new_id("up")
    UploadRow(
        upload_id,
        schema=1,
        member_id=owner.member_id,
        purpose=purpose.value,
        content_type="image/jpeg",
        size_bytes=1000,
        sha256=sha256 or upload_id.ljust(64, "0"),
        state=state.value,
        public_name=new_id("ph"),
        signed_at=LONG_AGO,
        created_at=LONG_AGO,
        request_hash="0" * 32,
        dhash=None if dhash is None else f"{dhash:032x}",
        **values,
    ).save()
    return upload_id


@cache
def _ground(endpoint: str) -> tuple[Places, dict[str, list[Grid]]]:
    """Plots for every test of an engine, laid out and read once; each is given away once."""
    plots: dict[str, list[Grid]] = {county: [] for county in _COUNTIES}
    for slot in range(2 * _PLOTS):
        county = _COUNTIES[slot % 2]
        plots[county].append(_plot(slot, county))
    places = Places(FixedClock(LONG_AGO))
    places.put_grids([grid for grids in plots.values() for grid in grids])
    return places, plots


def _plot(slot: int, county: str) -> Grid:
    west, south = 114.6 + (slot % 100) * 0.006, 31.5 + (slot // 100) * 0.006
    east, north = west + _SIDE, south + _SIDE
    return Grid(
        grid_id=new_id("grid"),
        name=f"测试网格{slot}",
        county=county,
        community_id=f"community-{slot}",
        community_name="测试社区",
        polygon=((west, south), (east, south), (east, north), (west, north)),
        area_m2=170_000,
        synthetic=True,
    )


@dataclass
class Town:
    """One grid of its own with officer and lead, and the use cases around it."""

    clock: FixedClock
    county: str = COUNTY
    on_duty: bool = True
    grid: Grid = field(init=False)

    def __post_init__(self) -> None:
        self.places, plots = _ground(connection().host or "")
        self.grid = plots[self.county].pop()
        west, south = self.grid.polygon[0]
        self.centre = Position(lon=west + _SIDE / 2, lat=south + _SIDE / 2)
        self.roster = Roster(clock=self.clock)
        self.ledger = Ledger()
        self.working = working_time()
        self.officer = self.an_official(RoleName.OFFICER, "网格员一")
        self.lead = self.an_official(RoleName.GRID_LEAD, "网格长")
        self.categories = Categories(clock=self.clock)
        parts = {"clock": self.clock, "working": self.working}
        self.intake = Intake(
            places=self.places, roster=self.roster, categories=self.categories, **parts
        )
        self.handling = Handling(
            roster=self.roster, ledger=self.ledger, categories=self.categories, **parts
        )
        self.answering = Answering(categories=self.categories, **parts)
        self.closing = Closing(ledger=self.ledger, **parts)
        self.escalation = Escalation(ledger=self.ledger, working=self.working)
        self.nearby = Neighbourhood(
            clock=self.clock,
            places=self.places,
            categories=self.categories,
            addresses=PhotoAddresses(base_url="https://photos.example"),
        )

    def an_official(
        self,
        role: RoleName,
        display: str,
        scope: str | None = None,
        *,
        starts_at: datetime = LONG_AGO,
    ) -> Actor:
        """Someone on the roster of this grid."""
        held = Role(role=role, scope=scope or f"grid:{self.grid.grid_id}", county=self.county)
        actor = a_rider(roles=(held,))
        if self.on_duty:
            RosterRow(
                new_id("phk"),
                f"{role.value}#{held.scope}",
                schema=1,
                county=self.county,
                role=role.value,
                scope=held.scope,
                display=display,
                starts_at=starts_at,
                member_id=actor.member_id,
                synthetic=True,
            ).save()
        return actor

    def a_report(self, rider: Actor, **changes: Any) -> SubmitReport:
        """A report in the middle of the grid, with one ready photo."""
        values: dict[str, Any] = {
            "client_request_id": new_id("crid"),
            "category": "E0493a",
            "lon": self.centre.lon,
            "lat": self.centre.lat,
            "accuracy_m": 12.0,
            "captured_at": self.clock.now() - timedelta(minutes=1),
            "text": "三辆电瓶车挡住了盲道",
        }
        if "photos" not in changes:
            changes["photos"] = (a_photo(rider),)
        return SubmitReport(**{**values, **changes})

    def at(self, *, east_m: float = 0, north_m: float = 0) -> dict[str, float]:
        """A position so far from the middle, as a report's fields."""
        position = offset(self.centre, east_m=east_m, north_m=north_m)
        return {"lon": position.lon, "lat": position.lat}

    def filed(self, rider: Actor | None = None, **changes: Any) -> CaseRow:
        """A case just reported."""
        rider = rider or a_rider()
        receipt = self.intake.submit(rider, self.a_report(rider, **changes))
        return self.case(receipt["case"]["id"])

    def claimed(self, rider: Actor | None = None, **changes: Any) -> CaseRow:
        """A case that the officer has claimed."""
        case = self.filed(rider, **changes)
        self.act(self.officer, case, Action.CLAIM)
        return self.case(case.case_id)

    def resolved(self, rider: Actor | None = None, **changes: Any) -> CaseRow:
        """A case that the officer says is fixed."""
        return self.resolve(self.claimed(rider, **changes))

    def resolve(self, case: CaseRow, officer: Actor | None = None) -> CaseRow:
        """Resolve a claimed case with an after-photo."""
        officer = officer or self.officer
        photo = a_photo(officer, purpose=Purpose.RESOLUTION)
        self.act(officer, case, Action.RESOLVE, photos=(photo,))
        return self.case(case.case_id)

    def act(self, actor: Actor, case: CaseRow, action: Action, **values: Any) -> Mapping[str, Any]:
        """Carry an action out on the version that ``case`` shows."""
        values.setdefault("client_request_id", new_id("crid"))
        values.setdefault("version", case.version)
        return self.handling.act(actor, case.case_id, Command(action=action, **values))

    def case(self, case_id: str) -> CaseRow:
        row = get(CaseRow, case_id)
        assert row is not None
        return row

    def events(self, case_id: str) -> Sequence[CaseEventRow]:
        return list(CaseEventRow.query(case_id, consistent_read=True))
