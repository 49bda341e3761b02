"""5,000 labelled reports: who saw which thing when, where his phone said he was, what he read.

*Position.* The phone's horizontal error is drawn from three surroundings: open (30 %, 5 m on
average), street (60 %, 9 m), between high houses or under a roof (10 %, 25 m); that is 9.4 m over
all, and a heavy tail. *Source:* 7 to 13 m on average in an urban environment (Merry and
Bettinger 2019, doi 10.1371/journal.pone.0219890), 4.9 m under open sky (gps.gov). Within one
surrounding both axes are normal. On top, riders stand ``extent_m`` away from the thing.

*Accuracy.* What the phone reports is its own estimate of the radius that holds 68 % (Android
``Location.getAccuracy``; 63 to 68 % on iOS, developer.apple.com/forums/thread/699996), here the
surrounding's true radius times a log-normal factor of 0.4: correlated with the error, not equal.

*Object ids* are read in the kind's ``id_share`` of the reports, 5 % of them with one digit wrong.
A heap has eight plates, of which each rider reads one; poles are numbered along the street, so a
digit misread may name the neighbour.

*Photos.* Hamming distances are those of ``tests/photos/pairs.json``: two pictures of one thing
are alike in 35 % (then as measured after the scene was taken again by hand, unchanged or partly
changed), else as unlike as two scenes, because riders stand on different sides; two things look
alike in 3 % (the next lamp). Measured distances get up to 3 bits of jitter. The two shares are
assumed. The hash is known in 85 % of the reports.

Out of scope: one fault that takes out a whole row of lamps, the same rider twice, fraud.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar

from infra.bench.duplicates.world import (
    HALF_STREET_M,
    KERB_M,
    KINDS,
    Kind,
    Place,
    Span,
    Thing,
    World,
    plates,
)
from models.base.geometry import Position, distance_m, offset

COUNT = 5_000
BUSY_SHARE = 0.7
START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 30
SURROUNDINGS = ((0.30, 5.0), (0.60, 9.0), (0.10, 25.0))
"""Share of the reports, and the mean error in metres."""
RADIUS_68_PER_SIGMA = math.sqrt(-2 * math.log(1 - 0.68))
MEAN_PER_SIGMA = math.sqrt(math.pi / 2)
ACCURACY_SPREAD = 0.4
MISREAD = 0.05
ALIKE_SAME, ALIKE_OTHER = 0.35, 0.03
HASH_KNOWN = 0.85
JITTER_BITS = 3
_Item = TypeVar("_Item")
_PAIRS = Path(__file__).parents[3] / "tests" / "photos" / "pairs.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What arrives, and, as the label, which ``episode`` of which ``thing`` it is about."""

    number: int
    at: datetime
    position: Position
    accuracy_m: int
    category: str
    family: str
    object_id: str | None
    has_hash: bool
    thing: int
    episode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A thing's problem from the first report until it is fixed."""

    number: int
    thing: Thing
    first_at: datetime
    fixed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """The benchmark of one seed: reports in the order of arrival, and the truth behind them."""

    seed: int
    reports: Sequence[Report]
    episodes: Sequence[Episode]

    def hamming(self, one: Report, other: Report) -> int | None:
        """How far apart the hashes of two reports' photos are; the same whenever it is asked."""
        if not (one.has_hash and other.has_hash):
            return None
        pair = sorted((one.number, other.number))
        rng = random.Random(f"{self.seed}/{pair[0]}/{pair[1]}")
        alike, unlike = _distances()
        share = ALIKE_SAME if one.thing == other.thing else ALIKE_OTHER
        measured = alike if rng.random() < share else unlike
        drawn = measured[int(rng.random() * len(measured))]
        return drawn + int(rng.random() * (2 * JITTER_BITS + 1)) - JITTER_BITS


def labelled(seed: int) -> Labelled:
    """Make the benchmark of a seed; every call gives the same."""
    return _Making(seed).run()


class _Making:
    """One run of the generator."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._rng = random.Random(seed)
        self._world = World(self._rng)
        self._busy = [place for place in self._world.places if place.is_busy]
        self._other = [place for place in self._world.places if not place.is_busy]
        self._episodes: list[Episode] = []
        self._times: list[tuple[datetime, Episode]] = []
        self._by_place: dict[int, list[Episode]] = {}

    def run(self) -> Labelled:
        while len(self._times) < COUNT:
            places = self._busy if self._rng.random() < BUSY_SHARE else self._other
            place, kind = self._one_of(places), self._kind()
            thing = self._thing(place, kind)
            self._live(place, thing, START + timedelta(days=DAYS * self._rng.random()))
        del self._times[COUNT:]
        self._times.sort(key=lambda item: (item[0], item[1].number))
        reports = [
            self._report(number, at, episode) for number, (at, episode) in enumerate(self._times)
        ]
        return Labelled(seed=self._seed, reports=reports, episodes=self._episodes)

    def _kind(self) -> Kind:
        mark = self._rng.random() * sum(kind.share for kind in KINDS)
        for kind in KINDS:
            mark -= kind.share
            if mark < 0:
                return kind
        return KINDS[-1]

    def _thing(self, place: Place, kind: Kind) -> Thing:
        if kind.gap_m is None:
            return self._one_of(place.fixed[kind.name])
        while True:
            along = self._between((-HALF_STREET_M, HALF_STREET_M))
            side = KERB_M if self._rng.random() < 0.5 else -KERB_M
            spot = place.at(along, side if kind.name == "bike" else side * self._rng.random())
            if not self._is_taken(place, kind, spot):
                return self._world.thing(kind, spot)

    def _is_taken(self, place: Place, kind: Kind, spot: Position) -> bool:
        """Closer than the gap to another such thing, ever: it would be the same one."""
        assert kind.gap_m is not None
        others = [episode.thing for episode in self._by_place.get(place.street, ())]
        return any(
            distance_m(thing.position, spot) < kind.gap_m + _reach_m(thing.kind)
            for thing in (*others, *place.fixed["heap"])
            if thing.kind.family == kind.family
        )

    def _live(self, place: Place, thing: Thing, first_at: datetime) -> None:
        """One episode with all its reports, and perhaps its coming back."""
        kind = thing.kind
        fixed_at = first_at + timedelta(hours=self._between(kind.open_h))
        if self._overlaps(place, thing, first_at, fixed_at):
            return
        episode = Episode(
            number=len(self._episodes), thing=thing, first_at=first_at, fixed_at=fixed_at
        )
        self._episodes.append(episode)
        self._by_place.setdefault(place.street, []).append(episode)
        self._times.append((first_at, episode))
        for _ in range(self._echoes(kind)):
            share = self._rng.random()
            self._times.append((first_at + (fixed_at - first_at) * share, episode))
        if self._rng.random() < kind.returns:
            back_at = fixed_at + timedelta(hours=self._between(kind.returns_h))
            self._live(place, self._changed(thing), back_at)

    def _changed(self, thing: Thing) -> Thing:
        """A heap that comes back is made of other bikes."""
        if thing.kind.name != "heap":
            return thing
        return Thing(
            number=thing.number,
            kind=thing.kind,
            position=thing.position,
            ids=plates(self._rng, thing.kind),
        )

    def _overlaps(self, place: Place, thing: Thing, start: datetime, end: datetime) -> bool:
        return any(
            episode.thing.number == thing.number
            and start < episode.fixed_at + timedelta(hours=1)
            and episode.first_at < end + timedelta(hours=1)
            for episode in self._by_place.get(place.street, ())
        )

    def _echoes(self, kind: Kind) -> int:
        """Geometric with the kind's mean: a few salient things are reported by many."""
        stop, count = 1 / (1 + kind.echoes), 0
        while self._rng.random() >= stop:
            count += 1
        return count

    def _report(self, number: int, at: datetime, episode: Episode) -> Report:
        thing, rng = episode.thing, self._rng
        sigma_m = self._surrounding() / MEAN_PER_SIGMA
        east_m, north_m = _normal_pair(rng)
        away_m, bearing = self._between(thing.kind.extent_m), 2 * math.pi * rng.random()
        position = offset(
            thing.position,
            east_m=sigma_m * east_m + away_m * math.sin(bearing),
            north_m=sigma_m * north_m + away_m * math.cos(bearing),
        )
        factor = math.exp(ACCURACY_SPREAD * _normal_pair(rng)[0])
        main, sibling = thing.kind.codes
        return Report(
            number=number,
            at=at,
            position=position,
            accuracy_m=max(3, round(sigma_m * RADIUS_68_PER_SIGMA * factor)),
            category=sibling if rng.random() < thing.kind.sibling_share else main,
            family=thing.kind.family,
            object_id=self._read_id(thing),
            has_hash=rng.random() < HASH_KNOWN,
            thing=thing.number,
            episode=episode.number,
        )

    def _surrounding(self) -> float:
        mark = self._rng.random()
        for share, mean_m in SURROUNDINGS:
            mark -= share
            if mark < 0:
                return mean_m
        return SURROUNDINGS[-1][1]

    def _read_id(self, thing: Thing) -> str | None:
        if not thing.ids or self._rng.random() >= thing.kind.id_share:
            return None
        read = thing.ids[int(self._rng.random() * len(thing.ids))]
        if self._rng.random() >= MISREAD:
            return read
        at = int(self._rng.random() * len(read))
        wrong = (int(read[at]) + 1 + int(self._rng.random() * 9)) % 10
        return f"{read[:at]}{wrong}{read[at + 1 :]}"

    def _one_of(self, items: Sequence[_Item]) -> _Item:
        return items[int(self._rng.random() * len(items))]

    def _between(self, span: Span) -> float:
        return span[0] + (span[1] - span[0]) * self._rng.random()


def _reach_m(kind: Kind) -> float:
    """From its middle to its edge: only a heap is larger than what stands beside it."""
    return kind.extent_m[1] if kind.name == "heap" else 0.0


def _normal_pair(rng: random.Random) -> tuple[float, float]:
    """Two normal numbers (Box and Muller), the same in every version of Python."""
    radius = math.sqrt(-2 * math.log(1 - rng.random()))
    angle = 2 * math.pi * rng.random()
    return radius * math.cos(angle), radius * math.sin(angle)


@cache
def _distances() -> tuple[list[int], list[int]]:
    """What was measured of one scene taken again by hand, and of two scenes."""
    alike, unlike = [], []
    for kind, steps, found in _measured():
        if kind == "other":
            unlike += found
        elif kind == "fixed" or (kind == "unsure" and steps[0][0] == "rotate"):
            alike += found
    return alike, unlike


def _measured() -> Iterator[tuple[str, list[list[object]], list[int]]]:
    for pair in json.loads(_PAIRS.read_text(encoding="utf-8")):
        yield pair["kind"], pair.get("steps", []), list(pair["distances"].values())
