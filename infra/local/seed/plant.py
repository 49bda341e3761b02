"""Plants Xinyang in a running stack. Planting twice changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from handlers.settings import Settings
from handlers.wiring import Services
from infra.local.seed import geography, rewards, roster, stations
from infra.local.stack import Stack

Progress = Callable[[str], None]


def in_stack(stack: Stack, progress: Progress | None = None) -> Mapping[str, int]:
    """Plant everything; answers how many rows changed, by kind."""
    services = Services(Settings.read(stack.environment()))
    return plant(services, progress or (lambda _: None), own_rosters=stack.own_rosters())


def plant(
    services: Services, progress: Progress, *, own_rosters: Collection[str] = ()
) -> Mapping[str, int]:
    """Plant with the product's own use cases, so that no row gets round a rule.

    A county with an imported roster of its own keeps it.
    """
    steps: list[tuple[str, Callable[[], int]]] = [
        ("divisions", lambda: services.places.put_divisions(geography.divisions())),
        ("grids", lambda: services.places.put_grids(geography.grids())),
        ("stations", lambda: services.stations.put_stations(stations.stations())),
        ("roster", lambda: roster.plant(services, without=own_rosters)),
        ("rewards", lambda: rewards.plant(services)),
    ]
    changed = {}
    for number, (name, step) in enumerate(steps, start=1):
        changed[name] = step()
        progress(f"[{number}/{len(steps)}] {name}: {changed[name]} 行有变化 (rows changed)")
    return changed
