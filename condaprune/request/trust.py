"""What a configuration that nobody named may do: whose it has to be, and the commands in it.

A file that was found, rather than named, is read only where it is this user's or root's, and the
commands in it are run only after the user has accepted that very file.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence

from condaprune.errors import ConfigError
from condaprune.files import open_regular, too_large
from condaprune.paths import printable, to_bytes
from condaprune.private import private_folder, read_private, write_private

_ACCEPTED = "accepted-configurations"
_REMEMBERED = 1000
_MOST_LINKS = 40
_NAME_IT = "Name it with --config if you trust it, or ignore it with --isolated"


def read_found(path: str, limit: int) -> bytes:
    """The content of a configuration that was found, of at most *limit* bytes.

    Errors: `ConfigError` where others than this user and root may have written it; OSError.
    """
    real = os.path.realpath(path)
    for name in dict.fromkeys((*_links(path), real)):
        _check_owner(os.lstat(name), path)
        _check_folder(os.path.dirname(name), path)
    with open(open_regular(real), "rb") as stream:
        _check_owner(os.fstat(stream.fileno()), path)
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise too_large(limit, path)
    return data


def _links(path: str) -> Iterator[str]:
    """A path, and all that the links at its end lead to, one after the other."""
    yield path
    for _ in range(_MOST_LINKS):
        if not os.path.islink(path):
            return
        path = os.path.join(os.path.dirname(path), os.readlink(path))
        yield path


def _check_owner(info: os.stat_result, path: str) -> None:
    if info.st_uid not in (os.geteuid(), 0):
        raise _refused(f"belongs to {_user(info.st_uid)}, neither to you nor to root", path)
    if info.st_mode & stat.S_IWOTH and not stat.S_ISLNK(info.st_mode):
        raise _refused("may be written by everybody", path)


def _check_folder(folder: str, path: str) -> None:
    mode = os.stat(folder).st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise _refused("lies in a folder that everybody may write to", path)


def _refused(what: str, path: str) -> ConfigError:
    return ConfigError(what, where=printable(path), remedy=_NAME_IT)


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"the user {number}"


def digest_of(path: str, data: bytes) -> str:
    """What stands for a configuration of this content in this place."""
    return hashlib.sha256(to_bytes(os.path.realpath(path)) + b"\0" + data).hexdigest()


def is_accepted(digest: str) -> bool:
    """Whether this user has accepted the commands of the configuration with this digest."""
    return digest.encode() in (read_private(_ACCEPTED) or b"").split()


def accept_commands(origin: str, digest: str) -> None:
    """Accept the commands of the configuration in the file *origin*, for later runs too.

    Errors: `ConfigError` where that cannot be noted.
    """
    digests = (read_private(_ACCEPTED) or b"").split()[-_REMEMBERED + 1 :]
    lines = [*digests, digest.encode()]
    if not write_private(_ACCEPTED, b"".join(line + b"\n" for line in lines)):
        raise ConfigError(
            "its commands cannot be accepted: there is no folder of yours alone to note that in",
            where=printable(origin),
            remedy=f"Check {printable(private_folder()) or 'XDG_STATE_HOME'}, "
            "or name the file with --config",
        )


def check_commands(origin: str, unaccepted: Sequence[str]) -> None:
    """Errors: `ConfigError` for commands of the configuration *origin* that nobody accepted."""
    if unaccepted:
        commands = ", ".join(map(printable, unaccepted))
        raise ConfigError(
            f"runs commands, and nobody has named or accepted this file: {commands}",
            where=printable(origin),
            remedy="Name it with --config, accept it until it changes with --accept-config, or "
            "run none of its commands with --verify none",
        )
