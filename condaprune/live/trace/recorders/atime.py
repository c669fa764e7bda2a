"""The atime recorder: set all access times back, run, and see which have moved.

Nothing runs next to the workload, and no limit of the kernel is in the way. It sees that a file
was read, not that it was looked at, and it is blind where access times do not move: a self-test
on files of the prefix itself (the canary) decides. It is the only recorder that writes to the
prefix: access times, which are put back afterwards. Modification times stay as they are, since
bytecode is checked against them.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

from condaprune.errors import TraceError
from condaprune.live.trace.recorders.base import Recorder, Recording, walk
from condaprune.paths import from_bytes, printable, to_bytes
from condaprune.proc import Mount, mount_of
from condaprune.traces.trace import Tally

_MARK = 10**9
"""Nanoseconds since the epoch: an access time that no real access leaves behind."""


class AtimeRecorder(Recorder):
    """Watches the access times below the real path *prefix*."""

    name = "atime"
    attaches = True
    sees_changes = True

    def __init__(self, prefix: str, scratch: str = "", mount: Mount | None = None) -> None:
        self._root = to_bytes(prefix)
        self._mount = mount or mount_of(prefix)
        self._before: dict[bytes, os.stat_result] = {}
        self._canary = ""

    def check(self) -> None:
        """Refuse mounts and prefixes whose access times say nothing, or not only about us."""
        for option in ("noatime", "ro"):
            if option in self._mount.options:
                raise _problem(
                    f"access times do not move here: {self._mount.point} is mounted {option}",
                    self._root,
                    "Remount it with relatime",
                )
        names: dict[tuple[int, int, int], list[bytes]] = {}
        for path, info in _walk(self._root):
            if stat.S_ISDIR(info.st_mode):
                continue
            if self._mount.kind == "overlay" and not self._is_upper(path):
                raise _problem(
                    "access times of files in a lower layer of an overlay never move, and "
                    "setting them copies the files up",
                    path,
                    "Record in the layer that made the environment",
                )
            if info.st_nlink > 1:
                names.setdefault((info.st_dev, info.st_ino, info.st_nlink), []).append(path)
        outside = [paths[0] for (_, _, links), paths in names.items() if len(paths) < links]
        if outside:
            raise _problem(
                f"{len(outside)} files have hard links outside the prefix (the package cache), "
                f"such as {printable(from_bytes(min(outside)))}: reads by others would count",
                self._root,
                "Copy the environment first (`cp -a`)",
            )

    def start(self) -> None:
        """Test with two files whether access times move, then set all of them back."""
        self._before = dict(_walk(self._root))
        try:
            self._run_canary()
            for path in self._before:
                _set_atime(path, _MARK)
        except BaseException:
            self._restore()
            raise

    def stop(self) -> Recording:
        """Read which access times have moved, and put the others back."""
        tally = Tally(self.name)
        skip = len(self._root) + 1
        missing = dict.fromkeys(self._before)
        changed: list[str] = []
        for path, info in _walk(self._root):
            relative = from_bytes(path[skip:])
            if path not in missing:
                changed.append(relative)
                continue
            del missing[path]
            if info.st_atime_ns == _MARK:
                continue
            if stat.S_ISDIR(info.st_mode):
                tally.add(relative, "list")
            else:
                tally.add(relative, "readlink" if stat.S_ISLNK(info.st_mode) else "open")
        changed.extend(from_bytes(path[skip:]) for path in missing)
        self._restore()
        return Recording(tally.entries(), canary=self._canary, changed=tuple(changed))

    def _is_upper(self, path: bytes) -> bool:
        upper = self._mount.option("upperdir")
        point = to_bytes(self._mount.point).rstrip(b"/")
        return bool(upper) and os.path.lexists(to_bytes(upper) + path[len(point) :])

    def _run_canary(self) -> None:
        """Mark two files and read one: its time must move, the other's must not."""
        files = [path for path, info in self._before.items() if stat.S_ISREG(info.st_mode)]
        canaries = [path for path in files if os.access(path, os.R_OK)][:2]
        if len(canaries) < 2:
            raise _problem("there are no two readable files to test access times with", self._root)
        for path in canaries:
            _set_atime(path, _MARK)
        with open(canaries[0], "rb") as stream:
            stream.read(1)
        moved = [os.lstat(path).st_atime_ns != _MARK for path in canaries]
        if moved != [True, False]:
            what = "did not move when a file was read" if not moved[0] else "move by themselves"
            raise _problem(f"the self-test failed: access times {what}", self._root)
        self._canary = "passed"

    def _restore(self) -> None:
        for path, info in self._before.items():
            with contextlib.suppress(OSError, TraceError):
                if os.lstat(path).st_atime_ns == _MARK:
                    _set_atime(path, info.st_atime_ns)


def _set_atime(path: bytes, atime: int) -> None:
    try:
        os.utime(path, ns=(atime, os.lstat(path).st_mtime_ns), follow_symlinks=False)
    except FileNotFoundError:
        return
    except OSError as error:
        what = f"the access time cannot be set: {error.strerror}"
        raise _problem(what, path, "Record as the owner of the files") from error


def _walk(root: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
    """Everything below *root* with its times; those of a folder are taken before it is read."""

    def failed(folder: bytes, error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            what = f"the folder cannot be read: {error.strerror}"
            raise _problem(what, folder, "Record as a user who may read it") from error

    for entry in walk(root, failed):
        with contextlib.suppress(FileNotFoundError):
            yield entry.path, entry.stat(follow_symlinks=False)


def _problem(what: str, path: bytes, instead: str = "") -> TraceError:
    other = "`--recorder inotify` works here"
    remedy = f"{instead}, or record with another recorder: {other}" if instead else other
    return TraceError(what, where=printable(from_bytes(path)), remedy=remedy)
