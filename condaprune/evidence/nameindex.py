"""Which of many dotted names occur somewhere in a file's bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

_GRAM = 3


class NameIndex:
    """Dotted names, found as substrings: what a file costs grows with its size, not with theirs.

    First words are found through their first three bytes, longer names only below a shorter one
    that was found: ``a.b.c`` cannot occur where ``a.b`` does not.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        below: dict[str, set[str]] = defaultdict(set)
        for name in self._names:
            while "." in name:
                above = name.rpartition(".")[0]
                below[above].add(name)
                name = above
            below[""].add(name)
        self._below = {
            above: [(n, n.encode()) for n in sorted(names)] for above, names in below.items()
        }
        self._tops: dict[bytes, list[tuple[str, bytes]]] = defaultdict(list)
        for name, word in self._below.get("", ()):
            self._tops[word[:_GRAM]].append((name, word))
        self._short = [gram for gram in self._tops if len(gram) < _GRAM]

    def find(self, data: bytes) -> Iterator[str]:
        """The names that occur in *data*, in no particular order."""
        grams = {data[at : at + _GRAM] for at in range(len(data))}.union(self._short)
        waiting = [pair for gram in grams & self._tops.keys() for pair in self._tops[gram]]
        while waiting:
            name, word = waiting.pop()
            if word in data:
                if name in self._names:
                    yield name
                waiting.extend(self._below.get(name, ()))
