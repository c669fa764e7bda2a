"""Paths of entries: relative, POSIX, of any bytes but NUL; text by surrogateescape."""

from __future__ import annotations


def to_bytes(path: str) -> bytes:
    """The bytes of a path as the file system and archives hold them."""
    return path.encode("utf-8", "surrogateescape")


def from_bytes(path: bytes) -> str:
    """The inverse of `to_bytes`."""
    return path.decode("utf-8", "surrogateescape")


def printable(path: str) -> str:
    """A path as shown to people: bytes that are no UTF-8 and control characters are escaped."""
    if path.isprintable():
        return path
    text = to_bytes(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


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
