"""Unpacks an archive of an environment for the time of a verification."""

from __future__ import annotations

import os
import sys

from condaprune.errors import ArchiveError, SourceError
from condaprune.live.sandbox import Sandbox
from condaprune.live.verify.checks.unpack import SCRIPT
from condaprune.live.verify.listing import Listing, list_prefix
from condaprune.live.verify.subject import find_python, machine_of
from condaprune.paths import to_bytes


def unpack(path: str, folder: str) -> None:
    """Unpack the archive *path* into the new folder *folder*.

    Links are made last, so that nothing is written through one. Errors: `ArchiveError`,
    `SourceError`.
    """
    from condaprune.sources.archive import ArchiveSource

    source = ArchiveSource(path)
    root = to_bytes(folder)
    os.mkdir(root, 0o755)
    links: list[tuple[bytes, str]] = []
    folders: list[tuple[bytes, int]] = []
    try:
        for entry, member, body in source.stream():
            target = os.path.join(root, to_bytes(entry.path))
            if entry.kind == "folder":
                os.makedirs(target, exist_ok=True)
                folders.append((target, entry.mode))
                continue
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if entry.kind == "link":
                links.append((target, entry.target))
            elif member.linked:
                cut = len(source.arcroot) + 1 if source.arcroot else 0
                os.link(os.path.join(root, to_bytes(member.linked[cut:])), target)
            elif entry.kind == "file":
                with open(target, "xb") as file:
                    for piece in body:
                        file.write(piece)
                os.chmod(target, entry.mode | 0o600)
                os.utime(target, ns=(entry.mtime_ns, entry.mtime_ns))
    except OSError as error:
        raise SourceError(
            f"the archive cannot be unpacked: {error.strerror}",
            where=path,
            remedy="Give TMPDIR a folder with room for the whole environment",
        ) from error
    for link, pointed in links:
        os.symlink(to_bytes(pointed), link)
    for target, mode in reversed(folders):
        os.chmod(target, mode | 0o700)


def relocate(label: str, root: str, scratch: str, timeout: float) -> Listing:
    """Run conda-unpack in an unpacked archive that has one, with the archive's own Python.

    Returns the listing of the result. Errors: `ArchiveError` where conda-unpack fails.
    """
    listing = list_prefix(root)
    python = find_python(listing)
    if SCRIPT not in listing or not python:
        return listing
    command = listing.absolute(python)
    if machine_of(listing.read(python, 64)) not in ("", machine_of(_own_head())):
        return listing
    # It writes into the environment, so it runs outside of the read-only sandbox.
    done = Sandbox(root, scratch).run([command, "-B", listing.absolute(SCRIPT)], timeout)
    if done.code != 0:
        lines = done.err.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no message"]
        how = "did not end in time" if done.code is None else f"ended with {done.code}"
        raise ArchiveError(
            f"its conda-unpack {how}: {lines[0]}",
            where=label,
            remedy="The archive cannot be used where it is unpacked; pack it again",
        )
    return list_prefix(root)


def _own_head() -> bytes:
    with open(os.path.realpath(sys.executable), "rb") as file:
        return file.read(64)
