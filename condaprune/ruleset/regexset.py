"""Many regular expressions matched at once: by google-re2, and by Python where that is missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_MEMORY = 256 << 20  # a cap for the automaton's cache, not what it takes
_MOST = 10_000  # of the expressions that RE2 compiles within that cap
_BYTES = ("utf-8", "surrogatepass")  # so that RE2 reads the characters that Python has

Hits = Callable[[str], Sequence[int]]
"""The numbers of the expressions that match a text, in any order."""


def compile_set(regexes: Sequence[str]) -> Hits:
    """Match all of these from the start of a text; a dot matches any character."""
    if not regexes:
        return lambda text: ()
    parts = [(at, _compile(regexes[at : at + _MOST])) for at in range(0, len(regexes), _MOST)]
    if len(parts) == 1:
        return parts[0][1]
    return lambda text: [at + number for at, hits in parts for number in hits(text)]


def _compile(regexes: Sequence[str]) -> Hits:
    try:
        import re2
    except ImportError:
        return by_python(regexes)
    options = re2.Options()
    options.max_mem = _MEMORY
    options.dot_nl = options.never_capture = True
    options.log_errors = False
    found = re2.Set.MatchSet(options)
    for regex in regexes:
        found.Add(regex.encode(*_BYTES))
    found.Compile()
    match = found.Match
    return lambda text: match(text.encode(*_BYTES)) or ()


def by_python(regexes: Sequence[str]) -> Hits:
    """The same by a single expression of Python, in which each has a group that marks a match."""
    marked = (f"(?:(?={_to_the_end(regex)})())?" for regex in regexes)
    match = re.compile("".join(marked), re.DOTALL).match
    numbers = range(len(regexes))

    def hits(text: str) -> Sequence[int]:
        found = match(text)
        assert found is not None
        if found.lastindex is None:
            return ()
        marks = found.groups()
        return [number for number in numbers if marks[number] is not None]

    return hits


def _to_the_end(regex: str) -> str:
    # Python's dollar also matches before a final newline, which a path may have.
    for end in ("$", "$)"):
        if regex.endswith(end):
            return regex.removesuffix(end) + end.replace("$", r"\Z")
    return regex
