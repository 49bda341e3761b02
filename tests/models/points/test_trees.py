"""Every leaf of every tree has a proof, and no other leaf has it."""

from __future__ import annotations

import pytest

from models.points import trees


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 13, 64, 257])
def test_each_leaf_climbs_to_the_top_and_no_other_leaf_does(size: int) -> None:
    leaves = [trees.leaf(f"mem_{number}", number, "h") for number in range(size)]
    top = trees.top(leaves)

    for index, one in enumerate(leaves):
        steps = trees.path(leaves, index)
        assert trees.climb(one, steps) == top
        assert trees.climb(trees.leaf("mem_x", index, "h"), steps) != top
        assert len(steps) <= (size - 1).bit_length()


def test_a_trees_top_changes_with_every_leaf_and_their_number() -> None:
    leaves = [trees.leaf(f"mem_{number}", 1, "h") for number in range(6)]
    others = [[*leaves[:i], trees.leaf("mem_x", 1, "h"), *leaves[i + 1 :]] for i in range(6)]

    tops = {trees.top(each) for each in (leaves, leaves[:5], leaves[1:], *others)}

    assert len(tops) == 9


def test_a_leaf_names_whose_it_is_how_long_and_how_it_ends() -> None:
    same = {
        trees.leaf(*each)
        for each in (("m", 1, "h"), ("n", 1, "h"), ("m", 2, "h"), ("m", 1, "i"), ("m|1", 1, "h"))
    }

    assert len(same) == 5


def test_a_days_root_takes_in_the_day_and_the_root_before() -> None:
    roots = {
        trees.day_root(*each)
        for each in (("2026-03-18", "p", "t"), ("2026-03-19", "p", "t"), ("2026-03-18", "q", "t"))
    }

    assert len(roots) == 3
