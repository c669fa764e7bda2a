"""A prefix as source: the environment as it lies on disk."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Collection, Iterator
from operator import itemgetter

from condaprune.errors import ProtectedPathError, SourceError
from condaprune.files import NotRegularError
from condaprune.model import Entry, Inventory, Kind
from condaprune.paths import from_bytes, printable, to_bytes
from condaprune.proc import mount_points_below
from condaprune.sources.base import DEEPEST, SourceKind
from condaprune.sources.owners import build_inventory

STATE_FOLDER = ".condaprune"
"""The folder of an in-place run at the top of a prefix; it is not part of the environment."""

_FORMS = 0o170000
_KINDS: dict[int, Kind] = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Nothing is waited for, should a FIFO have taken the place of a file.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_LARGEST = 4 << 30
"""The largest file that is read whole (bytes), whatever for."""
_SYSTEM = ("/", "/usr", "/usr/local", "/bin", "/lib", "/etc", "/var", "/opt", "/home", "/tmp")


def check_prefix(path: str) -> str:
    """The real path of a conda prefix.

    Errors: `SourceError` where *path* is missing or not a conda prefix, `ProtectedPathError` for
    folders that are never touched.
    """
    try:
        real = os.path.realpath(path)
    except ValueError:  # a document may hold what no path can
        real = ""
    if not os.path.isdir(real):
        raise SourceError(
            "no such folder" if not os.path.lexists(path) else "not a folder",
            where=path,
            remedy="Name a conda prefix, an archive made of one, or a conda environment",
        )
    home = os.path.realpath(os.path.expanduser("~"))
    if real in _SYSTEM or real == home:
        raise ProtectedPathError(
            "this folder is never pruned",
            where=path,
            remedy="Name the environment's own folder: the one that holds bin and conda-meta",
        )
    if not os.path.isdir(os.path.join(real, "conda-meta")):
        raise SourceError(
            "not a conda environment: it has no conda-meta folder",
            where=path,
            remedy="Name the prefix itself: the folder that holds bin and conda-meta",
        )
    return real


def check_not_own(real: str) -> None:
    """Refuse the environment that condaprune runs from. Errors: `ProtectedPathError`."""
    for own in {sys.prefix, sys.base_prefix, os.path.dirname(os.path.dirname(sys.executable))}:
        if os.path.realpath(own) == real:
            raise ProtectedPathError(
                "condaprune runs from this environment and would saw off its own branch",
                where=real,
                remedy="Install condaprune in another environment (a virtual environment does), "
                "or write to an archive with -o, or pass --allow-self",
            )


class PrefixSource:
    """The environment in the folder *path*. Errors: see `check_prefix`."""

    kind: SourceKind = "prefix"
    readable = True

    def __init__(self, path: str) -> None:
        self.label = path
        self.prefix = check_prefix(path)
        self._root = to_bytes(self.prefix) + b"/"
        self._inventory: Inventory | None = None

    def members(self) -> None:
        """None: a prefix can be read in any order."""

    def inventory(self) -> Inventory:
        """All entries with their owners, read once."""
        if self._inventory is None:
            entries = walk(self._root[:-1])
            self._inventory = build_inventory(self.label, self.prefix, entries, self.read_many)
        return self._inventory

    def read(self, path: str) -> bytes:
        """The content of one file; a link is not followed. Errors: `SourceError`."""
        return self._read(path, _whole)

    def read_part(self, path: str, offset: int, size: int) -> bytes:
        """Up to *size* bytes of a file from *offset* on; a link is not followed.

        Errors: `SourceError`.
        """
        return self._read(path, lambda handle, _: os.pread(handle, size, offset))

    def read_many(self, paths: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """The contents of files in the order asked for. Errors: `SourceError`."""
        for path in paths:
            yield path, self.read(path)

    def _read(self, path: str, use: Callable[[int, int], bytes]) -> bytes:
        """What *use* makes of the handle and the size of a file."""
        try:
            handle = os.open(self._root + to_bytes(path), _FILE)
            try:
                info = os.fstat(handle)
                if not stat.S_ISREG(info.st_mode):
                    raise NotRegularError(errno.EINVAL, "it is not a regular file any more")
                return use(handle, info.st_size)
            finally:
                os.close(handle)
        except (OSError, OverflowError) as error:
            raise SourceError(
                f"cannot be read: {getattr(error, 'strerror', error)}",
                where=f"{self.label}/{printable(path)}",
                remedy="Run condaprune as a user who may read the whole environment",
            ) from error


def _whole(handle: int, size: int) -> bytes:
    if size > _LARGEST:
        raise NotRegularError(errno.EFBIG, f"it is larger than {_LARGEST:,} bytes")
    data = os.read(handle, size + 1)
    while len(data) != size:
        more = os.read(handle, 1 << 20)
        if not more or len(data) > _LARGEST:
            break
        data += more
    return data


def walk(prefix: bytes) -> dict[str, Entry]:
    """All entries below *prefix*, ordered by the bytes of their paths.

    The state folder of an in-place run is left out. What is mounted inside the prefix (another
    file system, or a folder or a file of the same one) is listed as ``other`` and not entered: its
    files are not the environment's. Errors: `SourceError` where a folder cannot be listed, changes
    while it is read, or lies too deep.
    """
    entries: list[Entry] = []
    # Names come decoded where the file system's encoding is what entries use, as it nearly
    # always is; and a stat by the folder's handle is cheaper than one by a long path.
    decoded = sys.getfilesystemencoding() == "utf-8"
    # A named tuple's own constructor is a Python function around this one.
    make = tuple.__new__
    add = entries.append
    forms: dict[int, tuple[Kind, int]] = {}
    relative = ""
    try:
        device = os.stat(prefix).st_dev
        mounts = mount_points_below(from_bytes(prefix))
        pending = [""]
        while pending:
            relative = pending.pop()
            if relative.count("/") > DEEPEST:
                raise OSError(errno.ELOOP, f"it lies in more than {DEEPEST} folders")
            handle = os.open(prefix + b"/" + to_bytes(relative), _FOLDER)
            try:
                with os.scandir(handle) as listing:
                    for item in listing:
                        name = item.name if decoded else from_bytes(os.fsencode(item.name))
                        if not relative and name == STATE_FOLDER:
                            continue
                        info = item.stat(follow_symlinks=False)
                        form = forms.get(info.st_mode)
                        if form is None:
                            form = forms[info.st_mode] = _form(info.st_mode)
                        kind, permissions = form
                        if mounts and relative + name in mounts:
                            kind = "other"
                        # One number for all entries rather than one each.
                        number = device if info.st_dev == device else info.st_dev
                        target = ""
                        if kind != "file":
                            if kind == "folder":
                                if number is device:
                                    pending.append(f"{relative}{name}/")
                                else:
                                    kind = "other"
                            elif kind == "link":
                                target = from_bytes(os.readlink(to_bytes(name), dir_fd=handle))
                        add(
                            make(
                                Entry,
                                (
                                    relative + name,
                                    kind,
                                    info.st_size,
                                    permissions,
                                    info.st_mtime_ns,
                                    number,
                                    info.st_ino,
                                    info.st_nlink,
                                    target,
                                ),
                            )
                        )
            finally:
                os.close(handle)
    except OSError as error:
        where = prefix + b"/" + to_bytes(relative)
        raise SourceError(
            f"cannot be read: {error.strerror}",
            where=printable(from_bytes(where).rstrip("/")),
            remedy="Run condaprune as a user who may read the whole environment, "
            "and let nothing change it meanwhile",
        ) from error
    # Text sorts as its bytes do unless it has bytes that are not UTF-8; ASCII sorts faster.
    path_of = itemgetter(0)
    plain = all(map(str.isascii, map(path_of, entries)))
    entries.sort(key=path_of if plain else lambda entry: to_bytes(entry.path))
    return dict(zip(map(path_of, entries), entries, strict=True))


def _form(mode: int) -> tuple[Kind, int]:
    """The kind and the permission bits of a mode."""
    return _KINDS.get(mode & _FORMS, "other"), mode & 0o7777
