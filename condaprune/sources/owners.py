"""Puts an inventory together: entries, the packages among them, and who owns what."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from condaprune.errors import SourceError
from condaprune.model import Distribution, Entry, Inventory, Layout, Owner, Record
from condaprune.names import history_names
from condaprune.paths import parent, printable
from condaprune.rule import Platform
from condaprune.sources.distributions import (
    METADATA_FILES,
    find_metadata,
    parse_distribution,
    recorded_paths,
)
from condaprune.sources.kinds import LARGEST
from condaprune.sources.records import HISTORY, is_record, owned_paths, parse_record, prefix_files

_PLATFORMS: dict[str, Platform] = {"linux": "linux", "osx": "osx", "win": "win"}
_INNER = re.compile(r"(envs/[^/]+)/conda-meta/history")
_PYTHON_FOLDER = re.compile(r"lib/(?:python|pypy)(\d+\.\d+)t?")
_MOST_OWNERS = 2000
"""The most packages that may claim a path: the ``__init__.py`` of a namespace has some hundred."""
_WANTED_ENDINGS = (".json", ".egg-info", HISTORY, *METADATA_FILES)

ReadMany = Callable[[Collection[str]], Iterable[tuple[str, bytes]]]


def wanted_for_owners(path: str) -> bool:
    """Whether a file's content is needed to know the environment's packages and owners."""
    if not path.endswith(_WANTED_ENDINGS):
        return False
    if path.endswith((".json", ".egg-info", HISTORY)):
        return path.endswith(".egg-info") or path == HISTORY or is_record(path)
    folder, _, name = path.rpartition("/")
    return folder.endswith((".dist-info", ".egg-info")) and name in METADATA_FILES


def build_inventory(
    label: str, prefix: str, entries: Mapping[str, Entry], read_many: ReadMany
) -> Inventory:
    """The inventory of an environment whose entries are known.

    *prefix* is the absolute path it was installed to (empty where unknown); *read_many* yields
    the contents of the files it is asked for, see `wanted_for_owners`. Errors: `SourceError` for
    a record that is not valid JSON, a list that is too large, and a path with too many owners.
    """
    # Found by name alone, so that a stream can keep them as they pass.
    ended = [path for path in entries if path.endswith(_WANTED_ENDINGS)]
    needed = [p for p in ended if entries[p].kind == "file" and wanted_for_owners(p)]
    for path in needed:
        if entries[path].size > LARGEST:
            raise SourceError(
                f"is larger than {LARGEST:,} bytes, which no list of a package is",
                where=f"{label}/{printable(path)}",
                remedy="Install the package again",
            )
    contents = dict(read_many(needed))
    history = history_names(contents.pop(HISTORY, b""))
    parsed = []
    for path in sorted(p for p in contents if is_record(p)):
        pair = parse_record(path, contents.pop(path), history)
        if pair is not None:
            parsed.append(pair)
    layout = find_layout(entries, (record for record, _ in parsed))
    claims: dict[str, tuple[Owner, ...]] = {}
    records: list[Record] = []
    for bare, raw in parsed:
        record = replace(bare, prefix_files=tuple(prefix_files(raw, layout)))
        records.append(record)
        _claim(claims, owned_paths(raw, layout), record, entries)
        _claim(claims, (record.path,), record, entries)
    distributions: list[Distribution] = []
    for path in find_metadata(entries, layout):
        distribution = parse_distribution(path, contents)
        distributions.append(distribution)
        _claim(claims, recorded_paths(path, contents), distribution, entries)
    _claim_metadata(claims, {d.path: d for d in distributions}, entries)
    _claim_bytecode(claims, entries)
    return Inventory(label, prefix, entries, claims, tuple(records), tuple(distributions), layout)


def _claim(
    claims: dict[str, tuple[Owner, ...]],
    paths: Iterable[str],
    owner: Owner,
    entries: Mapping[str, Entry],
) -> None:
    # Recorded files that are missing are normal.
    new: dict[str, tuple[Owner, ...]] = dict.fromkeys([p for p in paths if p in entries], (owner,))
    # One tuple for all paths that the same packages share.
    joined: dict[int, tuple[Owner, ...]] = {}
    for path in claims.keys() & new.keys():
        before = claims[path]
        if len(before) == _MOST_OWNERS:
            raise SourceError(
                f"more than {_MOST_OWNERS} packages say that they own this",
                where=printable(path),
                remedy="Repair the environment: its records or lists of files are damaged",
            )
        if id(before) not in joined:
            is_new = all(other is not owner for other in before)
            joined[id(before)] = (*before, owner) if is_new else before
        new[path] = joined[id(before)]
    claims.update(new)


def _claim_metadata(
    claims: dict[str, tuple[Owner, ...]],
    homes: Mapping[str, Distribution],
    entries: Mapping[str, Entry],
) -> None:
    """Files in a metadata folder belong to its distribution, listed in RECORD or not."""
    files: dict[str, list[str]] = {}
    for path in [path for path in entries if "-info" in path]:
        home = path
        while home and home not in homes:
            home = parent(home)
        if home:
            files.setdefault(home, []).append(path)
    for home, paths in files.items():
        _claim(claims, paths, homes[home], entries)


def _claim_bytecode(claims: dict[str, tuple[Owner, ...]], entries: Mapping[str, Entry]) -> None:
    """Bytecode made after the install is in no list: it belongs to its source's owners."""
    for path in [path for path in entries if path.endswith(".pyc") and path not in claims]:
        owners = claims.get(source_of_bytecode(path))
        if owners is not None:
            claims[path] = owners


def source_of_bytecode(path: str) -> str:
    """The ``.py`` that a ``.pyc`` was compiled from, by the layout of PEP 3147; empty if none."""
    folder, _, name = path.rpartition("/")
    if not folder.endswith("__pycache__"):
        return path[:-1] if path.endswith(".pyc") else ""
    stem, tag, _ = name.rpartition(".cpython-")
    if not tag:
        stem = name.partition(".")[0]
    return f"{folder[: -len('__pycache__')]}{stem}.py"


def find_layout(entries: Mapping[str, Entry], records: Iterable[Record]) -> Layout:
    """The platform, Python version and named roots of an environment.

    Only real folders count as Python folders: several environments hold a link
    ``lib/python3.1 -> python3.10`` that would count everything twice.
    """
    records = tuple(records)
    platform = _platform(entries, records)
    versions: dict[str, str] = {}
    if platform == "win":
        if "Lib/os.py" in entries or "Lib/site-packages" in entries:
            versions["Lib"] = ""
        roots = {
            "bin": _folders(entries, "Scripts", "Library/bin"),
            "include": _folders(entries, "include", "Library/include"),
            "lib": _folders(entries, "libs", "Library/lib"),
            "share": _folders(entries, "share", "Library/share"),
        }
    else:
        marks = [path for path in entries if path.endswith(("/os.py", "/site-packages"))]
        for path in dict.fromkeys(map(parent, marks)):
            match = _PYTHON_FOLDER.fullmatch(path)
            if match and path in entries and entries[path].kind == "folder":
                versions[path] = match[1]
        roots = {name: _folders(entries, name) for name in ("bin", "include", "lib", "share")}
    roots["stdlib"] = tuple(versions)
    roots["site"] = tuple(
        f"{folder}/site-packages" for folder in versions if f"{folder}/site-packages" in entries
    )
    python = next((r.version for r in records if r.name in ("python", "pypy")), "")
    return Layout(platform, python or next(iter(versions.values()), ""), roots)


def inner_environments(entries: Mapping[str, Entry]) -> tuple[str, ...]:
    """The folders of the environments inside a base environment (``envs/NAME``)."""
    if "envs" not in entries:
        return ()
    return tuple(match[1] for match in map(_INNER.fullmatch, entries) if match)


def _folders(entries: Mapping[str, Entry], *paths: str) -> tuple[str, ...]:
    return tuple(p for p in paths if p in entries and entries[p].kind == "folder")


def _platform(entries: Mapping[str, Entry], records: Iterable[Record]) -> Platform:
    for record in records:
        if platform := _PLATFORMS.get(record.subdir.partition("-")[0]):
            return platform
    if "python.exe" in entries or ("Lib" in entries and "Scripts" in entries):
        return "win"
    if any(path.endswith(".dylib") and path.startswith("lib/") for path in entries):
        return "osx"
    return "linux"
