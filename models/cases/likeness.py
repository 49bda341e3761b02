"""Tell whether a report is about the thing of a case that stands, and say why.

Weight of evidence (Fellegi and Sunter 1969): each part is the logarithm of how much more often
what was seen is seen with one thing than with two. The parts of a pair add up to its odds. All
cases around one report then share one certainty with "none of these", so that two bus stops which
both may be meant make each other doubtful. A fixed case counts too, because things come back; it
steps aside for a later case of the same place, as which it has come back already.

*Source* of the weights: beside each. What depends on the city (how crowded a family is, how often
it comes back) was measured on development seeds of ``infra/bench/duplicates``. That ids go before
distance and that closed cases belong in: FixMyStreet issue 2669.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.base.geometry import Position, distance_m

SAME_SCORE = 0.5
"""From here on it is the same: likelier than all else together."""
SHOWN_WEIGHT = math.log(0.1 / 0.9)
"""From here on a case is worth a look: one in ten such pairs is the same thing."""

RADIUS_68_PER_SIGMA = 1.51
"""Phones report the radius that holds 68 % (Android ``Location.getAccuracy``); where the error is
normal in both axes that is 1.51 standard deviations."""
LEAST_ACCURACY_M = 4.0
"""No phone is better in a street, whatever it says (4.9 m on average under open sky, gps.gov)."""
TAIL = 6.0
"""Degrees of freedom of the error: phones are far off more often than the bell curve has it."""
HASH_ALIKE_BITS = 47
"""Of 128. One scene taken again by hand differs by 16 to 53, mostly below 45; two scenes by 52 to
67 (``tests/photos/pairs.json``)."""
HASH_ALIKE, HASH_UNLIKE = 2.4, -0.4
"""Pictures of one thing are alike in a third of the pairs, because riders stand on different
sides, those of two things in 3 %: ln(0.35 / 0.03), ln(0.65 / 0.97)."""
ID_SAME = 6.0
"""Two things never bear one id: enough to outweigh any distance within reach."""
AGAIN = 3.0
"""What once came back at a place is likelier than a second thing there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What a family's things are like.

    ``crowd_per_km2``: how many other problems of the family stand where riders report.
    ``stand_off_m``: how far from its middle they stand, one standard deviation.
    ``back``: weight of a fixed thing's having come back, ``back_fades`` how soon it does.
    ``fades``: how long an open one stays before it is gone by itself.
    ``id_near``, ``id_other``: weight of ids that differ in one character, or in more.
    ``code_same``, ``code_other``: weight of the same category, or of a sibling.
    """

    crowd_per_km2: float = 30.0
    stand_off_m: float = 6.0
    back: float = -1.5
    back_fades: timedelta = timedelta(days=3)
    fades: timedelta = timedelta(days=60)
    id_near: float = -1.0
    id_other: float = -4.0
    code_same: float = 0.3
    code_other: float = -1.0


ANY_FAMILY = Family()
"""For a family that was never measured: crowded, and slow to come back."""
FAMILY_BY_NAME = {
    # A heap has many plates, of which each rider reads one, and bikes are ridden away. The two
    # categories are so easily taken for each other that they tell nothing.
    "parking": Family(
        crowd_per_km2=20, stand_off_m=7, fades=timedelta(days=7),
        id_near=2.0, id_other=-0.5, code_same=0.0, code_other=-0.1,
    ),
    # Waste comes back to the same points for days.
    "waste": Family(crowd_per_km2=20, stand_off_m=7, back=-1.0, back_fades=timedelta(days=6)),
    # Poles are numbered along the street: one digit off may be the neighbour.
    "lighting": Family(back=-0.5, back_fades=timedelta(days=6)),
    # Covers and potholes lie close together; few riders call one the other.
    "road": Family(crowd_per_km2=50, code_same=0.6, code_other=-1.7),
    # A flood is large and alone.
    "water": Family(crowd_per_km2=10, stand_off_m=12, back=-0.5),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where something is as phones have it; ``accuracy_m`` is the radius that holds 68 %."""

    position: Position
    accuracy_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of a thing from one report, or of a case from all of its reports.

    ``hashes`` are the photos' 128-bit difference hashes, none while none is known.
    """

    spot: Spot
    category: str
    family: str
    object_id: str | None = None
    hashes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A case that may be meant; ``fixed_at`` is None while it is not fixed."""

    seen: Seen
    created_at: datetime
    fixed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One reason: positive speaks for the same thing, negative for another (natural logarithm)."""

    name: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How certain it is that a case is the one meant, 0 to 1, and the parts that say so."""

    score: float
    parts: tuple[Part, ...]

    @property
    def is_same(self) -> bool:
        return self.score >= SAME_SCORE

    @property
    def is_shown(self) -> bool:
        """Whatever stands beside it: of two that may be meant the rider sees both."""
        return bool(self.parts) and sum(part.weight for part in self.parts) >= SHOWN_WEIGHT


def compare(report: Seen, cases: Sequence[Candidate], now: datetime) -> list[Likeness]:
    """Judge all cases around one report together, in their order; 0 for those of another family.

    The scores and that of "none of these" sum to 1. Cost: the square of the number of cases.
    """
    reasons = [_parts(report, case, cases, now) for case in cases]
    odds = [math.exp(sum(part.weight for part in own)) if own else 0.0 for own in reasons]
    total = 1 + sum(odds)
    return [Likeness(score=one / total, parts=own) for one, own in zip(odds, reasons, strict=True)]


def together(one: Spot, other: Spot) -> Spot:
    """Where a thing is by two sightings: the better one weighs more, and both know it better."""
    weights = [1 / max(spot.accuracy_m, LEAST_ACCURACY_M) ** 2 for spot in (one, other)]
    share = weights[1] / sum(weights)
    return Spot(
        position=Position(
            lon=one.position.lon + (other.position.lon - one.position.lon) * share,
            lat=one.position.lat + (other.position.lat - one.position.lat) * share,
        ),
        accuracy_m=1 / math.sqrt(sum(weights)),
    )


def _parts(
    report: Seen, case: Candidate, cases: Sequence[Candidate], now: datetime
) -> tuple[Part, ...]:
    """The parts of one pair; none when the families differ, and none that says nothing."""
    seen = case.seen
    if report.family != seen.family:
        return ()
    family = _family_of(report)
    weights = {
        "distance": _nearness(report, seen, family),
        "category": _code_weight(report, seen, family),
        "age": _age_weight(case, family, now),
        "object_id": _id_weight(report.object_id, seen.object_id, family),
        "photo": _photo_weight(report.hashes, seen.hashes),
        "reported_again": _again_weight(case, cases, family),
    }
    return tuple(Part(name=name, weight=weight) for name, weight in weights.items() if weight)


def _nearness(one: Seen, other: Seen, family: Family) -> float:
    """How much denser, at that distance, reports of one thing lie than reports of others.

    Both errors and the stand-off add up to one spread, heavy in the tail; others lie anywhere.
    """
    spread2 = _sigma_m(one.spot) ** 2 + _sigma_m(other.spot) ** 2 + family.stand_off_m**2
    distance2 = distance_m(one.spot.position, other.spot.position) ** 2
    tail = -(TAIL + 2) / 2 * math.log1p(distance2 / (TAIL * spread2))
    return tail - math.log(2 * math.pi * spread2 * family.crowd_per_km2 / 1e6)


def _sigma_m(spot: Spot) -> float:
    return max(spot.accuracy_m, LEAST_ACCURACY_M) / RADIUS_68_PER_SIGMA


def _code_weight(one: Seen, other: Seen, family: Family) -> float:
    return family.code_same if one.category == other.category else family.code_other


def _age_weight(case: Candidate, family: Family, now: datetime) -> float:
    if case.fixed_at is None:
        return -max(timedelta(), now - case.created_at) / family.fades
    return family.back - max(timedelta(), now - case.fixed_at) / family.back_fades


def _id_weight(one: str | None, other: str | None, family: Family) -> float:
    if one is None or other is None:
        return 0.0
    if one == other:
        return ID_SAME
    is_near = len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) == 1
    return family.id_near if is_near else family.id_other


def _photo_weight(ones: Sequence[int], others: Sequence[int]) -> float:
    """By the nearest pair of photos; without a hash on both sides nothing is known."""
    nearest = min(((one ^ other).bit_count() for one in ones for other in others), default=None)
    if nearest is None:
        return 0.0
    return HASH_ALIKE if nearest <= HASH_ALIKE_BITS else HASH_UNLIKE


def _again_weight(case: Candidate, cases: Sequence[Candidate], family: Family) -> float:
    """A fixed thing that has been reported again since is that later case."""
    if case.fixed_at is None:
        return 0.0
    return -sum(
        math.log1p(math.exp(AGAIN + _nearness(case.seen, later.seen, family)))
        for later in cases
        if later.created_at > case.fixed_at and later.seen.family == case.seen.family
    )


def _family_of(seen: Seen) -> Family:
    return FAMILY_BY_NAME.get(seen.family, ANY_FAMILY)
