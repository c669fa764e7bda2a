"""What importlib.metadata says about an environment stays true."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from condaprune.live.verify import probe_metadata
from condaprune.live.verify.listing import Listing
from condaprune.live.verify.results import Finding, Outcome, Unchecked
from condaprune.live.verify.subject import Pair, Subject
from condaprune.names import canonical_name
from condaprune.paths import from_bytes, parent
from condaprune.sources.distributions import recorded_rows
from condaprune.sources.layout import find_layout

_LICENCE = re.compile(r"(?i)(licen[cs]e|copying|notice|authors)")
_CODE = (".py", ".so")
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Metadata:
    """One distribution according to importlib.metadata; `home` is its metadata folder or file."""

    home: str
    name: str
    version: str
    entry_points: tuple[tuple[str, str, str], ...]
    requires: tuple[str, ...]
    top_level: tuple[str, ...]


class MetadataCheck:
    """Compares distributions, versions, entry points, requirements, RECORDs and licences."""

    name = "metadata"
    runs_code = True

    def run(self, pair: Pair) -> Outcome:
        """See `Check.run`."""
        before, unread_before = read_metadata(pair.before, pair.timeout)
        after, unread_after = read_metadata(pair.after, pair.timeout)
        unchecked = tuple(
            Unchecked(self.name, "", why) for why in (unread_before, unread_after) if why
        )
        lost: list[Finding] = []
        removed: list[Finding] = []
        counted = 0
        modules = _Modules(pair.before), _Modules(pair.after)
        for key, old in before.items():
            recorded = _recorded(pair.before.listing, old.home)
            counted += 1 + len(old.entry_points) + len(recorded)
            new = after.get(key)
            if new is None:
                why = "importlib.metadata no longer finds it"
                files = ("METADATA", "PKG-INFO", "")
                finding = _loss(pair, old, "distribution", old.version, "not found", why, *files)
                left = [p for p in recorded if _is_code(p, old.home) and p in pair.after.listing]
                if not left and _meant(old.home, pair):
                    removed.append(replace(finding, rule=_rule(old.home, pair)))
                else:
                    lost.append(finding)
                continue
            lost += _changed(old, new, modules, pair)
            lost += _files(old, new, recorded, pair)
        return Outcome(counted, tuple(lost), tuple(removed), unchecked)


def read_metadata(subject: Subject, timeout: float) -> tuple[dict[str, Metadata], str]:
    """The distributions of an environment by normalised name, and why they may be incomplete.

    The environment's own Python reads them where it runs and has importlib.metadata (3.8);
    elsewhere they are read here, from the files.
    """
    python = subject.interpreter
    rows: Iterable[tuple[object, ...]]
    why = ""
    if python is not None and python.version >= (3, 8):
        done = subject.sandbox.run(subject.python("probe_metadata.py"), timeout)
        rows = [ast.literal_eval(line) for line in done.out.decode("ascii").splitlines()]
        if done.code != 0:
            why = f"{subject.label}: reading the metadata {done.ending}: {done.last_line}"
    else:
        layout = find_layout(subject.listing.entries, ())
        rows = probe_metadata.describe([subject.listing.absolute(f) for f in layout.site])
    by_name: dict[str, Metadata] = {}
    for home, name, version, points, requires, top in rows:
        real = from_bytes(os.path.realpath(os.fsencode(str(home))))
        within = subject.listing.inside(real)
        if within is None:
            continue
        name = str(name) or within.rpartition("/")[2].partition("-")[0]
        by_name.setdefault(
            canonical_name(name),
            Metadata(
                within,
                name,
                str(version),
                tuple(points) if isinstance(points, list) else (),
                tuple(requires) if isinstance(requires, list) else (),
                tuple(str(top).split()),
            ),
        )
    return by_name, why


def _recorded(listing: Listing, home: str) -> tuple[str, ...]:
    """The existing files that the RECORD in a metadata folder lists."""
    path = f"{home}/RECORD"
    if path not in listing:
        return ()
    rows = recorded_rows(listing.read(path), parent(home))
    return tuple(listed for _, listed in rows if listed and listed in listing)


def _is_code(path: str, home: str) -> bool:
    return path.endswith(_CODE) and not path.startswith(home + "/")


def _meant(home: str, pair: Pair) -> bool:
    """Whether the whole metadata folder went on purpose."""
    entries = pair.before.listing.entries
    files = [p for p in _inside(home, pair) if entries[p].kind != "folder"]
    return bool(files) and all(pair.removals.on_purpose(p) for p in files)


def _rule(home: str, pair: Pair) -> str:
    return next(filter(None, map(pair.removals.rule, _inside(home, pair))), "")


def _inside(home: str, pair: Pair) -> list[str]:
    return [p for p in pair.before.listing if p == home or p.startswith(home + "/")]


def _loss(
    pair: Pair, old: Metadata, kind: str, before: str, after: str, evidence: str, *files: str
) -> Finding:
    """A loss of a distribution; *files* of its metadata folder ("": the folder) explain it."""
    paths = [f"{old.home}/{file}".rstrip("/") for file in files]
    return pair.loss("metadata", kind, old.name, before, after, evidence, *paths)


class _Modules:
    """Which dotted names have a file in an environment."""

    def __init__(self, subject: Subject) -> None:
        python = subject.interpreter
        layout = find_layout(subject.listing.entries, ())
        self._search = python.search if python else (*layout.stdlib, *layout.site)
        self._stems = {
            parent(path) + "/" + path.rpartition("/")[2].partition(".")[0]
            for path, entry in subject.listing.entries.items()
            if entry.kind == "folder" or path.endswith((".py", ".pyc", ".so"))
        }

    def has(self, dotted: str) -> bool:
        inner = dotted.strip().replace(".", "/")
        return any(f"{folder}/{inner}" in self._stems for folder in self._search)


def _changed(
    old: Metadata, new: Metadata, modules: tuple[_Modules, _Modules], pair: Pair
) -> list[Finding]:
    lost = []
    if new.version != old.version:
        now = new.version or "none"
        lost.append(_loss(pair, old, "version", old.version, now, "", "METADATA", "PKG-INFO"))
    for group, name, value in old.entry_points:
        target = value.partition(":")[0].partition("[")[0]
        now, files = "", ["entry_points.txt"]
        if (group, name, value) not in new.entry_points:
            now = "not found"
        elif modules[0].has(target) and not modules[1].has(target):
            now, files = "names a module that is gone", []
        if now:
            finding = _loss(pair, old, "entry point", value, now, f"of {old.name}", *files)
            lost.append(replace(finding, name=f"{group}: {name}"))
    missing = [line for line in old.requires if line not in new.requires]
    if missing:
        was, now = str(len(old.requires)), str(len(new.requires))
        lost.append(_loss(pair, old, "requirements", was, now, "; ".join(missing[:_SHOWN])))
    if set(old.top_level) - set(new.top_level):
        was, now = " ".join(old.top_level), " ".join(new.top_level) or "none"
        lost.append(_loss(pair, old, "top level", was, now, ""))
    return lost


def _files(old: Metadata, new: Metadata, recorded: tuple[str, ...], pair: Pair) -> list[Finding]:
    """Losses among the files: RECORD, the files that it still lists, licences."""
    before, after = pair.before.listing, pair.after.listing
    lost = []
    if f"{old.home}/RECORD" in before:
        if f"{new.home}/RECORD" not in after:
            was, evidence = f"{len(recorded)} files", "pip can neither upgrade nor uninstall it"
            lost.append(_loss(pair, old, "file list", was, "no RECORD", evidence, "RECORD"))
        else:
            existed = set(recorded)
            rows = recorded_rows(after.read(f"{new.home}/RECORD"), parent(new.home))
            gone = [p for _, p in rows if p and p in existed and p not in after]
            if gone:
                now = f"{len(gone)} gone but still listed in RECORD"
                evidence = ", ".join(gone[:_SHOWN]) + (", ..." if len(gone) > _SHOWN else "")
                finding = _loss(pair, old, "recorded files", "all there", now, evidence)
                lost.append(replace(finding, removed=pair.removals.culprits(*gone)))
    lost += [
        pair.loss("metadata", "licence", path, "was there", "gone", "", path)
        for path in before
        if path.startswith(old.home + "/")
        and before.entries[path].kind == "file"
        and _LICENCE.match(path.rpartition("/")[2])
        and path not in after
    ]
    return lost
