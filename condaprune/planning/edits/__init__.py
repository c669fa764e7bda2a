"""The files that a plan rewrites or adds: RECORDs, the conda-unpack list, conda-meta/history, ...

Pure: the new contents become part of the plan, only a sink writes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set

from condaprune.edit import Edit
from condaprune.formats.unpack_list import UNPACK, rewrite_unpack
from condaprune.model import Distribution, Inventory, Progress
from condaprune.paths import parent
from condaprune.planning.edits.sbom import SBOM, make_sbom
from condaprune.planning.terms import Terms
from condaprune.sources.base import Contents
from condaprune.sources.distributions import rewrite_record
from condaprune.sources.records import HISTORY, load_record

_GROWING = ("files", "paths_data", "link", "extracted_package_dir", "package_tarball_full_path")


def make_edits(
    inventory: Inventory,
    contents: Contents,
    removed: Set[str],
    terms: Terms,
    progress: Progress,
) -> tuple[tuple[Edit, ...], tuple[str, ...]]:
    """All edits of a plan that removes *removed*, and notes on them.

    Errors: `SourceError` for unreadable files.
    """
    changed: dict[str, tuple[str, int]] = {}
    edits: list[Edit] = []
    notes: tuple[str, ...] = ()
    if terms.strip:
        from condaprune.planning.edits.strip import strip

        progress("symbols", 0, 0)
        edits, changed = strip(inventory, contents, removed)
    edits += list_edits(inventory, contents, removed, changed, slim=terms.slim_records)
    if terms.hash_bytecode:
        from condaprune.planning.edits.bytecode import hash_edits

        progress("bytecode", 0, 0)
        hashed, notes = hash_edits(inventory, contents, removed)
        edits += hashed
    return tuple(edits), notes


def list_edits(
    inventory: Inventory,
    contents: Contents,
    removed: Set[str],
    changed: Mapping[str, tuple[str, int]],
    *,
    slim: bool,
) -> Iterator[Edit]:
    """The files to rewrite so that no list names what is gone.

    *removed* holds the paths that go, *changed* the hash and size of files that other edits
    change. With *slim* the records that stay lose their file lists. Errors: `SourceError` where a
    list cannot be read.
    """
    yield from _lists(inventory, contents, removed, changed)
    yield from _unpack(inventory, contents, removed)
    records = [r.path for r in inventory.records if r.path in inventory.entries]
    if records and all(path in removed for path in records):
        yield from _history(inventory, removed)
        # The image is not left blind: scanners read this in place of the records.
        yield Edit(SBOM, make_sbom(inventory), 0o644, "lists the packages", False)
    elif slim:
        yield from _slim(inventory, contents, [p for p in records if p not in removed])


def _lists(
    inventory: Inventory,
    contents: Contents,
    removed: Set[str],
    changed: Mapping[str, tuple[str, int]],
) -> Iterator[Edit]:
    """RECORD lists what is left: ``importlib.metadata.files`` and pip go by it."""
    touched = [owners for path, owners in inventory.owners.items() if path in removed]
    touched += [inventory.owners.get(path, ()) for path in changed]
    losing = {id(owners): owners for owners in touched}  # many paths share one tuple of owners
    affected = {o.path for owners in losing.values() for o in owners if isinstance(o, Distribution)}
    lists = [f"{d.path}/RECORD" for d in inventory.distributions if d.path in affected]
    staying = [path for path in lists if path in inventory.entries and path not in removed]
    for path, data in contents.read_many(staying):
        rewritten = rewrite_record(data, parent(parent(path)), removed, changed)
        if rewritten != data:
            yield _rewritten(
                inventory, path, data, rewritten, "lists what is still there, as it is"
            )


def _unpack(inventory: Inventory, contents: Contents, removed: Set[str]) -> Iterator[Edit]:
    """conda-unpack stops at the first listed file that is missing and leaves the rest unpatched."""
    entry = inventory.entries.get(UNPACK)
    if entry is None or entry.kind != "file" or UNPACK in removed:
        return
    data = contents.read(UNPACK)
    rewritten = rewrite_unpack(data, inventory.entries.keys() - removed)
    if rewritten != data:
        because = "lists only files that are still there"
        yield _rewritten(inventory, UNPACK, data, rewritten, because)


def _history(inventory: Inventory, removed: Set[str]) -> Iterator[Edit]:
    """Libraries test for conda-meta/history (conda/rattler#1289); its content names channels,
    which may hold tokens, and packages whose records are gone."""
    entry = inventory.entries.get(HISTORY)
    if entry is None:
        yield Edit(HISTORY, b"", 0o644, "marks the folder as a conda environment", False)
    elif entry.size and HISTORY not in removed:
        because = "emptied; it marks the folder as a conda environment"
        yield Edit(HISTORY, b"", entry.mode, because, True)


def _slim(inventory: Inventory, contents: Contents, paths: list[str]) -> Iterator[Edit]:
    """Records without what grows with the number of files, or tells of the build machine."""
    for path, data in contents.read_many(paths):
        raw = load_record(data)
        kept = {key: value for key, value in raw.items() if key not in _GROWING}
        slim = json.dumps({**kept, "files": []}, indent=2, sort_keys=True).encode() + b"\n"
        yield _rewritten(inventory, path, data, slim, "without its file list")


def _rewritten(inventory: Inventory, path: str, old: bytes, new: bytes, because: str) -> Edit:
    return Edit(path, new, inventory.entries[path].mode, because, True, old=old)
