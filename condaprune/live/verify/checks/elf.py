"""Every library that a kept binary needs and found within the prefix, it still finds."""

from __future__ import annotations

import os
from collections.abc import Mapping

from condaprune.formats.binary import MAGICS, read_binary
from condaprune.formats.elf import BinaryFacts
from condaprune.live.verify.listing import Listing
from condaprune.live.verify.results import Outcome
from condaprune.live.verify.subject import Pair
from condaprune.paths import join, parent, to_bytes

_NEVER_BINARY = (".py", ".pyc", ".pyi", ".json", ".txt", ".h", ".hpp", ".a", ".html", ".js", ".md")


class Libraries:
    """Where the loader would find libraries within one prefix; nothing is run."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._by_name: dict[str, list[str]] = {}
        for path, entry in listing.entries.items():
            if entry.kind != "folder" and (".so" in path or path.endswith(".dylib")):
                self._by_name.setdefault(path.rpartition("/")[2], []).append(path)

    def find(self, user: str, facts: BinaryFacts, name: str) -> tuple[int, str]:
        """How surely (2, 1, 0) and where *name* is found for the binary *user*.

        2: on its own search path, or in ``lib`` (which the RPATH of programs names, and what they
        load inherits); 1: elsewhere in the prefix, for what is loaded beforehand by its path;
        0: not in the prefix.
        """
        folders = ["lib", *(self._folder(user, item) for item in facts.runpath or facts.rpath)]
        for folder in folders:
            path = f"{folder}/{name}" if folder else name
            if folder is not None and self._listing.is_file(path):
                return 2, path
        for path in self._by_name.get(name, ()):
            if self._listing.is_file(path):
                return 1, path
        return 0, ""

    def _folder(self, user: str, item: str) -> str | None:
        home = parent(user)
        for word in ("${ORIGIN}", "$ORIGIN"):
            if item.startswith(word):
                return join(home, item[len(word) :].lstrip("/"))
        return self._listing.inside(item) if item.startswith("/") else None


def binaries(listing: Listing) -> Mapping[str, BinaryFacts]:
    """The ELF and Mach-O files of a prefix, with what each asks of the loader."""
    facts_of = {}
    for path, entry in listing.entries.items():
        if entry.kind != "file" or entry.size < 64 or path.endswith(_NEVER_BINARY):
            continue
        try:
            fd = os.open(
                to_bytes(listing.absolute(path)), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            )
        except OSError:
            continue
        try:
            if os.pread(fd, 4, 0) in MAGICS:
                facts = read_binary(lambda offset, size, fd=fd: os.pread(fd, size, offset))  # type: ignore[misc]
                if facts is not None:
                    facts_of[path] = facts
        finally:
            os.close(fd)
    return facts_of


class ElfCheck:
    """Compares which needed libraries are found within the prefix."""

    name = "elf"
    runs_code = False

    def run(self, pair: Pair) -> Outcome:
        """See `Check.run`."""
        before, after = pair.before.listing, pair.after.listing
        had, has = Libraries(before), Libraries(after)
        after_binaries = binaries(after)
        lost = []
        counted = 0
        for path, old in binaries(before).items():
            if path not in after:
                continue
            new = after_binaries.get(path)
            # A file that is cut off may still have a header, but needs nothing any more.
            if new is None or (old.needed and not new.needed):
                counted += 1
                was, now = "a program or library", "not one, or damaged"
                lost.append(pair.loss(self.name, "binary", path, was, now, ""))
                continue
            for name in old.needed:
                sure, where = had.find(path, old, name)
                if not sure:
                    continue
                counted += 1
                if name in new.needed and has.find(path, new, name)[0] < sure:
                    was, now = f"{path} found {where}", "not found where the loader looks"
                    paths = (where, before.resolve(where) or "")
                    why = f"{path} needs {name}"
                    lost.append(pair.loss(self.name, "library", name, was, now, why, *paths))
        return Outcome(counted, tuple(lost))
