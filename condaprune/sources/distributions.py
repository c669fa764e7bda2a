"""Reads ``*.dist-info`` and ``*.egg-info``: the Python distributions and what they own."""

from __future__ import annotations

import csv
from collections.abc import Container, Iterator, Mapping
from operator import itemgetter

from condaprune.model import Distribution, Entry, Layout
from condaprune.names import canonical_name
from condaprune.paths import from_bytes, join, parent, to_bytes

METADATA_FILES = ("METADATA", "PKG-INFO", "RECORD", "installed-files.txt")

# A RECORD with one of these has rows that need a closer look.
_ODD = (b'"', b"//", b"/./", b"/../", b"\\", b"\r")
_LEADING = ("", "/", ".")


def find_metadata(entries: Mapping[str, Entry], layout: Layout) -> dict[str, list[str]]:
    """Metadata folder (or ``.egg-info`` file) -> the files to read there.

    Only direct children of site-packages and of the standard library are distributions: vendored
    copies deeper down are not seen by ``importlib.metadata``.
    """
    files: dict[str, list[str]] = {}
    homes = set(layout.site) | set(layout.stdlib)
    for path in [path for path in entries if path.endswith((".dist-info", ".egg-info"))]:
        if parent(path) not in homes:
            continue
        kind = entries[path].kind
        if kind == "file":
            files[path] = [path]
        elif kind == "folder":
            files[path] = [f"{path}/{n}" for n in METADATA_FILES if f"{path}/{n}" in entries]
    return files


def parse_distribution(path: str, contents: Mapping[str, bytes]) -> Distribution:
    """The distribution of a metadata folder; *contents* maps its files that were read.

    Name and version come from METADATA (or PKG-INFO), else from the folder's name.
    """
    data = b""
    for name in ("/METADATA", "/PKG-INFO", ""):
        data = data or contents.get(path + name, b"")
    fields: dict[str, str] = {}
    requires: list[str] = []
    for line in data.replace(b"\r\n", b"\n").partition(b"\n\n")[0].split(b"\n"):
        key, colon, value = line.partition(b":")
        if not colon or key[:1] in (b" ", b"\t"):
            continue
        field = key.decode("ascii", "replace").lower()
        text = value.strip().decode("utf-8", "replace")
        if field == "requires-dist":
            requires.append(text)
        else:
            fields.setdefault(field, text)
    stem = path.rpartition("/")[2].rsplit(".", 1)[0]
    name, _, rest = stem.partition("-")
    return Distribution(
        name=canonical_name(fields.get("name") or name),
        version=fields.get("version") or rest.split("-py", 1)[0],
        path=path,
        license=fields.get("license-expression") or fields.get("license", ""),
        requires=tuple(requires),
    )


def recorded_paths(path: str, contents: Mapping[str, bytes]) -> Iterator[str]:
    """The paths that a distribution's RECORD (or installed-files.txt) lists, relative to the
    prefix; rows that leave the prefix or are absolute are left out."""
    rows = recorded_rows(contents.get(f"{path}/RECORD", b""), parent(path))
    yield from filter(None, map(itemgetter(1), rows))
    for line in contents.get(f"{path}/installed-files.txt", b"").splitlines():
        if line.strip():
            yield _inside(path, from_bytes(line.strip()))


def recorded_rows(data: bytes, home: str) -> Iterator[tuple[str, str]]:
    """The lines of a RECORD, each with the path it lists relative to the prefix.

    *home* is the folder that the metadata folder lies in. The path is empty for blank lines and
    for paths that are absolute or leave the prefix. Format: the wheel specification.
    """
    start = home + "/"
    odd = any(mark in data for mark in _ODD)
    for line in from_bytes(data).split("\n"):
        if line[:1] == '"':
            listed = _quoted(line.rstrip("\r"))
        else:
            listed = line.rstrip("\r").rsplit(",", 2)[0]
        if not odd and listed[:1] not in _LEADING:
            yield line, start + listed
        else:
            yield line, _inside(home, listed) if listed else ""


def _quoted(line: str) -> str:
    """The first field of a line that quotes it; empty where that is no CSV."""
    try:
        return next(csv.reader([line]), [""])[0]
    except csv.Error:
        return ""


def rewrite_record(
    data: bytes, home: str, removed: Container[str], changed: Mapping[str, tuple[str, int]]
) -> bytes:
    """A RECORD without the lines that list one of *removed*; *home* as for `recorded_rows`.

    *changed* gives the hash and the size of files whose content is another now.
    """
    lines = []
    for line, listed in recorded_rows(data, home):
        if listed in changed:
            line = _with_hash(line, *changed[listed])
        if not listed or listed not in removed:
            lines.append(line)
    return to_bytes("\n".join(lines))


def _with_hash(line: str, digest: str, size: int) -> str:
    """A line with another hash and size; one that has no hash stays as it is."""
    if line.count(",") < 2:
        return line
    name, old, rest = line.rsplit(",", 2)
    ending = "\r" if rest.endswith("\r") else ""
    return f"{name},{digest},{size}{ending}" if old else line


def _inside(home: str, path: str) -> str:
    path = path.replace("\\", "/")
    return "" if path.startswith("/") else join(home, path) or ""
