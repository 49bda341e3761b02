"""A dry run of routing, as the contract shows it."""

from __future__ import annotations

from handlers.http.schemas.base import AccuracyM, Answer, ClientInstant, Instant, Lat, Lon, Query
from handlers.http.schemas.cases import Code, Polygon, Routing


class RoutingQuery(Query):
    """A place as a phone would tell it; ``at`` absent is now, ``category`` absent is no danger."""

    lon: Lon
    lat: Lat
    accuracy_m: AccuracyM = 0
    category: Code | None = None
    at: ClientInstant | None = None


class Community(Answer):
    """The community or street that a grid belongs to."""

    id: str
    name: str


class Candidate(Polygon):
    """A grid that holds the position; the first is the one chosen."""

    area_m2: int


class NotUsed(Polygon):
    """A grid that holds the position and is not asked: ``grid_not_valid`` or
    ``community_not_valid`` at that time."""

    why: str


class NeighbourGrid(Polygon):
    """A grid to which the report would belong had the phone erred by its accuracy.

    ``share`` is how much of the surroundings lies there, of 1.
    """

    distance_m: int
    share: float
    county: str


class Post(Answer):
    """A post on the roster, never a person; ``reachable`` once a phone is bound."""

    display: str
    role: str
    scope: str
    stands_in_for: str | None
    reachable: bool


class ToldPost(Post):
    """Who would hear of the report: ``how`` is ``alert`` or ``inbox``; ``why`` is
    ``first_reachable``, ``everybody_for_danger``, ``up_the_ladder`` or ``neighbour``."""

    how: str
    why: str


class Explained(Routing):
    """All that would become of a report at this place and time; nothing was written."""

    lon: float
    lat: float
    accuracy_m: float
    at: Instant
    county: str
    community: Community
    candidates: list[Candidate]
    not_used: list[NotUsed]
    neighbours: list[NeighbourGrid]
    on_duty: list[Post]
    told: list[ToldPost]
