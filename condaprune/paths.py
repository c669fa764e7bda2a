"""Paths of entries: relative, POSIX, of any bytes but NUL; text by surrogateescape."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

_LIBRARY = re.compile(r"\.(?:so(?:\.[\w.]+)?|dylib|dll)$")
_MAX_LINKS = 40  # as many as Linux follows
_MAX_PATH, _MAX_STEPS = 4096, 4096
_MOST_MARKS = 4  # on one letter, as in Hebrew and Tibetan; more of them cover other lines
# Printable for Python, and nothing to be seen of them: joiners, fillers, variation selectors.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U0001d159\U000e0100-\U000e01ef]"
)
# What starts a command in the log of a CI job: ::error at the start of a line, ##[error] anywhere.
_COMMAND = re.compile(r"^ *(:)(?=:)|(#)(?=#\w*\[)")


def to_bytes(path: str) -> bytes:
    """The bytes of a path as the file system and archives hold them."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a pair, as JSON may hold it: no path of a file
        return path.encode("utf-8", "surrogatepass")


def from_bytes(path: bytes) -> str:
    """The inverse of `to_bytes`."""
    return path.decode("utf-8", "surrogateescape")


def printable(text: str) -> str:
    r"""A text as shown to people, on one line: whatever does more than be seen is escaped.

    That is what is no UTF-8, control characters (line ends and tabs too), what changes direction,
    what cannot be seen, accents that pile up, and the marks by which the log of a CI job knows a
    command.

    >>> printable("a\x1b[2J\u202e\n"), printable("::error::a"), printable("lib/é.so")
    ('a\\x1b[2J\\u202e\\n', '\\x3a:error::a', 'lib/é.so')
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(_neutral(text))
    if "::" in text or "##" in text:
        text = _COMMAND.sub(_escaped_command, text)
    return text


def _neutral(text: str) -> Iterator[str]:
    from unicodedata import category

    marks = 0
    for char in text:
        marks = marks + 1 if category(char) in ("Mn", "Me") else 0
        yield char if marks <= _MOST_MARKS and _is_seen(char) else _escaped(char)


def _is_seen(char: str) -> bool:
    return char.isprintable() and not _UNSEEN.match(char)


def _escaped(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # a byte that is no UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()


def _escaped_command(match: re.Match[str]) -> str:
    return f"{match[0][:-1]}\\x{ord(match[0][-1]):02x}"


def parent(path: str) -> str:
    """The folder a path lies in; empty for entries at the top of the prefix."""
    return path.rpartition("/")[0]


def ancestors(path: str) -> list[str]:
    """The folders that a path lies in, the outermost first, without the prefix itself.

    >>> ancestors("lib/python3.11/os.py")
    ['lib', 'lib/python3.11']
    """
    parts = path.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


def sort_key(path: str) -> bytes:
    """The order of entries everywhere: the bytes of the path, so a folder precedes its content."""
    return to_bytes(path)


def is_library(path: str) -> bool:
    """Whether a file is named like a shared library or an extension module."""
    likely = ".so" in path or path.endswith((".dylib", ".dll"))
    return likely and _LIBRARY.search(path) is not None


def join(folder: str, relative: str) -> str | None:
    """A relative path from a folder of the prefix; None where it leaves the prefix."""
    path = posixpath.normpath(f"{folder}/{relative}" if folder else relative)
    if path == ".":
        return ""
    return None if path == ".." or path.startswith(("../", "/")) else path


class Trail(NamedTuple):
    """The links passed on the way to a path, and where it ends: in no link any more.

    `end` is empty for a path that runs in circles, or leaves the root: then `outside` is true.
    """

    links: tuple[str, ...]
    end: str
    outside: bool = False


def follow(path: str, target: Callable[[str], str | None], homes: Sequence[str] = ()) -> Trail:
    """Follow all links in a path and at its end, as the kernel does.

    *target* gives what a link says, None for whatever is not a link. An absolute target leaves the
    root unless it lies below one of *homes*: the absolute paths of the root, without a slash at
    the end. A path of thousands of steps, or longer than paths are, is taken to leave it.
    """
    here: list[str] = []  # the folders passed, each by its whole path
    pending = path.split("/")[::-1]
    passed: list[str] = []
    for _ in range(_MAX_STEPS):
        if not pending:
            return Trail(tuple(passed), here[-1] if here else "")
        part = pending.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not here:
                break
            here.pop()
            continue
        here.append(f"{here[-1]}/{part}" if here else part)
        if len(here[-1]) > _MAX_PATH:
            break
        says = target(here[-1])
        if says is None:
            continue
        if len(passed) == _MAX_LINKS:
            return Trail(tuple(passed), "")
        passed.append(here.pop())
        if says.startswith("/"):
            home = next((h for h in homes if says == h or says.startswith(h + "/")), None)
            if home is None:
                break
            says = says[len(home) :]
            here.clear()
        pending.extend(says.split("/")[::-1])
    return Trail(tuple(passed), "", True)
