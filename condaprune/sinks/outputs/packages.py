"""What records and packages say beyond the inventory: build times and prefix files."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from condaprune.model import FileMode, Inventory, PrefixFile, Record
from condaprune.sources.base import Contents
from condaprune.sources.records import linked_path

_TIMESTAMP = re.compile(rb'"timestamp":\s*(\d+)')
_MODES: dict[object, FileMode] = {"text": "text", "binary": "binary"}


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """What the records of an environment tell, by the record's path: `built` is when the package
    was built, in seconds; `bare` are the records without a list of their files' hashes and
    placeholders.
    """

    built: Mapping[str, int]
    bare: frozenset[str]


def record_facts(inventory: Inventory, source: Contents) -> RecordFacts:
    """Look through the records of an environment. Errors: `SourceError`."""
    built: dict[str, int] = {}
    bare = []
    for path, data in source.read_many([record.path for record in inventory.records]):
        if b'"paths_data"' not in data:
            bare.append(path)
        found = _TIMESTAMP.search(data)
        if found is not None:
            stamp = int(found[1])  # milliseconds, but seconds in old packages
            built[path] = stamp // 1000 if stamp > 10**11 else stamp
    return RecordFacts(built, frozenset(bare))


def unlisted_prefix_files(record: Record, inventory: Inventory) -> tuple[PrefixFile, ...] | None:
    """The prefix files of a record that lists none, from the package cache.

    None where the package is not there: nothing is known then. Records made by an installer have
    no list of their own, and neither has a package without prefix files.
    """
    info = os.path.join(record.link_source, "info") if record.link_source else ""
    if not info or not os.path.isdir(info):
        return None
    try:
        with open(os.path.join(info, "paths.json"), "rb") as file:
            data = file.read()
    except OSError:
        return _old_list(os.path.join(info, "has_prefix"))
    if b'"prefix_placeholder"' not in data:
        return ()
    try:
        value: object = json.loads(data)
    except ValueError:
        return None
    rows = value.get("paths") if isinstance(value, dict) else None
    found = []
    for row in rows if isinstance(rows, list) else ():
        placeholder = row.get("prefix_placeholder") if isinstance(row, dict) else None
        if isinstance(placeholder, str) and placeholder and isinstance(row.get("_path"), str):
            found.append(
                PrefixFile(
                    linked_path(row["_path"], inventory.layout),
                    placeholder,
                    _MODES.get(row.get("file_mode"), "text"),
                    str(row.get("sha256", "")),
                    row["_path"],
                )
            )
    return tuple(found)


def _old_list(path: str) -> tuple[PrefixFile, ...] | None:
    """The list of packages from before ``paths.json``."""
    from conda_pack.core import read_has_prefix

    if not os.path.exists(path):
        return ()
    try:
        rows: dict[str, tuple[str, str]] = read_has_prefix(path)
    except (OSError, ValueError):
        return None
    return tuple(
        PrefixFile(name, placeholder, _MODES.get(mode, "text"), "", name)
        for name, (placeholder, mode) in rows.items()
    )
