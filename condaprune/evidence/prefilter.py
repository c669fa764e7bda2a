"""Finds in one pass over a file which of many words it holds.

With google-re2 the pass costs the same for one word and for a thousand; without it, one search a
word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_MEMORY = 256 << 20  # a cap for the automaton's cache, not what it takes
_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


@dataclass(frozen=True, slots=True)
class Word:
    """Something to look for: `text` as it stands in the file, `whole` where it must be a word.

    Where `also` is given, it has to find something too: readers ask it, the filter does not.
    """

    key: str
    text: bytes
    whole: bool = False
    also: Callable[[bytes], object] | None = None


class Prefilter:
    """Finds which of *words* a text holds."""

    def __init__(self, words: Sequence[Word]) -> None:
        self.words = tuple(words)
        self._match = _compile(self.words) if words else None

    def __bool__(self) -> bool:
        return bool(self.words)

    def match(self, data: bytes) -> frozenset[str]:
        """The keys of the words that *data* holds."""
        if self._match is not None:
            hits = self._match(data)
            return frozenset([self.words[i].key for i in hits]) if hits else _NONE
        return frozenset(
            word.key
            for word in self.words
            if (
                any(True for _ in occurrences(data, word.text)) if word.whole else word.text in data
            )
        )


_NONE: frozenset[str] = frozenset()


def _compile(words: Sequence[Word]) -> Callable[[bytes], list[int]] | None:
    try:
        import re2
    except ImportError:
        return None
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes, whatever they encode
    options.max_mem = _MEMORY
    found = re2.Set.SearchSet(options)
    for word in words:
        text = re.escape(word.text)
        found.Add(rb"\b" + text + rb"\b" if word.whole else text)
    found.Compile()
    match: Callable[[bytes], list[int]] = getattr(found, "_set", found).Match  # without a wrapper
    return match


def find_all(data: bytes, text: bytes) -> Sequence[int]:
    """Where *text* occurs."""
    at = data.find(text)
    if at < 0:
        return ()  # nearly always
    places = []
    while at >= 0:
        places.append(at)
        at = data.find(text, at + len(text))
    return places


def occurrences(data: bytes, word: bytes) -> Iterator[int]:
    """Where *word* stands as a whole word."""
    for at in find_all(data, word):
        end = at + len(word)
        if (at == 0 or data[at - 1] not in _WORD) and (end == len(data) or data[end] not in _WORD):
            yield at
