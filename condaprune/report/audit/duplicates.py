"""Files of equal content: sizes first, then hashes only of files whose sizes are equal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from condaprune.model import Inventory
from condaprune.paths import to_bytes
from condaprune.report.audit.model import Duplicate, Item
from condaprune.report.audit.subject import Environment

LEAST = 4096
"""Smaller files take no more room on disk for being there twice, or hardly."""


def find_duplicates(
    subject: Environment, inventory: Inventory, items: Iterable[Item]
) -> tuple[Duplicate, ...]:
    """Groups of files of equal content, of `LEAST` bytes or more, the most wasteful first.

    Hard links to one file are one copy. Contents are read, since files may have changed after
    their package was installed. Errors: `SourceError`.
    """
    by_size: dict[int, list[str]] = {}
    packages: dict[str, str] = {}
    for item in items:
        if item.kind == "file" and item.bytes >= LEAST:
            by_size.setdefault(inventory.entries[item.path].size, []).append(item.path)
            packages[item.path] = item.package
    wanted = [path for paths in by_size.values() if len(paths) > 1 for path in paths]
    groups: dict[tuple[int, bytes], list[str]] = {}
    for path, digest in _hashes(subject, wanted):
        groups.setdefault((inventory.entries[path].size, digest), []).append(path)
    found = [
        Duplicate(
            size,
            tuple(sorted(paths, key=to_bytes)),
            tuple(sorted({packages[path] for path in paths} - {""})),
        )
        for (size, _), paths in groups.items()
        if len(paths) > 1
    ]
    return tuple(sorted(found, key=lambda d: (-d.wasted, d.paths)))


def _hashes(subject: Environment, paths: list[str]) -> Iterator[tuple[str, bytes]]:
    for path, data in subject.source.read_many(paths):
        yield path, hashlib.blake2b(data, digest_size=16).digest()
