"""A path list as source: of an environment only files, sizes and owners are known.

The format is tab-separated text, plain or gzip, with the header ``path kind size owner``: `kind`
is ``f`` (file), ``l`` (link) or ``d`` (folder), `size` bytes, `owner` one of
``conda:name==version``, ``pypi:name-version`` and ``-``. A path with a tab, a line end, or bytes
that are not UTF-8 has those escaped as ``\\xNN`` or ``\\t``, and a backslash as ``\\\\``.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterator

from condaprune.errors import SourceError
from condaprune.model import Distribution, Entry, Inventory, Kind, Owner, Record
from condaprune.names import canonical_name
from condaprune.paths import from_bytes, parent, printable, sort_key
from condaprune.sources.base import DEEPEST, LONGEST, Limits, SourceKind
from condaprune.sources.owners import find_layout

HEADER = b"path\tkind\tsize\towner"
_KINDS: dict[str, Kind] = {"f": "file", "l": "link", "d": "folder"}
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
_PLAIN = {b"t": b"\t", b"n": b"\n", b"r": b"\r", b"\\": b"\\"}
_LIMIT = 1 << 29
_START = 1 << 12
_MOST_DIGITS = 18
_FOLDERS, _FOLDERS_RATE = 1 << 20, 4
"""How many bytes the names of folders that are not listed may take: so many, and this times the
bytes of the paths that are. They grow with the square of their depth."""
_GZIP = b"\x1f\x8b"
_REMEDY = "A path list is tab-separated text with the header `path kind size owner`"


def is_pathlist(start: bytes) -> bool:
    """Whether a file that starts with these bytes (64 or more, unpacked) is a path list."""
    return start.startswith(HEADER)


def start_of(path: str) -> bytes:
    """The first bytes of a file, unpacked where it is gzip; empty where it cannot be read."""
    try:
        with open(path, "rb") as handle:
            start = handle.read(_START)
        packed = start[:2] == _GZIP
        return zlib.decompressobj(31).decompress(start, _START) if packed else start
    except (OSError, zlib.error):
        return b""  # reading it whole gives the reason


class PathListSource:
    """The environment that a path list describes; it has no contents to read."""

    kind: SourceKind = "path list"
    prefix = ""
    readable = False

    def __init__(self, path: str, limits: Limits | None = None) -> None:
        self.label = path
        self._limits = limits or Limits()
        self._inventory: Inventory | None = None

    def members(self) -> None:
        """None: a path list holds no contents."""

    def inventory(self) -> Inventory:
        """All entries with their owners, read once. Errors: `SourceError`, with the line, and
        `ArchiveError` for more lines than the limits allow."""
        if self._inventory is None:
            data = _content(self.label)
            self._limits.check(self.label, entries=data.count(b"\n"))
            self._inventory = _parse(self.label, data)
        return self._inventory

    def read(self, path: str) -> bytes:
        """Always a `SourceError`: a path list holds no contents."""
        raise SourceError(
            "a path list holds no contents of files",
            where=f"{self.label}: {printable(path)}",
            remedy="Name the environment itself, or leave out what has to read files",
        )

    def read_many(self, paths: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yields nothing where nothing is asked for. Errors: `SourceError`."""
        for path in paths:
            yield path, self.read(path)


def _content(label: str) -> bytes:
    import gzip

    try:
        with open(label, "rb") as handle:
            data = handle.read(_LIMIT + 1)
        if data[:2] == _GZIP:
            with gzip.open(label, "rb") as unpacked:
                data = unpacked.read(_LIMIT + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(
            f"this gzip file is damaged ({error})", where=label, remedy="Write it again"
        ) from error
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", where=label) from error
    if len(data) > _LIMIT:
        raise SourceError("holds more than 512 MiB", where=label, remedy=_REMEDY)
    return data


def _parse(label: str, data: bytes) -> Inventory:
    lines = data.split(b"\n")
    if lines[0].rstrip(b"\r") != HEADER:
        raise _bad(f"{label}, line 1", "the header of a path list is missing")
    owners: dict[str, tuple[Owner, ...]] = {"-": (), "": ()}
    entries: dict[str, Entry] = {}
    owned: dict[str, tuple[Owner, ...]] = {}
    for number, raw in enumerate(lines[1:], 2):
        line = raw.rstrip(b"\r")
        if not line:
            continue
        where = f"{label}, line {number}"
        path, entry, owner = _row(where, number, line)
        if path in entries:
            raise _bad(where, f"lists {printable(path)!r} twice")
        entries[path] = entry
        packages = owners.get(owner)
        if packages is None:
            packages = owners[owner] = (_owner(where, owner),)
        if packages:
            owned[path] = packages
    _add_folders(label, entries)
    ordered = {path: entries[path] for path in sorted(entries, key=sort_key)}
    unique = [packages[0] for packages in owners.values() if packages]
    records = tuple(owner for owner in unique if isinstance(owner, Record))
    distributions = tuple(owner for owner in unique if isinstance(owner, Distribution))
    layout = find_layout(ordered, records)
    return Inventory(label, "", ordered, owned, records, distributions, layout)


def _row(where: str, number: int, line: bytes) -> tuple[str, Entry, str]:
    fields = line.split(b"\t")
    if len(fields) != 4:
        raise _bad(where, f"has {len(fields)} fields, not 4")
    raw = _ESCAPE.sub(_unescape, fields[0]) if b"\\" in fields[0] else fields[0]
    path, form, size, owner = map(from_bytes, (raw, *fields[1:]))
    kind = _KINDS.get(form)
    if kind is None:
        remedy = "Kinds are f (file), l (link) and d (folder)"
        raise _bad(where, f"has the unknown kind {printable(form)!r}", remedy)
    if not fields[2].isdigit() or len(fields[2]) > _MOST_DIGITS:
        raise _bad(where, f"has the size {printable(size)!r}, which is not a number of bytes")
    if not path or path[0] == "/" or ".." in path.split("/"):
        remedy = "Paths are relative to the prefix"
        raise _bad(where, f"lists {printable(path)!r}, which lies outside the prefix", remedy)
    if len(path) > 2 * DEEPEST and (len(path) > LONGEST or path.count("/") > DEEPEST):
        raise _bad(where, f"lists a path of more than {LONGEST} bytes or {DEEPEST} folders")
    return path, Entry(path, kind, int(size), 0o644, 0, 0, number, 1), owner


def _bad(where: str, problem: str, remedy: str = _REMEDY) -> SourceError:
    return SourceError(problem, where=where, remedy=remedy)


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if code[:1] == b"x" and len(code) == 3:
        return bytes((int(code[1:], 16),))
    return _PLAIN.get(code, match[0])


def _owner(where: str, text: str) -> Owner:
    kind, _, rest = text.partition(":")
    if kind == "conda" and "==" in rest:
        name, _, version = rest.partition("==")
        return Record(name, version, "", "")
    if kind == "pypi" and "-" in rest:
        match = re.fullmatch(r"(.+?)-(\d.*)", rest)
        name, version = (match[1], match[2]) if match else rest.rsplit("-", 1)
        return Distribution(canonical_name(name), version, "")
    remedy = "Owners are `conda:name==version`, `pypi:name-version` and `-`"
    raise _bad(where, f"has the unknown owner {printable(text)!r}", remedy)


def _add_folders(label: str, entries: dict[str, Entry]) -> None:
    """The folders that files lie in, which a path list need not name; their size is unknown."""
    left = _FOLDERS + _FOLDERS_RATE * sum(map(len, entries))
    for path in list(entries):
        above = parent(path)
        while above and above not in entries:
            entries[above] = Entry(above, "folder", 0, 0o755, 0, 0, -1, 2)
            left -= len(above)
            if left < 0:
                what = "lists paths in folders whose names are too long for so few files"
                raise _bad(label, what)
            above = parent(above)
