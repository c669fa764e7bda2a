"""Files that are this user's alone, outside every environment: keys, and what was accepted once.

They lie in ``$XDG_STATE_HOME/condaprune``, by default ``~/.local/state/condaprune`` of the user
that the process runs as. Folder and files belong to that user and nobody else may write there;
where that does not hold, or there is no such place, there is no private file.
"""

from __future__ import annotations

import contextlib
import os
import stat

from condaprune.files import read_regular, write_whole

_LIMIT = 1 << 20


def private_folder() -> str:
    """The path of the folder, which need not exist; empty where this user has no home."""
    base = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):
        home = _home()
        base = os.path.join(home, ".local", "state") if home else ""
    return os.path.join(base, "condaprune") if base else ""


def _home() -> str:
    home = os.path.expanduser("~")
    return home if os.path.isabs(home) and os.path.isdir(home) else ""


def read_private(name: str) -> bytes | None:
    """The content of the file *name*, at most 1 MiB; None where there is none that is private."""
    folder = private_folder()
    path = os.path.join(folder, name)
    with contextlib.suppress(OSError):
        if folder and _is_private(folder) and _is_private(path):
            return read_regular(path, _LIMIT)
    return None


def write_private(name: str, data: bytes) -> bool:
    """Write the file *name*, of mode 0600. False where there is no private place for it."""
    folder = private_folder()
    if not folder:
        return False
    with contextlib.suppress(OSError):
        os.makedirs(folder, 0o700, exist_ok=True)
        if _is_private(folder):
            write_whole(os.path.join(folder, name), data, mode=0o600)
            return True
    return False


def remove_private(name: str) -> None:
    """Remove the file *name*, and the folders on the way to it that are empty then."""
    folder = private_folder()
    with contextlib.suppress(OSError):
        if folder and _is_private(folder):
            os.unlink(os.path.join(folder, name))
            os.rmdir(folder)
            for base in ("state", ".local"):  # the default place, as it was made
                folder = os.path.dirname(folder)
                if os.path.basename(folder) != base:
                    return
                os.rmdir(folder)


def _is_private(path: str) -> bool:
    """Whether what lies at *path* is no link, ours, and for nobody else to write to."""
    info = os.lstat(path)
    others = info.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return info.st_uid == os.geteuid() and not others and not stat.S_ISLNK(info.st_mode)
