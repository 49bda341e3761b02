"""The demonstration's roster: posts over the synthetic grids and stations, with invented phones.

Every row is invented and says `synthetic`. The phones begin with 100, which no network has.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from handlers.wiring import Services
from infra.local.seed import geography
from models.base.geometry import Position, distance_m
from models.people.importing import import_roster
from models.places.entities import Grid
from models.places.rules import GridIndex

COUNTIES = (geography.WEST_COUNTY, geography.EAST_COUNTY)
IMPORTED_BY = "seed"
MERCHANTS_PER_COUNTY = 3
_SINCE, _DEPUTIES_SINCE = "2025-01-01", "2025-02-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A line of the roster, with the invented phone of who holds it, and where he is found."""

    phone: str
    role: str
    scope: str
    county: str
    display: str
    since: str
    lon: float
    lat: float


def merchant_ids(county: str) -> tuple[str, ...]:
    """The invented merchants of a county."""
    return tuple(f"{county}-M{number}" for number in range(1, MERCHANTS_PER_COUNTY + 1))


@cache
def posts() -> tuple[Post, ...]:
    """Every post: an officer per grid, a deputy and a lead per community, and so on upwards."""
    numbers = itertools.count(1)
    return tuple(_posts(lambda: f"100{next(numbers):08d}"))


def demo_posts(spot: Position) -> Mapping[str, Post]:
    """Who plays the story at ``spot``, by the part's name."""
    routing = GridIndex(geography.grids()).route(spot)
    if routing is None:
        raise ValueError("the spot is in no grid")
    grid = next(grid for grid in geography.grids() if grid.grid_id == routing.grid_id)
    on_grid = [post for post in posts() if post.scope == f"grid:{grid.grid_id}"]
    officer, other_officer = (post for post in on_grid if post.role == "officer")
    return {
        "officer": officer,
        "other_officer": other_officer,
        "lead": next(post for post in on_grid if post.role == "grid_lead"),
        "community": _of(f"community:{grid.community_id}"),
        "district": _of(f"county:{grid.county}"),
        "keeper": min(
            (post for post in posts() if post.role == "keeper"),
            key=lambda post: distance_m(spot, Position(lon=post.lon, lat=post.lat)),
        ),
        "merchant": _of(f"merchant:{merchant_ids(grid.county)[0]}"),
    }


def plant(services: Services, *, without: Collection[str] = ()) -> int:
    """Import each county's roster, except ``without``; answers how many lines changed.

    Safe to repeat.
    """
    changed = 0
    for county in (county for county in COUNTIES if county not in without):
        own = [post for post in posts() if post.county == county]
        scopes = {post.scope for post in own}
        report = import_roster(
            [_line(post, services) for post in own],
            county=county,
            owns=scopes.__contains__,
            now=services.clock.now(),
            actor=IMPORTED_BY,
            synthetic=True,
        )
        if report.refused:
            raise ValueError(f"the seed's own roster is refused: {report.refused[:3]}")
        changed += report.added + report.changed + report.removed
    return changed


def _of(scope: str) -> Post:
    return next(post for post in posts() if post.scope == scope)


def _line(post: Post, services: Services) -> dict[str, str]:
    return {
        "phone_key": services.pseudonyms.phone(post.phone),
        "role": post.role,
        "scope": post.scope,
        "county": post.county,
        "display": post.display,
        "from": post.since,
        "to": "",
    }


def _posts(new_phone: Callable[[], str]) -> Iterator[Post]:
    by_community: dict[str, list[Grid]] = {}
    for grid in geography.grids():
        by_community.setdefault(grid.community_id, []).append(grid)
        yield _on_grid(grid, "officer", f"{grid.name}网格员", new_phone(), _SINCE)
    for community_id, grids in by_community.items():
        deputy, lead = new_phone(), new_phone()
        name = grids[0].community_name
        for grid in grids:
            yield _on_grid(grid, "officer", f"{name}机动网格员", deputy, _DEPUTIES_SINCE)
            yield _on_grid(grid, "grid_lead", f"{name}网格长", lead, _SINCE)
        yield _post("community", f"community:{community_id}", f"{name}社区", grids[0], new_phone())
    for county in COUNTIES:
        grid = next(grid for grid in geography.grids() if grid.county == county)
        yield _post("district", f"county:{county}", "区级值班", grid, new_phone())
        yield _post("depot", f"depot:{county}-D1", "配送站点", grid, new_phone())
        for merchant_id in merchant_ids(county):
            yield _post("merchant", f"merchant:{merchant_id}", "商家核销", grid, new_phone())
    for station in geography.stations():
        yield Post(
            phone=new_phone(),
            role="keeper",
            scope=f"station:{station['station_id']}",
            county=station["county"],
            display="驿站管理员",
            since=_SINCE,
            lon=station["lon"],
            lat=station["lat"],
        )
    for county in COUNTIES:
        grid = next(grid for grid in geography.grids() if grid.county == county)
        yield _post("duty", f"county:{county}", "区级二十四小时值班", grid, new_phone())


def _on_grid(grid: Grid, role: str, display: str, phone: str, since: str) -> Post:
    return _post(role, f"grid:{grid.grid_id}", display, grid, phone, since)


def _post(role: str, scope: str, display: str, grid: Grid, phone: str, since: str = _SINCE) -> Post:
    lon, lat = grid.polygon[0]
    return Post(
        phone=phone,
        role=role,
        scope=scope,
        county=grid.county,
        display=display,
        since=since,
        lon=lon,
        lat=lat,
    )
