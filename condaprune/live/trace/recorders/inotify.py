"""The default recorder: inotify on every real folder of the prefix, through ctypes.

It needs no privileges and sees every process that opens a file through this kernel: loader,
interpreter, children with ``-I`` and ``-S``, shells, C code. It sees neither a stat nor a name
that was looked for in vain, nor which of several hard or symbolic links was asked for: an event
names the file itself in the folder it was reached through.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import struct
from collections.abc import Iterator

from condaprune.errors import TraceError
from condaprune.live.trace.recorders.base import Pump, Recorder, Recording, walk
from condaprune.paths import from_bytes, to_bytes
from condaprune.traces.trace import Tally

IN_CLOSE_WRITE = 0x8
IN_OPEN = 0x20
IN_MOVED_FROM = 0x40
IN_MOVED_TO = 0x80
IN_CREATE = 0x100
IN_DELETE = 0x200
IN_Q_OVERFLOW = 0x4000
IN_IGNORED = 0x8000
IN_ISDIR = 0x40000000
_IN_ONLYDIR = 0x01000000
_IN_DONT_FOLLOW = 0x02000000

_CHANGES = IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE
_MASK = IN_OPEN | _CHANGES | _IN_ONLYDIR | _IN_DONT_FOLLOW
_EVENT = struct.Struct("iIII")
_BUSY = 1 << 15
"""A read of more bytes than that (some 600 events) is followed by the next one at once."""


class InotifyRecorder(Recorder):
    """Watches the tree at the real path *prefix*."""

    name = "inotify"
    attaches = True
    sees_changes = True

    def __init__(self, prefix: str, scratch: str = "") -> None:
        self._root = to_bytes(prefix)
        self._watches: dict[int, str] = {}
        self._tally = Tally(self.name)
        self._changed: dict[str, None] = {}
        self._unwatched: list[str] = []
        self._overflow = False

    def check(self) -> None:
        """Whether this machine has inotify at all; limits show when watches are set."""
        if not hasattr(ctypes.CDLL(None), "inotify_init1"):
            raise TraceError(
                "this system has no inotify", remedy="Record on Linux, or with another recorder"
            )

    def start(self) -> None:
        """Watch every folder, then read the queue in a thread."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._handle = self._libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self._handle < 0:
            raise _limit(ctypes.get_errno(), "max_user_instances")
        try:
            # The list is made first: walking a folder that is watched would be recorded.
            for folder in list(_folders(self._root)):
                self._watch(folder)
        except BaseException:
            os.close(self._handle)
            raise
        self._pump = Pump(self._handle, self.feed, "condaprune-inotify", short=_BUSY)

    def stop(self) -> Recording:
        """End after the last event that is queued by now."""
        self._pump.stop()
        notes = [f"{len(self._watches)} folders watched"]
        if self._unwatched:
            notes.append(
                f"{len(self._unwatched)} folders could not be watched, such as "
                f"{self._unwatched[0]}: what lies in them was not recorded"
            )
        return Recording(
            self._tally.entries(),
            overflow=self._overflow,
            changed=tuple(self._changed),
            notes=tuple(notes),
        )

    def _watch(self, folder: bytes) -> bool:
        number = self._libc.inotify_add_watch(self._handle, folder, _MASK)
        relative = from_bytes(folder[len(self._root) + 1 :])
        if number >= 0:
            self._watches[number] = relative
            return True
        code = ctypes.get_errno()
        if code in (errno.ENOENT, errno.ENOTDIR) and folder != self._root:
            return False  # it went away since it was listed
        if code == errno.EACCES and folder != self._root:
            self._unwatched.append(relative)
            return False
        raise _limit(code, "max_user_watches", len(self._watches))

    def feed(self, data: bytes) -> None:
        """Take in events as the kernel writes them. Errors: `TraceError` at a watch limit."""
        for number, mask, name in events(data):
            if mask & IN_Q_OVERFLOW:
                self._overflow = True
                continue
            folder = self._watches.get(number)
            if folder is None:
                continue
            if mask & IN_IGNORED:
                self._watches.pop(number, None)
                continue
            # Opening a folder makes two events: its own watch's (without a name), its parent's.
            if not name:
                continue
            path = f"{folder}/{name}" if folder else name
            if mask & IN_OPEN:
                self._tally.add(path, "list" if mask & IN_ISDIR else "open")
            if mask & _CHANGES:
                self._changed[path] = None
                if mask & IN_ISDIR and mask & (IN_CREATE | IN_MOVED_TO):
                    self._adopt(path)

    def _adopt(self, path: str) -> None:
        """Watch a folder that has appeared, and all that was put in it meanwhile."""
        for folder in _folders(self._root + b"/" + to_bytes(path)):
            if self._watch(folder):
                with contextlib.suppress(OSError):
                    for name in os.listdir(folder):
                        inner = os.path.join(folder[len(self._root) + 1 :], name)
                        self._changed[from_bytes(inner)] = None


def _folders(root: bytes) -> Iterator[bytes]:
    yield root
    yield from (entry.path for entry in walk(root) if entry.is_dir(follow_symlinks=False))


def events(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Watch number, mask and name of each event in a buffer that was read."""
    offset = 0
    while offset + _EVENT.size <= len(data):
        number, mask, _cookie, length = _EVENT.unpack_from(data, offset)
        offset += _EVENT.size
        name = data[offset : offset + length]
        offset += length
        yield number, mask, from_bytes(name.rstrip(b"\0"))


def _limit(code: int, setting: str, reached: int = 0) -> TraceError:
    """The error for a limit of the kernel; other failures as the system words them."""
    if code not in (errno.ENOSPC, errno.EMFILE):
        return TraceError(
            f"inotify cannot watch the prefix: {os.strerror(code)}",
            remedy="Record with another recorder, such as `--recorder strace`",
        )
    after = f" after {reached} folders" if reached else ""
    return TraceError(
        f"the kernel's limit fs.inotify.{setting} is reached{after}",
        remedy=f"Raise it on the host, as in `sysctl fs.inotify.{setting}="
        f"{524288 if setting == 'max_user_watches' else 1024}`, or use `--recorder strace`",
    )
