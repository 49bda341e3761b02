"""What points and rewards promise, were there one request at a time: a small model.

It shares no code with the product: a rider is how many points he has, has held and was awarded, a
reward how many are left, a request what it was told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

PRICE = 10
AWARD = 10
CAP, BUDGET = 25, 40
"""Most units of a rider in the day, and points for everybody together."""

Told = tuple[str, "World"]


@dataclass(frozen=True, slots=True)
class World:
    """``free`` and ``held`` points and ``used`` units of the cap by rider, ``left`` by reward, the
    common ``budget``, and what each request became."""

    free: tuple[int, ...]
    held: tuple[int, ...]
    left: tuple[int, ...]
    used: tuple[int, ...] = (0,) * 8
    budget: int = BUDGET
    taken: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    """(request, where it stands) of every redemption."""
    done: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    """(request, what it is told from now on) of every command that was carried out, and of every
    reservation that was refused: who was told no under a key is never given it under that key."""

    def state_of(self, taking: str) -> str | None:
        return dict(self.taken).get(taking)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request. ``key`` is what the client repeats; ``taking`` the key of what it is about."""

    what: str
    key: str
    rider: int = 0
    reward: int = 0
    taking: str = ""

    def __str__(self) -> str:
        return f"{self.what}({self.key}, rider {self.rider}, reward {self.reward}, {self.taking})"


def step(world: Any, ask: Any) -> Iterable[Told]:
    """Every answer that a request may get in a world, and the world after it."""
    yield from _STEPS[ask.what](world, ask)


def _award(world: World, ask: Ask) -> Iterable[Told]:
    """A member's cap lets units through, the common budget then points."""
    earlier = dict(world.done).get(ask.key)
    if earlier is not None:
        yield earlier, world
        return
    units = min(AWARD, CAP - world.used[ask.rider])
    granted = min(units, world.budget)
    told = f"+{granted}"
    after = _told(world, ask.key, told)
    if granted:
        after = replace(
            after,
            free=_plus(world.free, ask.rider, granted),
            used=_plus(world.used, ask.rider, units),
            budget=world.budget - granted,
        )
    yield told, after


def _reserve(world: World, ask: Ask) -> Iterable[Told]:
    refused = dict(world.done).get(ask.key)
    if world.state_of(ask.key) is not None:
        yield "reserved", world  # whatever became of it: the first answer stands
        return
    if refused is not None:
        yield refused, world
        return
    has_points, is_left = world.free[ask.rider] >= PRICE, world.left[ask.reward] >= 1
    if not has_points:
        yield "points.insufficient", _told(world, ask.key, "points.insufficient")
    if not is_left:
        yield "reward.sold_out", _told(world, ask.key, "reward.sold_out")
    if has_points and is_left:
        held = replace(
            world,
            free=_plus(world.free, ask.rider, -PRICE),
            held=_plus(world.held, ask.rider, PRICE),
            left=_plus(world.left, ask.reward, -1),
        )
        yield "reserved", _moved(held, ask.key, "reserved")


_REFUSALS = {
    "reserved": "redemption.not_fulfilled",
    "fulfilled": "redemption.already_fulfilled",
    "cancelled": "redemption.cancelled",
    "expired": "redemption.expired",
}


def _end(world: World, ask: Ask, *, needs: str, becomes: str) -> Iterable[Told]:
    """A command on a redemption: told once, and the same again."""
    earlier = dict(world.done).get(ask.key)
    state = world.state_of(ask.taking)
    if earlier is not None:
        yield earlier, world
    elif state is None:
        yield "redemption.not_found", world
    elif state != needs:
        yield _REFUSALS[state], world
    else:
        after = _moved(world, ask.taking, becomes)
        yield becomes, _told(_settled(after, ask, becomes), ask.key, becomes)


def _settled(world: World, ask: Ask, becomes: str) -> World:
    """Where the points and the piece go."""
    if becomes == "reserved":
        return replace(world, held=_plus(world.held, ask.rider, PRICE))
    released = replace(world, held=_plus(world.held, ask.rider, -PRICE))
    if becomes == "fulfilled":
        return released
    return replace(
        released,
        free=_plus(world.free, ask.rider, PRICE),
        left=_plus(world.left, ask.reward, 1),
    )


def _expire(world: World, ask: Ask) -> Iterable[Told]:
    """The schedule, which ends what is reserved and nothing else."""
    if world.state_of(ask.taking) == "reserved":
        yield "expired", _settled(_moved(world, ask.taking, "expired"), ask, "expired")


def _balance(world: World, ask: Ask) -> Iterable[Told]:
    yield f"{world.free[ask.rider]}+{world.held[ask.rider]}", world


def _look(world: World, ask: Ask) -> Iterable[Told]:
    yield world.state_of(ask.taking) or "redemption.not_found", world


def _plus(numbers: tuple[int, ...], at: int, more: int) -> tuple[int, ...]:
    return (*numbers[:at], numbers[at] + more, *numbers[at + 1 :])


def _moved(world: World, taking: str, state: str) -> World:
    others = {pair for pair in world.taken if pair[0] != taking}
    return replace(world, taken=frozenset({*others, (taking, state)}))


def _told(world: World, key: str, answer: str) -> World:
    return replace(world, done=world.done | {(key, answer)})


_STEPS: dict[str, Any] = {
    "award": _award,
    "reserve": _reserve,
    "fulfil": lambda w, a: _end(w, a, needs="reserved", becomes="fulfilled"),
    "undo": lambda w, a: _end(w, a, needs="fulfilled", becomes="reserved"),
    "cancel": lambda w, a: _end(w, a, needs="reserved", becomes="cancelled"),
    "expire": _expire,
    "balance": _balance,
    "look": _look,
}
