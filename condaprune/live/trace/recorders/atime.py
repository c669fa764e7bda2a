"""The atime recorder: set all access times back, run, and see which have moved.

Nothing runs beside the workload, and no limit of the kernel is in the way. It sees that a file
was read, not that it was looked at, and it is blind where access times do not move: a self-test
on files of the prefix itself (the canary) decides. It alone of all recorders writes to the
prefix: access times, which are put back afterwards. Modification times stay as they are, since
bytecode is checked against them.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from condaprune.errors import TraceError
from condaprune.live.trace.mounts import Mount, mount_of
from condaprune.live.trace.recorders.base import Launch, Recording, Tally
from condaprune.paths import from_bytes, printable, to_bytes

_MARK = 10**9
"""Nanoseconds since the epoch: an access time that no real access leaves behind."""

_INSTEAD = "`--recorder inotify` works here"


@dataclass(frozen=True, slots=True)
class _Times:
    """The access time that an entry had, in nanoseconds, and what it is."""

    atime: int
    mode: int


class AtimeRecorder:
    """Watches the access times below the real path *prefix*."""

    name = "atime"
    attaches = True
    tells_changes = True

    def __init__(self, prefix: str, mount: Mount | None = None) -> None:
        self._root = to_bytes(prefix)
        self._mount = mount or mount_of(prefix)
        self._before: dict[bytes, _Times] = {}
        self._canary = ""

    def check(self) -> None:
        """Refuse mounts and prefixes whose access times tell nothing, or not only of us."""
        prefix = printable(from_bytes(self._root))
        for option in ("noatime", "ro"):
            if option in self._mount.options:
                raise TraceError(
                    f"access times do not move here: {self._mount.point} is mounted {option}",
                    where=prefix,
                    remedy=f"Remount it with relatime, or record otherwise: {_INSTEAD}",
                )
        upper = self._mount.option("upperdir")
        inodes: dict[tuple[int, int], int] = {}
        shared: dict[tuple[int, int], bytes] = {}
        for path, info in _walk(self._root):
            if stat.S_ISDIR(info.st_mode):
                continue
            if self._mount.kind == "overlay" and not self._is_upper(path, upper):
                raise TraceError(
                    "access times of files in a lower layer of an overlay never move, and "
                    "setting them copies the files up",
                    where=printable(from_bytes(path)),
                    remedy=f"Record in the layer that made the environment, or else {_INSTEAD}",
                )
            if info.st_nlink > 1:
                identity = (info.st_dev, info.st_ino)
                inodes[identity] = inodes.get(identity, 0) + 1
                if inodes[identity] < info.st_nlink:
                    shared[identity] = path
                else:
                    shared.pop(identity, None)
        if shared:
            first = min(shared.values())
            raise TraceError(
                f"{len(shared)} files have hard links outside of the prefix (the package cache), "
                f"such as {printable(from_bytes(first))}: what others read would count",
                where=prefix,
                remedy=f"Copy the environment first (`cp -a`), or record otherwise: {_INSTEAD}",
            )

    def start(self) -> None:
        """Test with two files whether access times move, then set all of them back."""
        for path, info in _walk(self._root):
            self._before[path] = _Times(info.st_atime_ns, info.st_mode)
        try:
            self._sing()
            for path in self._before:
                self._mark(path)
        except BaseException:
            self._restore()
            raise

    def launch(self, launch: Launch) -> Launch:
        """As it is."""
        return launch

    def stop(self) -> Recording:
        """Read which access times have moved, and put the others back."""
        tally = Tally(self.name)
        skip = len(self._root) + 1
        seen = dict.fromkeys(self._before, False)
        changed: list[str] = []
        for path, info in _walk(self._root):
            if path not in seen:
                changed.append(from_bytes(path[skip:]))
                continue
            seen[path] = True
            if info.st_atime_ns == _MARK:
                continue
            relative = from_bytes(path[skip:])
            if stat.S_ISDIR(info.st_mode):
                tally.add(relative, "list")
            else:
                tally.add(relative, "readlink" if stat.S_ISLNK(info.st_mode) else "open")
        changed.extend(from_bytes(path[skip:]) for path, found in seen.items() if not found)
        self._restore()
        return Recording(tally.entries(), canary=self._canary, changed=tuple(changed))

    def _is_upper(self, path: bytes, upper: str) -> bool:
        point = to_bytes(self._mount.point).rstrip(b"/")
        return bool(upper) and os.path.lexists(to_bytes(upper) + path[len(point) :])

    def _sing(self) -> None:
        """The canary: of two marked files one is read; its time must move, the other's not."""
        files = [p for p, times in self._before.items() if stat.S_ISREG(times.mode)]
        readable = [p for p in files if os.access(p, os.R_OK)][:2]
        if len(readable) < 2:
            raise TraceError(
                "there are no two readable files to test access times with",
                where=printable(from_bytes(self._root)),
                remedy=f"Record otherwise: {_INSTEAD}",
            )
        for path in readable:
            self._mark(path)
        with open(readable[0], "rb") as stream:
            stream.read(1)
        moved = [os.lstat(path).st_atime_ns != _MARK for path in readable]
        if moved != [True, False]:
            what = "did not move when a file was read" if not moved[0] else "move by themselves"
            raise TraceError(
                f"the self-test failed: access times {what}",
                where=printable(from_bytes(self._root)),
                remedy=f"Record otherwise: {_INSTEAD}",
            )
        self._canary = "passed"

    def _mark(self, path: bytes) -> None:
        self._set(path, _MARK)

    def _set(self, path: bytes, atime: int) -> None:
        try:
            times = (atime, os.lstat(path).st_mtime_ns)
            os.utime(path, ns=times, follow_symlinks=False)
        except FileNotFoundError:
            return
        except OSError as error:
            raise TraceError(
                f"the access time cannot be set: {error.strerror}",
                where=printable(from_bytes(path)),
                remedy=f"Record as the owner of the files, or otherwise: {_INSTEAD}",
            ) from error

    def _restore(self) -> None:
        for path, times in self._before.items():
            with contextlib.suppress(OSError, TraceError):
                if os.lstat(path).st_atime_ns == _MARK:
                    self._set(path, times.atime)


def _walk(root: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
    """Everything below *root* with its times; a folder's are taken before it is read."""
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                found = [(entry.path, os.lstat(entry.path)) for entry in entries]
        except FileNotFoundError:
            continue
        except OSError as error:
            raise TraceError(
                f"the folder cannot be read: {error.strerror}",
                where=printable(from_bytes(folder)),
                remedy=f"Record as a user who may read it, or otherwise: {_INSTEAD}",
            ) from error
        for path, info in found:
            yield path, info
            if stat.S_ISDIR(info.st_mode):
                pending.append(path)
