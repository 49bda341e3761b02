"""Merkle trees: one hash that vouches for many, and the short proof that one is among them.

Pure, and simple enough to be written again in a few lines by whoever checks. All hashes are
SHA-256 as lower-case hex; what is hashed begins with a word, so that a leaf never passes for a
node. A pair is sorted before it is hashed, so that a proof is a list of hashes without sides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

EMPTY = "0" * 64
"""The root of nothing."""


def leaf(member_id: str, version: int, head: str) -> str:
    """What stands for a wallet: whose it is, how many entries it has, and their last hash."""
    return _hash("leaf", member_id, str(version), head)


def day_root(day: str, previous: str, tree: str) -> str:
    """The root of a day (``YYYY-MM-DD``, China): it vouches for its tree and for the root before,
    so the newest one vouches for all."""
    return _hash("root", day, previous, tree)


def top(hashes: Sequence[str]) -> str:
    """The root of a tree.

    >>> top(["a"]), top([]) == EMPTY
    ('a', True)
    """
    level = list(hashes)
    while len(level) > 1:
        level = _above(level)
    return level[0] if level else EMPTY


def path(hashes: Sequence[str], index: int) -> list[str]:
    """The hashes that lead from one of a tree's to its root, nearest first."""
    level, found = list(hashes), []
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            found.append(level[beside])
        level, index = _above(level), index // 2
    return found


def climb(one: str, steps: Sequence[str]) -> str:
    """The root to which a path leads.

    >>> climb("b", path(["a", "b", "c"], 1)) == top(["a", "b", "c"])
    True
    """
    for step in steps:
        one = _parent(one, step)
    return one


def _above(level: Sequence[str]) -> list[str]:
    """The next level: pairs are joined, and an odd last one rises as it is."""
    pairs = range(0, len(level) - 1, 2)
    joined = [_parent(level[index], level[index + 1]) for index in pairs]
    return joined + list(level[len(level) - len(level) % 2 :])


def _parent(one: str, other: str) -> str:
    return _hash("node", *sorted((one, other)))


def _hash(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()
