"""What a user should know of where a prefix lies: processes that use it, an overlay below it."""

from __future__ import annotations

import os

from condaprune.model import from_bytes, to_bytes


def running_from(prefix: str) -> list[tuple[int, str]]:
    """Processes that run a program of the prefix or have a file of it mapped, as far as we may see.

    Returns process ids with the program's path; our own process is left out.
    """
    inside = to_bytes(prefix.rstrip("/")) + b"/"
    found = []
    try:
        numbers = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    except OSError:
        return []
    for number in numbers:
        if number != os.getpid():
            program = _program(number)
            if program and (program.startswith(inside) or _maps(number, inside)):
                found.append((number, from_bytes(program)))
    return found


def _program(number: int) -> bytes:
    try:
        return os.readlink(b"/proc/%d/exe" % number)
    except OSError:
        return b""


def _maps(number: int, inside: bytes) -> bool:
    try:
        with open(b"/proc/%d/maps" % number, "rb") as stream:
            return inside in stream.read()
    except OSError:
        return False


def is_overlay(prefix: str) -> bool:
    """Whether a folder lies on an overlay file system (a container's)."""
    try:
        with open("/proc/self/mountinfo", "rb") as stream:
            lines = stream.read().splitlines()
    except OSError:
        return False
    path = to_bytes(prefix)
    best, kind = b"", b""
    for line in lines:
        words = line.split(b" ")
        point = words[4].replace(b"\\040", b" ")
        inside = path == point or path.startswith(point.rstrip(b"/") + b"/")
        if inside and len(point) >= len(best):
            best, kind = point, words[words.index(b"-") + 1]
    return kind == b"overlay"
