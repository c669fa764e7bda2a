"""Turns a file as installed back into the file as packaged, and finds prefixes in text.

conda and rattler replace a package's placeholder by the prefix when they install: in text as it
stands, in binaries with the string's end padded by NUL bytes. Both can be turned back, so that
neither the package cache nor anything else outside of the prefix is needed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from condaprune.errors import SinkError
from condaprune.files import NotRegularError, open_regular, read_regular
from condaprune.model import FileMode, Inventory, PrefixFile, Record
from condaprune.parse import parse_json
from condaprune.paths import printable, to_bytes
from condaprune.sources.records import prefix_files

STAND_IN = "/opt/condaprune" + "_placehold" * 4
"""The placeholder given to text in which the prefix also appears as part of something else."""

_MOST_GROWTH = 64 << 20
"""How much longer a text may get by another prefix (bytes): real ones name it some hundred times.
"""
_LARGEST_LIST = 64 << 20
_LARGEST_OLD_LIST = 1 << 20
"""The largest lists of a package in the cache that are read (bytes)."""

SNIFF = 4096
"""How much of a file says whether it is text."""


def place_at(dest: str, path: str, data: bytes, placeholder: str, mode: FileMode) -> bytes:
    """The file *path* with *dest* for its placeholder.

    Errors: `SinkError` where a binary has no room for it, or a text would be too large.
    """
    from conda_pack.prefixes import replace_prefix

    old, new = to_bytes(placeholder), to_bytes(dest)
    if mode == "text" and not _stays_small(data, old, new):
        raise SinkError(
            f"{printable(path)!r} would grow by more than {_MOST_GROWTH:,} bytes",
            where=f"--dest-prefix {dest}",
            remedy="Choose a shorter path, or leave the file out with --drop",
        )
    if mode == "binary" and len(new) > len(old):
        raise SinkError(
            f"the destination is too long: the placeholder in {printable(path)!r} has room for "
            f"{len(placeholder)} bytes",
            where=f"--dest-prefix {dest}",
            remedy="Choose a shorter path",
        )
    # In what no NUL follows, a binary has no string; the search for its end takes for ever there.
    end = data.rfind(b"\0") + 1 if mode == "binary" else len(data)
    placed: bytes = replace_prefix(data[:end], mode, placeholder, dest)
    return placed + data[end:]


def _stays_small(data: bytes, old: bytes, new: bytes) -> bool:
    """Whether a text hardly grows where *new* replaces *old*."""
    return data.count(old) * (len(new) - len(old)) <= _MOST_GROWTH


def note_on_signatures(paths: Collection[str]) -> str:
    """How to repair programs and libraries whose signature was made before they changed."""
    return (
        "these were rewritten and macOS runs them only once they are signed again "
        f"(`codesign -s - -f FILE`, on a Mac): {named(paths, 5)}"
    )


def named(paths: Collection[str], most: int) -> str:
    """The first *most* paths, and how many more there are."""
    more = f" and {len(paths) - most} more" if len(paths) > most else ""
    return ", ".join(map(printable, list(paths)[:most])) + more


def is_binary_start(data: bytes) -> bool:
    """Whether a file that begins with *data* is not text."""
    return b"\0" in data[:SNIFF]


@lru_cache(maxsize=8)
def _whole_path(prefix: bytes) -> re.Pattern[bytes]:
    """The prefix where it is a path of its own: in ``-I/env/include``, not in ``/bin/env``."""
    option = rb"(?<=[\s\"'=,:;]-[A-Za-z])|(?<=\A-[A-Za-z])"
    before = rb"(?:(?<![\w.\-/~})*])|(?<=file://)|(?<=file://localhost)|" + option + rb")"
    return re.compile(before + re.escape(prefix) + rb"(?![\w\-]|\.\w)")


def with_stand_in(data: bytes, prefix: bytes) -> tuple[bytes, str | None]:
    """A text that can be relocated by replacing one placeholder everywhere, and that placeholder.

    That is the prefix itself, unless it also appears inside of other names (``/env`` in
    ``/usr/bin/env``): then the true ones are replaced by `STAND_IN`. None where the text does
    not name the prefix.
    """
    replaced, count = data, 0
    if prefix in data:
        replaced, count = _whole_path(prefix).subn(STAND_IN.encode(), data)
    if not count:
        return data, None
    if count == data.count(prefix):
        with contextlib.suppress(UnicodeDecodeError):
            return data, prefix.decode()
    return replaced, STAND_IN


def packaged(data: bytes, file: PrefixFile, prefix: bytes) -> bytes | None:
    """The file as its package holds it, from the file as installed; None where that is not known.

    Text is believed if its hash is the package's. A binary is believed if replacing the
    placeholder by the prefix leads back to what is there.
    """
    placeholder = to_bytes(file.placeholder)
    if file.mode == "binary":
        return _packaged_binary(data, placeholder, prefix)
    if not file.sha256:
        return None
    for candidate in _candidates(data, placeholder, prefix):
        if placeholder in candidate and hashlib.sha256(candidate).hexdigest() == file.sha256:
            return candidate
    return None


def _candidates(data: bytes, placeholder: bytes, prefix: bytes) -> Iterator[bytes]:
    """A text with its placeholder: never replaced, replaced everywhere, or in whole paths only."""
    yield data
    if not _stays_small(data, prefix, placeholder):
        return
    yield data.replace(prefix, placeholder)
    yield with_stand_in(data, prefix)[0].replace(STAND_IN.encode(), placeholder)


def _packaged_binary(data: bytes, placeholder: bytes, prefix: bytes) -> bytes | None:
    if placeholder in data:
        return data  # never replaced
    growth = len(placeholder) - len(prefix)
    if growth < 0:
        return None

    def grow(match: re.Match[bytes]) -> bytes:
        text, padding = match.groups()
        more = text.count(prefix) * growth
        if len(padding) <= more:
            return b""  # no room: refused for the length that it takes away
        return text.replace(prefix, placeholder) + padding[more:]

    end = data.rfind(b"\0") + 1  # see `place_at`
    data, rest = data[:end], data[end:]
    grown = re.sub(rb"(" + re.escape(prefix) + rb"[^\0]*)(\0+)", grow, data)
    if placeholder not in grown or len(grown) != len(data):
        return None
    from conda_pack.prefixes import binary_replace

    return grown + rest if binary_replace(grown, placeholder, prefix) == data else None


def unlisted_prefix_files(record: Record, inventory: Inventory) -> tuple[PrefixFile, ...] | None:
    """The prefix files of a record that lists none, from the package cache.

    None where the package is not there: nothing is known then. Records made by an installer list
    none, and neither does a package without prefix files.
    """
    info = os.path.join(record.link_source, "info") if record.link_source else ""
    if not info or not os.path.isdir(info):
        return None
    try:
        data = read_regular(os.path.join(info, "paths.json"), _LARGEST_LIST)
    except NotRegularError:
        return None
    except OSError:
        return _old_list(os.path.join(info, "has_prefix"))
    if b'"prefix_placeholder"' not in data:
        return ()
    try:
        return tuple(prefix_files({"paths_data": parse_json(data)}, inventory.layout))
    except ValueError:
        return None


def _old_list(path: str) -> tuple[PrefixFile, ...] | None:
    """The list of packages from before ``paths.json``."""
    from conda_pack.core import read_has_prefix

    if not os.path.lexists(path):
        return ()
    try:
        handle = open_regular(path)
        if os.fstat(handle).st_size > _LARGEST_OLD_LIST:
            os.close(handle)
            return None
        # `open` takes a descriptor for a name.
        rows: dict[str, tuple[str, str]] = read_has_prefix(handle)
    except (OSError, ValueError):
        return None
    return tuple(
        PrefixFile(name, placeholder, "binary" if mode == "binary" else "text", "", name)
        for name, (placeholder, mode) in rows.items()
    )
