"""One walk of a prefix: one ``scandir`` a folder, one stat an entry, links never followed."""

from __future__ import annotations

import os
import stat

from condaprune.errors import SourceError
from condaprune.model import Entry, Kind, from_bytes

STATE_FOLDER = ".condaprune"
"""What an in-place run keeps at the top of a prefix; it is no part of the environment."""

_STATE = STATE_FOLDER.encode("ascii")


def walk(prefix: bytes) -> dict[str, Entry]:
    """All entries below *prefix*, ordered by the bytes of their paths.

    The state folder of an in-place run is left out. A folder on another file system (a mount
    inside the prefix) is listed as ``other`` and not entered: what lies there is not the
    environment's. Errors: `SourceError` where a folder cannot be listed, or changes while it is
    read.
    """
    found: list[tuple[bytes, Entry]] = []
    try:
        device = os.stat(prefix).st_dev
        pending = [(prefix, b"")]
        while pending:
            folder, relative = pending.pop()
            with os.scandir(folder) as listing:
                for item in listing:
                    info = item.stat(follow_symlinks=False)
                    path = relative + item.name
                    if path == _STATE:
                        continue
                    mode = info.st_mode
                    kind: Kind = "file"
                    target = ""
                    if stat.S_ISDIR(mode):
                        if info.st_dev == device:
                            kind = "folder"
                            pending.append((item.path, path + b"/"))
                        else:
                            kind = "other"
                    elif stat.S_ISLNK(mode):
                        kind = "link"
                        target = from_bytes(os.readlink(item.path))
                    elif not stat.S_ISREG(mode):
                        kind = "other"
                    entry = Entry(
                        from_bytes(path),
                        kind,
                        info.st_size,
                        mode & 0o7777,
                        info.st_mtime_ns,
                        info.st_dev,
                        info.st_ino,
                        info.st_nlink,
                        target,
                    )
                    found.append((path, entry))
    except OSError as error:
        where = os.fsdecode(error.filename) if error.filename else os.fsdecode(prefix)
        raise SourceError(
            f"cannot be read: {error.strerror}",
            where=where,
            remedy="Run condaprune as a user who may read the whole environment, "
            "and let nothing change it meanwhile",
        ) from error
    found.sort(key=lambda pair: pair[0])
    return {entry.path: entry for _, entry in found}
