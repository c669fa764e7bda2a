"""Every library that a kept binary needs and had within the prefix is still there for it."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from condaprune.model import parent
from condaprune.verify.checks.base import Pair
from condaprune.verify.listing import Listing, normalise
from condaprune.verify.results import Finding, Outcome

_NO_ELF = (".py", ".pyc", ".pyi", ".json", ".txt", ".h", ".hpp", ".a", ".html", ".js", ".md")


@dataclass(frozen=True, slots=True)
class Dynamic:
    """What the dynamic section of an ELF file asks for."""

    needed: tuple[str, ...] = ()
    search: tuple[str, ...] = ()


def read_dynamic(data: bytes) -> Dynamic | None:
    """The dynamic section of an ELF file's content; None where it is no (whole) ELF file."""
    try:
        return _read(data)
    except (struct.error, IndexError):
        return None


def _read(data: bytes) -> Dynamic | None:
    if data[:4] != b"\x7fELF":
        return None
    order = "<" if data[5] == 1 else ">"
    wide = data[4] == 2
    if wide:
        (table,) = struct.unpack_from(order + "Q", data, 32)
        size, count = struct.unpack_from(order + "HH", data, 54)
    else:
        (table,) = struct.unpack_from(order + "I", data, 28)
        size, count = struct.unpack_from(order + "HH", data, 42)
    loads: list[tuple[int, int, int]] = []
    dynamic = (0, 0)
    for number in range(count):
        at = table + number * size
        if wide:
            kind, _, offset, address, _, length = struct.unpack_from(order + "IIQQQQ", data, at)
        else:
            kind, offset, address, _, length = struct.unpack_from(order + "IIIII", data, at)
        if kind == 1:
            loads.append((address, offset, length))
        elif kind == 2:
            dynamic = (offset, length)
    entry = struct.Struct(order + ("qQ" if wide else "iI"))
    offset, length = dynamic
    if offset + length > len(data):
        return None
    tags: dict[int, list[int]] = {}
    for tag, value in entry.iter_unpack(data[offset : offset + length // entry.size * entry.size]):
        if tag == 0:
            break
        tags.setdefault(tag, []).append(value)
    if 5 not in tags:
        return Dynamic()
    strings = next(
        (
            tags[5][0] - address + offset
            for address, offset, length in loads
            if address <= tags[5][0] < address + length
        ),
        tags[5][0],
    )

    def text(position: int) -> str:
        start = strings + position
        return data[start : data.index(b"\0", start)].decode("utf-8", "surrogateescape")

    try:
        needed = tuple(text(value) for value in tags.get(1, ()))
        # RUNPATH (29) makes the loader ignore RPATH (15).
        paths = [text(value) for value in tags.get(29, tags.get(15, []))]
    except ValueError:
        return None
    return Dynamic(needed, tuple(part for path in paths for part in path.split(":") if part))


class Libraries:
    """Where the loader would find libraries within one prefix; nothing is run."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._by_name: dict[str, list[str]] = {}
        for path, entry in listing.entries.items():
            if entry.kind != "folder" and ".so" in path:
                self._by_name.setdefault(path.rpartition("/")[2], []).append(path)

    def find(self, user: str, dynamic: Dynamic, name: str) -> tuple[int, str]:
        """How surely (2, 1, 0) and where *name* is found for the binary *user*.

        2: on its own search path, beside it, or in ``lib`` (which the RPATH of programs names,
        and what they load inherits); 1: elsewhere in the prefix, for what is loaded beforehand;
        0: not in the prefix.
        """
        folders = [parent(user), "lib"]
        for item in dynamic.search:
            folder = self._folder(user, item)
            if folder is not None:
                folders.append(folder)
        for folder in folders:
            path = f"{folder}/{name}" if folder else name
            found = self._listing.resolve(path)
            if found and self._listing.is_file(path):
                return 2, path
        for path in self._by_name.get(name, ()):
            if self._listing.is_file(path):
                return 1, path
        return 0, ""

    def _folder(self, user: str, item: str) -> str | None:
        home = parent(user)
        for word in ("${ORIGIN}", "$ORIGIN"):
            if item.startswith(word):
                folder = normalise(home + item[len(word) :])
                return None if folder.startswith("..") else folder
        return self._listing.inside(item) if item.startswith("/") else None


def binaries(listing: Listing) -> Mapping[str, Dynamic]:
    """The dynamic section of every ELF file of a prefix."""
    found = {}
    for path, entry in listing.entries.items():
        if entry.kind != "file" or entry.size < 64 or path.endswith(_NO_ELF):
            continue
        if listing.read(path, 4) == b"\x7fELF":
            dynamic = read_dynamic(listing.read(path))
            if dynamic is not None:
                found[path] = dynamic
    return found


class ElfCheck:
    """Compares which needed libraries are found within the prefix, on either machine."""

    name = "elf"

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
            if new is None:
                counted += 1
                lost.append(
                    Finding(self.name, "binary", path, "an ELF file", "no ELF file, or not whole")
                )
                continue
            for name in old.needed:
                sure, where = had.find(path, old, name)
                if not sure:
                    continue
                counted += 1
                if name in new.needed and has.find(path, new, name)[0] < sure:
                    lost.append(
                        Finding(
                            self.name,
                            "library",
                            name,
                            f"{path} found {where}",
                            "not found where the loader looks",
                            f"{path} needs {name}",
                            pair.removals.culprits(where, before.resolve(where) or ""),
                        )
                    )
        return Outcome(counted, tuple(lost))
