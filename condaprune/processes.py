"""Which processes use a prefix, read from ``/proc``."""

from __future__ import annotations

import os

from condaprune.paths import from_bytes, to_bytes


def running_from(prefix: str) -> list[tuple[int, str]]:
    """Processes that run a program of the prefix or have a file of it mapped.

    Returns process ids with the program's path, in order; our own process, and those whose
    ``/proc`` we may not read, are left out.
    """
    inside = to_bytes(prefix.rstrip("/")) + b"/"
    users = []
    try:
        numbers = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    except OSError:
        return []
    for number in numbers:
        if number != os.getpid():
            program = _program(number)
            if program and (program.startswith(inside) or _maps(number, inside)):
                users.append((number, from_bytes(program)))
    return users


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
