"""Finds the links of an archive that leave its root, in time linear in all their targets.

Each link is followed once: what others find at it is where it ends. Folders are numbers, so that
a step costs the same however long the path is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

_ROOT = 0
_MOST_LINKS = 40  # as many as Linux follows


class _End(NamedTuple):
    """Where a link ends: so many folders below a known one, after so many links.

    `links` is 0 for a link that ends nowhere, such as one in a circle; `outside` holds for one
    that leaves the root on its way.
    """

    folder: int = _ROOT
    below: int = 0
    links: int = 0
    outside: bool = False


_NOWHERE, _OUTSIDE = _End(), _End(outside=True)


@dataclass(slots=True)
class _Walk:
    """How far the target of a link was followed: what is left of it is in reverse."""

    link: int
    left: list[str]
    folder: int
    below: int = 0
    links: int = 1


class _Tree:
    """The links and the folders that they lie in, by number."""

    def __init__(self, targets: Mapping[str, str]) -> None:
        self._inside: dict[tuple[int, str], int] = {}
        self._above = [_ROOT]
        self._targets = {self._add(path): target for path, target in targets.items()}
        self._ends: dict[int, _End] = {}

    def _add(self, path: str) -> int:
        number = _ROOT
        for part in path.split("/"):
            found = self._inside.get((number, part))
            if found is None:
                found = self._inside[number, part] = len(self._above)
                self._above.append(number)
            number = found
        return number

    def links_out(self) -> Iterator[bool]:
        """Of each link in turn, whether it leaves the root."""
        return (self._end(link).outside for link in self._targets)

    def _end(self, link: int) -> _End:
        walks = [] if link in self._ends else [self._start(link)]
        while walks:
            found = self._go_on(walks[-1])
            if isinstance(found, _End):
                self._ends[walks.pop().link] = found
            else:
                walks.append(self._start(found))
        return self._ends[link]

    def _start(self, link: int) -> _Walk:
        self._ends[link] = _NOWHERE  # what comes back to it runs in a circle
        return _Walk(link, self._targets[link].split("/")[::-1], self._above[link])

    def _go_on(self, walk: _Walk) -> _End | int:
        """Where a link ends, or the number of another one that has to be followed first."""
        if self._targets[walk.link].startswith("/"):
            return _OUTSIDE
        left = walk.left
        while left:
            part = left.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if walk.below:
                    walk.below -= 1
                elif walk.folder == _ROOT:
                    return _OUTSIDE
                else:
                    walk.folder = self._above[walk.folder]
                continue
            inner = None if walk.below else self._inside.get((walk.folder, part))
            if inner is None:
                walk.below += 1
            elif inner not in self._targets:
                walk.folder = inner
            elif inner not in self._ends:
                left.append(part)
                return inner
            else:
                end = self._ends[inner]
                walk.links += end.links
                if end.outside:
                    return _OUTSIDE
                if not end.links or walk.links > _MOST_LINKS:
                    return _NOWHERE
                walk.folder, walk.below = end.folder, end.below
        return _End(walk.folder, walk.below, walk.links)


def links_out(targets: Mapping[str, str]) -> list[str]:
    """Those of the links (path -> target) that leave the root, themselves or by others; absolute
    targets do."""
    if not targets:
        return []
    return [path for path, out in zip(targets, _Tree(targets).links_out(), strict=True) if out]
