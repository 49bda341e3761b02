"""How much of what is outstanding finds stock: a largest flow, counties → funds, in whole points.

A fund that several counties share carries each of them alone, and maybe not all together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

SOURCE, SINK = ("", "source"), ("", "sink")
Node = tuple[str, str]


def uncarried(
    claims: Mapping[str, int], stock: Mapping[tuple[str, str], int], funds: Mapping[str, int]
) -> tuple[int, tuple[str, ...]]:
    """Points that find no stock, and the funds that are to blame for it.

    ``claims`` by county, ``stock`` by (county, fund), ``funds`` what each carries at most. To blame
    is every fund that the points left over could still reach: it is used up.
    """
    room: dict[Node, dict[Node, int]] = {}
    for county, points in claims.items():
        _edge(room, SOURCE, ("county", county), points)
    for (county, fund), points in stock.items():
        _edge(room, ("county", county), ("fund", fund), points)
    for fund, points in funds.items():
        _edge(room, ("fund", fund), SINK, points)
    left = sum(claims.values())
    while SINK in (came_from := _reachable(room)):
        left -= _push(room, came_from)
    blamed = sorted(name for kind, name in came_from if kind == "fund")
    return left, tuple(blamed)


def _edge(room: dict[Node, dict[Node, int]], start: Node, end: Node, points: int) -> None:
    room.setdefault(start, {})[end] = points
    room.setdefault(end, {}).setdefault(start, 0)


def _reachable(room: Mapping[Node, Mapping[Node, int]]) -> Mapping[Node, Node]:
    """The nodes to which more could flow, each with the one before it on a shortest way."""
    came_from: dict[Node, Node] = {SOURCE: SOURCE}
    waiting = deque([SOURCE])
    while waiting:
        here = waiting.popleft()
        for there, points in room.get(here, {}).items():
            if points > 0 and there not in came_from:
                came_from[there] = here
                waiting.append(there)
    return came_from


def _push(room: dict[Node, dict[Node, int]], came_from: Mapping[Node, Node]) -> int:
    way = [SINK]
    while way[-1] != SOURCE:
        way.append(came_from[way[-1]])
    steps = list(zip(way[1:], way, strict=False))
    points = min(room[start][end] for start, end in steps)
    for start, end in steps:
        room[start][end] -= points
        room[end][start] += points
    return points
