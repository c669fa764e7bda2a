"""Whether a prefix lies on an overlay file system, and in which layer of it."""

from __future__ import annotations

import os
from collections.abc import Sequence

from condaprune.paths import to_bytes

_SAMPLE = 200


def is_overlay(prefix: str) -> bool:
    """Whether a folder lies on an overlay file system (a container's)."""
    return _mount(prefix)[1] == b"overlay"


def in_lower_layer(prefix: str, paths: Sequence[str]) -> bool:
    """Whether entries of a prefix seem to lie in a lower layer of an overlay, most of them.

    There removing them hides them and frees nothing. Where the upper layer is in sight that is
    looked up; in a container, what was changed before its first process began is from below.
    """
    point, kind, upper = _mount(prefix)
    step = max(1, len(paths) // _SAMPLE)
    sample = [os.path.join(to_bytes(prefix), to_bytes(path)) for path in paths[::step]]
    if kind != b"overlay" or not sample:
        return False
    if upper and os.path.isdir(upper):
        below = [not os.path.lexists(upper + b"/" + path[len(point) :]) for path in sample]
    else:
        began = _container_start()
        below = [_changed(path) < began for path in sample]
    return 2 * sum(below) > len(below)


def _changed(path: bytes) -> float:
    try:
        return os.lstat(path).st_ctime
    except OSError:
        return float("inf")


def _container_start() -> float:
    """When process 1 began, in seconds since the epoch and not too late; 0 where unknown."""
    try:
        with open("/proc/1/stat", "rb") as stream:
            ticks = int(stream.read().rpartition(b")")[2].split()[19])
        with open("/proc/stat", "rb") as stream:
            (boot,) = (line.split()[1] for line in stream if line.startswith(b"btime "))
    except (OSError, ValueError, IndexError):
        return 0.0
    return int(boot) + ticks / os.sysconf("SC_CLK_TCK") - 1


def _mount(prefix: str) -> tuple[bytes, bytes, bytes]:
    """What a folder is mounted by: the mount point, the type, an overlay's upper folder."""
    try:
        with open("/proc/self/mountinfo", "rb") as stream:
            lines = stream.read().splitlines()
    except OSError:
        return b"", b"", b""
    path = to_bytes(prefix)
    best, kind, upper = b"", b"", b""
    for line in lines:
        words = line.split(b" ")
        point = words[4].replace(b"\\040", b" ")
        inside = path == point or path.startswith(point.rstrip(b"/") + b"/")
        if inside and len(point) >= len(best):
            best, kind = point, words[words.index(b"-") + 1]
            options = words[-1].split(b",")
            upper = next((o[9:] for o in options if o.startswith(b"upperdir=")), b"")
    return best, kind, upper
