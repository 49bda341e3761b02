"""Where a report would go: a dry run for those who answer for the grids."""

from __future__ import annotations

from chalice.app import Blueprint

from handlers.http import naming
from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.schemas.routing import Explained, RoutingQuery
from models.base.geometry import Position
from models.cases.dry_run import Spot
from models.people.entities import RoleName

ROLES = (RoleName.COMMUNITY, RoleName.DISTRICT, RoleName.DUTY)

blueprint = Blueprint(__name__)


@endpoint(
    blueprint,
    "GET",
    "/v1/routing",
    query=RoutingQuery,
    answer=Explained,
    roles=ROLES,
    errors=(404,),
)
def explain_routing(call: Call[Nothing, RoutingQuery]) -> Reply:
    """Explain where a report from a place would go and who would hear of it; writes nothing."""
    query = call.query
    spot = Spot(
        position=Position(lon=query.lon, lat=query.lat),
        accuracy_m=query.accuracy_m,
        at=query.at,
        category=query.category,
    )
    counties = {role.county for role in call.actor.roles if role.role in ROLES}
    return naming.explained(call.services.dry_run.explain(spot, counties=counties), call.language)
