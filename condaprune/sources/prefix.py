"""A prefix as source: the environment as it lies on disk."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from condaprune.errors import ProtectedPathError, SourceError
from condaprune.model import Inventory
from condaprune.paths import printable, to_bytes
from condaprune.sources.base import SourceKind
from condaprune.sources.owners import build_inventory
from condaprune.sources.walk import walk

_SYSTEM = ("/", "/usr", "/usr/local", "/bin", "/lib", "/etc", "/var", "/opt", "/home", "/tmp")


def check_prefix(path: str) -> str:
    """The real path of a conda prefix.

    Errors: `SourceError` where *path* is missing or not a conda prefix, `ProtectedPathError` for
    folders that are never touched.
    """
    real = os.path.realpath(path)
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
    import sys

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
        with self._opened(path) as handle:
            size = os.fstat(handle).st_size
            data = os.read(handle, size + 1)
            while len(data) != size:
                more = os.read(handle, 1 << 20)
                if not more:
                    break
                data += more
            return data

    def read_part(self, path: str, offset: int, size: int) -> bytes:
        """Up to *size* bytes of a file from *offset* on; a link is not followed.

        Errors: `SourceError`.
        """
        with self._opened(path) as handle:
            return os.pread(handle, size, offset)

    def read_many(self, paths: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """The contents of files in the order asked for. Errors: `SourceError`."""
        for path in paths:
            yield path, self.read(path)

    @contextmanager
    def _opened(self, path: str) -> Iterator[int]:
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            handle = os.open(self._root + to_bytes(path), flags)
            try:
                yield handle
            finally:
                os.close(handle)
        except OSError as error:
            raise SourceError(
                f"cannot be read: {error.strerror}",
                where=f"{self.label}/{printable(path)}",
                remedy="Run condaprune as a user who may read the whole environment",
            ) from error
