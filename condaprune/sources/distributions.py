"""Reads ``*.dist-info`` and ``*.egg-info``: the Python distributions and what they own."""

from __future__ import annotations

import csv
from collections.abc import Container, Iterator, Mapping

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
    found: dict[str, list[str]] = {}
    homes = set(layout.site) | set(layout.stdlib)
    for path in [path for path in entries if path.endswith((".dist-info", ".egg-info"))]:
        if parent(path) not in homes:
            continue
        kind = entries[path].kind
        if kind == "file":
            found[path] = [path]
        elif kind == "folder":
            found[path] = [f"{path}/{n}" for n in METADATA_FILES if f"{path}/{n}" in entries]
    return found


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
        field, text = (
            key.decode("ascii", "replace").lower(),
            value.strip().decode("utf-8", "replace"),
        )
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
    home = parent(path)
    data = contents.get(f"{path}/RECORD", b"")
    if any(odd in data for odd in _ODD):
        yield from (listed for _, listed in recorded_rows(data, home) if listed)
    else:
        start = home + "/"
        for row in from_bytes(data).split("\n"):
            listed = row.rsplit(",", 2)[0]
            if listed[:1] not in _LEADING:
                yield start + listed
            elif listed and (inside := _inside(home, listed)):
                yield inside
    for line in contents.get(f"{path}/installed-files.txt", b"").splitlines():
        if line.strip():
            yield _inside(path, from_bytes(line.strip()))


def recorded_rows(data: bytes, home: str) -> Iterator[tuple[bytes, str]]:
    """The lines of a RECORD with line ends, each with the path it lists relative to the prefix.

    *home* is the folder that the metadata folder lies in. The path is empty for blank lines and
    for paths that are absolute or leave the prefix. Format: the wheel specification.
    """
    for line in data.splitlines(keepends=True):
        text = from_bytes(line.rstrip(b"\r\n"))
        if text[:1] == '"':
            row = next(csv.reader([text]), [])
            listed = row[0] if row else ""
        else:
            listed = text.rsplit(",", 2)[0]
        yield line, _inside(home, listed) if listed else ""


def without(
    data: bytes,
    home: str,
    removed: Container[str],
    changed: Mapping[str, tuple[str, int]] | None = None,
) -> bytes:
    """A RECORD without the lines that list one of *removed*; *home* as for `recorded_rows`.

    *changed* gives the hash and the size of files whose content is another now.
    """
    if changed:
        data = _rehashed(data, home, changed)
    if any(odd in data for odd in _ODD):
        return b"".join(line for line, listed in recorded_rows(data, home) if listed not in removed)
    start = home + "/"
    kept = []
    for line in from_bytes(data).split("\n"):
        listed = line.rsplit(",", 2)[0]
        path = _inside(home, listed) if listed[:1] == "." else start + listed
        if path not in removed:
            kept.append(line)
    return to_bytes("\n".join(kept))


def _rehashed(data: bytes, home: str, changed: Mapping[str, tuple[str, int]]) -> bytes:
    """A RECORD with other hashes and sizes; a line that has no hash stays as it is."""
    lines = []
    for line, listed in recorded_rows(data, home):
        if listed in changed:
            name, held, rest = line.rsplit(b",", 2)
            ending = rest[len(rest.rstrip(b"\r\n")) :]
            if held:
                digest, size = changed[listed]
                line = b"%b,%b,%d%b" % (name, digest.encode("ascii"), size, ending)
        lines.append(line)
    return b"".join(lines)


def _inside(home: str, path: str) -> str:
    path = path.replace("\\", "/")
    return "" if path.startswith("/") else join(home, path) or ""
