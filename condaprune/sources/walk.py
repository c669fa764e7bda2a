"""One walk of a prefix: one ``scandir`` a folder, one stat an entry, links never followed."""

from __future__ import annotations

import os
import stat
import sys
from operator import itemgetter

from condaprune.errors import SourceError
from condaprune.model import Entry, Kind
from condaprune.paths import from_bytes, printable, to_bytes

STATE_FOLDER = ".condaprune"
"""The folder of an in-place run at the top of a prefix; it is not part of the environment."""

_FORMS = 0o170000
_KINDS: dict[int, Kind] = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def walk(prefix: bytes) -> dict[str, Entry]:
    """All entries below *prefix*, ordered by the bytes of their paths.

    The state folder of an in-place run is left out. A folder on another file system (a mount
    inside the prefix) is listed as ``other`` and not entered: its files are not the
    environment's. Errors: `SourceError` where a folder cannot be listed, or changes while it is
    read.
    """
    found: list[Entry] = []
    # Names come decoded where the file system's encoding is what entries use, as it nearly
    # always is; and a stat by the folder's handle is cheaper than one by a long path.
    decoded = sys.getfilesystemencoding() == "utf-8"
    # A named tuple's own constructor is a Python function around this one.
    make = tuple.__new__
    add = found.append
    forms: dict[int, tuple[Kind, int]] = {}
    relative = ""
    try:
        device = os.stat(prefix).st_dev
        pending = [""]
        while pending:
            relative = pending.pop()
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
                        # One number for all entries rather than one each.
                        own = device if info.st_dev == device else info.st_dev
                        target = ""
                        if kind != "file":
                            if kind == "folder":
                                if own is device:
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
                                    own,
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
    plain = all(map(str.isascii, map(path_of, found)))
    found.sort(key=path_of if plain else lambda entry: to_bytes(entry.path))
    return dict(zip(map(path_of, found), found, strict=True))


def _form(mode: int) -> tuple[Kind, int]:
    """The kind and the permission bits of a mode."""
    return _KINDS.get(mode & _FORMS, "other"), mode & 0o7777
