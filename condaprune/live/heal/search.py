"""Finds a small set of things whose return makes a check pass, with few checks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)
Passes = Callable[[frozenset[T]], bool]


class OutOfTries(Exception):
    """The bounds of the search are reached."""


def smallest(items: Sequence[T], passes: Passes[T], base: frozenset[T] = frozenset()) -> list[T]:
    """A smallest set of *items* that, with *base*, passes: none of them can be left out.

    All *items* together are known to pass, *base* alone is known to fail, and more never hurts.
    Each item found takes about log2(len(items)) + 1 checks. When the tries run out, the smallest
    set known to pass so far is returned.

    >>> smallest(range(100), lambda kept: {7, 60} <= kept)
    [60, 7]
    """
    found: list[T] = []
    left = list(items)
    try:
        while left:
            low, high = 0, len(left)  # left[:low] fails, left[:high] passes
            while high - low > 1:
                middle = (low + high) // 2
                if passes(base | {*found, *left[:middle]}):
                    high = middle
                else:
                    low = middle
                left = left[:high]
            found.append(left[high - 1])
            left = left[: high - 1]
            if not left or passes(base | {*found}):
                break
    except OutOfTries:
        return found + left
    return found


def smallest_in_steps(
    items: Sequence[T], passes: Passes[T], levels: Sequence[Callable[[T], Hashable]]
) -> list[T]:
    """`smallest`, first among groups of items, then among ever smaller ones, then single items.

    *levels* tell an item's group, the widest first. What belongs together is so found together,
    and the order of the items within a level does not matter.
    """
    left = list(items)
    for level in levels:
        groups: dict[Hashable, list[T]] = {}
        for item in left:
            groups.setdefault(level(item), []).append(item)
        if len(groups) < 2:
            continue

        def together(keys: frozenset[Hashable], groups: dict[Hashable, list[T]] = groups) -> bool:
            return passes(frozenset(item for key in keys for item in groups[key]))

        chosen = set(smallest(list(groups), together))
        left = [item for item in left if level(item) in chosen]
    return smallest(left, passes) if len(left) > 1 else left
