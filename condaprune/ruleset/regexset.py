"""Many regular expressions matched at once: by google-re2, and by Python where that is missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache

_MEMORY = 256 << 20  # a cap for the automaton's cache, not what it takes
_MOST = 10_000  # of the expressions that RE2 compiles within that cap
_BYTES = ("utf-8", "surrogatepass")  # so that RE2 reads the characters that Python has

_LITERAL = re.compile(r"\^((?:\\[^\w]|[\w/ -])*/)")

_WILD = re.compile(r"\(\?:[^()]*\)\??|(?<!\\)\[[^\]]*\][*+]?|(?<!\\)\.[*+]")
_SPECIAL = re.compile(r"(?<!\\)[][()|?*+{}^$.]|\\\\")

_HEAD = re.compile(r"\^(?:(?:.*?/)?(?:\.\*|\(\?:\.\+/\)\?))?")
_END = "(?:/|$)"

Hits = Callable[[str], Sequence[int]]
"""The numbers of the expressions that match a text, in any order."""


def one_of(regexes: Iterable[str]) -> list[str]:
    """Fewer expressions that match what any of these does: one for each way to begin and to end.

    An automaton then follows one loop, such as that through the folders below site-packages, where
    it would follow one for each expression.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for regex in regexes:
        head = _HEAD.match(regex)
        start = head[0] if head else ""
        end = _END if regex.endswith(_END) else ""
        groups.setdefault((start, end), []).append(regex[len(start) : len(regex) - len(end)])
    return [
        f"{start}(?:{'|'.join(bodies)}){end}" if len(bodies) > 1 else start + bodies[0] + end
        for (start, end), bodies in groups.items()
    ]


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
    latin1 = re2.Options.Encoding.LATIN1  # its dot is one byte, which makes a small automaton
    ascii_only = _match_set(regexes, latin1)
    any_text = cache(lambda: _match_set(regexes, re2.Options.Encoding.UTF8))

    def hits(text: str) -> Sequence[int]:
        if text.isascii():
            return ascii_only(text.encode()) or ()
        return any_text()(text.encode(*_BYTES)) or ()

    return hits


def _match_set(regexes: Sequence[str], encoding: object) -> Callable[[bytes], Sequence[int] | None]:
    import re2

    options = re2.Options()
    options.encoding = encoding
    options.max_mem = _MEMORY
    options.dot_nl = options.never_capture = True
    options.log_errors = False
    found = re2.Set.MatchSet(options)
    for regex in regexes:
        found.Add(regex.encode(*_BYTES))
    found.Compile()
    match: Callable[[bytes], Sequence[int] | None]
    match = getattr(found, "_set", found).Match  # without a wrapper a path
    return match


def by_python(regexes: Sequence[str]) -> Hits:
    """The same by Python, which tries only what can match in a path's folder.

    Most expressions start with the text of a folder, and many paths lie in one folder.
    """
    below: dict[str, list[int]] = {}
    for number, regex in enumerate(regexes):
        below.setdefault(_folder(regex), []).append(number)
    matches = [re.compile(_to_the_end(regex), re.DOTALL).match for regex in regexes]
    tests = list(zip(map(_part, regexes), range(len(regexes)), matches, strict=True))

    @cache
    def candidates(folder: str) -> Sequence[tuple[str, int, Callable[[str], object]]]:
        parts = folder.split("/")
        above = ("/".join(parts[:depth]) for depth in range(len(parts) + 1))
        return [tests[n] for name in dict.fromkeys(above) for n in below.get(name, ())]

    def hits(text: str) -> Sequence[int]:
        folder = text.rpartition("/")[0]
        return [n for part, n, match in candidates(folder) if part in text and match(text)]

    return hits


def _folder(regex: str) -> str:
    """The folder that all matches of an expression lie in, as far as it is spelled out."""
    literal = _LITERAL.match(regex)
    return _plain(literal[1]).rpartition("/")[0] if literal else ""


def _part(regex: str) -> str:
    """The longest text that is spelled out and that all matches hold; empty where it is unclear."""
    parts = _WILD.sub("\0", regex.removeprefix("^").removesuffix("$")).split("\0")
    if any(_SPECIAL.search(part) for part in parts):
        return ""
    return max(map(_plain, parts), key=len)


def _plain(escaped: str) -> str:
    return re.sub(r"\\(.)", r"\1", escaped, flags=re.DOTALL)


def _to_the_end(regex: str) -> str:
    # Python's dollar also matches before a final newline, which a path may have.
    for end in ("$", "$)"):
        if regex.endswith(end):
            return regex.removesuffix(end) + end.replace("$", r"\Z")
    return regex
