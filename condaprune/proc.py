"""What ``/proc`` says of a prefix: the processes that use it, the mounts on it and below it."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from condaprune.paths import from_bytes, to_bytes

_OCTAL = re.compile(r"\\([0-7]{3})")


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
        if number == os.getpid():
            continue
        with contextlib.suppress(OSError):
            program = os.readlink(b"/proc/%d/exe" % number)
            if program.startswith(inside) or inside in _read(b"/proc/%d/maps" % number):
                users.append((number, from_bytes(program)))
    return users


def _read(path: bytes) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system: where, its type (``ext4``, ``overlay``), its options."""

    point: str
    kind: str
    options: tuple[str, ...]

    def option(self, name: str) -> str:
        """The value of an option such as ``upperdir``; empty where it is not set."""
        start = name + "="
        return next((o[len(start) :] for o in self.options if o.startswith(start)), "")

    @property
    def label(self) -> str:
        """How the header of a trace names it: the type, and how access times are kept."""
        options = [o for o in self.options if o.endswith("atime") or o == "ro"]
        return f"{self.kind} ({','.join(options)})" if options else self.kind


def mount_of(path: str, table: str = "/proc/self/mountinfo") -> Mount:
    """The mount that the real *path* lies on; one of unknown type where there is no table."""
    deepest = Mount("/", "unknown", ())
    for fields, about in _mounts(table):
        point = _unescaped(fields[4])
        # Of several mounts at one point, the last one listed covers the others.
        if len(point) >= len(deepest.point) and _covers(point, path):
            options = dict.fromkeys((*fields[5].split(","), *about[2].split(",")))
            deepest = Mount(point, about[0], tuple(options))
    return deepest


def mount_points_below(prefix: str, table: str = "/proc/self/mountinfo") -> frozenset[str]:
    """Where something is mounted inside the real path *prefix*, relative to it: folders and files,
    bind mounts of the same file system too. None where there is no table.
    """
    start = prefix.rstrip("/") + "/"
    found = {
        point[len(start) :]: fields[0]
        for fields, _ in _mounts(table)
        if (point := _unescaped(fields[4])).startswith(start)
    }
    return frozenset(path for path, number in found.items() if _is_mounted(start + path, number))


def _is_mounted(path: str, number: str) -> bool:
    """Whether the mount of a number is what is seen at a path: another may cover it."""
    try:
        handle = os.open(to_bytes(path), os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return os.path.lexists(to_bytes(path))
    try:
        facts = _read(b"/proc/self/fdinfo/%d" % handle).split()
    except OSError:
        return True
    finally:
        os.close(handle)
    return b"mnt_id:" not in facts or facts[facts.index(b"mnt_id:") + 1] == number.encode()


def _mounts(table: str) -> Iterator[tuple[list[str], list[str]]]:
    """The fields of each line of the table, before and after the dash."""
    try:
        lines = from_bytes(_read(to_bytes(table))).split("\n")
    except OSError:
        return
    for line in lines:
        head, _, tail = line.partition(" - ")
        fields, about = head.split(" "), tail.split(" ")
        if len(fields) >= 6 and len(about) >= 3:
            yield fields, about


def _unescaped(field: str) -> str:
    return _OCTAL.sub(lambda octal: chr(int(octal[1], 8)), field) if "\\" in field else field


def _covers(point: str, path: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/") or not os.path.isabs(path)
