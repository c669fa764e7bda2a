"""What importlib.metadata says about an environment stays true."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from condaprune.live.verify import answers, probe_metadata
from condaprune.live.verify.results import Finding, Outcome, Unchecked
from condaprune.live.verify.subject import Pair, Subject, real_path
from condaprune.names import canonical_name
from condaprune.paths import parent
from condaprune.sources.distributions import recorded_rows
from condaprune.sources.owners import find_layout

if TYPE_CHECKING:
    from condaprune.live.verify.probe_metadata import Row

_LICENCE = re.compile(r"(?i)(licen[cs]e|copying|notice|authors)")
_CODE = (".py", ".so")
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Metadata:
    """One distribution according to importlib.metadata; `home` is its metadata folder or file."""

    home: str
    name: str
    version: str
    entry_points: Sequence[tuple[str, str, str]]
    requires: Sequence[str]
    top_level: Sequence[str]


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
            recorded = [p for p in _recorded(pair.before, old.home) if p in pair.before.listing]
            counted += 1 + len(old.entry_points) + len(recorded)
            new = after.get(key)
            if new is None:
                why = "importlib.metadata no longer finds it"
                files = ("METADATA", "PKG-INFO", "")
                finding = _loss(pair, old, "distribution", old.version, "not found", why, *files)
                inside = f"{old.home}/"
                code = [p for p in recorded if p.endswith(_CODE) and not p.startswith(inside)]
                rule = _rule(old.home, pair)
                if rule is None or any(path in pair.after.listing for path in code):
                    lost.append(finding)
                else:
                    removed.append(replace(finding, rule=rule))
                continue
            lost += _changed(old, new, modules, pair)
            lost += _files(old, new, recorded, pair)
        return Outcome(counted, tuple(lost), tuple(removed), unchecked)


def _row(line: bytes) -> Row:
    home, name, version, points, requires, top = answers.parse_answer(line, 6)
    if not answers.is_list(points):
        raise ValueError("an answer that is no list")
    triples = [answers.texts(point) for point in points]
    return (
        answers.text(home),
        answers.text(name),
        answers.text(version),
        [(group, entry, value) for group, entry, value in triples],
        list(answers.texts(requires)),
        list(answers.texts(top)),
    )


def read_metadata(subject: Subject, timeout: float) -> tuple[dict[str, Metadata], str]:
    """The distributions of an environment by normalised name, and why they may be incomplete.

    The environment's own Python reads them where it runs and has importlib.metadata (3.8);
    elsewhere they are read here, from the files.
    """
    python = subject.interpreter
    why = ""
    if python is not None and python.version >= (3, 8):
        done = subject.sandbox.run(subject.python("probe_metadata.py"), timeout)
        try:
            rows = [_row(line) for line in done.out.splitlines()]
        except ValueError as error:
            return {}, f"{subject.label}: reading the metadata gave {error}"
        if done.code != 0:
            why = f"{subject.label}: reading the metadata {done.ending}: {done.last_line}"
    else:
        layout = find_layout(subject.listing.entries, ())
        rows = probe_metadata.describe([subject.listing.absolute(f) for f in layout.site])
    by_name: dict[str, Metadata] = {}
    for home, name, version, points, requires, top in rows:
        within = subject.listing.inside(real_path(home))
        if within is not None:
            name = name or within.rpartition("/")[2].partition("-")[0]
            distribution = Metadata(within, name, version, points, requires, top)
            by_name.setdefault(canonical_name(name), distribution)
    return by_name, why


def _recorded(subject: Subject, home: str) -> list[str]:
    """The files that the RECORD in a metadata folder lists."""
    rows = recorded_rows(subject.listing.read(f"{home}/RECORD"), parent(home))
    return [path for _, path in rows if path]


def _rule(home: str, pair: Pair) -> str | None:
    """The rule that removed a whole metadata folder (empty if it has no name); None where the
    folder did not go on purpose."""
    files = [
        path
        for path, entry in pair.before.listing.entries.items()
        if entry.kind != "folder" and (path == home or path.startswith(home + "/"))
    ]
    if not files or not all(map(pair.removals.on_purpose, files)):
        return None
    return next(filter(None, map(pair.removals.rule, files)), "")


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
        now, files = "", [f"{old.home}/entry_points.txt"]
        if (group, name, value) not in new.entry_points:
            now = "not found"
        elif modules[0].has(target) and not modules[1].has(target):
            now, files = "names a module that is gone", []
        if now:
            point, why = f"{group}: {name}", f"of {old.name}"
            lost.append(pair.loss("metadata", "entry point", point, value, now, why, *files))
    missing = [line for line in old.requires if line not in new.requires]
    if missing:
        was, now = str(len(old.requires)), str(len(new.requires))
        lost.append(_loss(pair, old, "requirements", was, now, "; ".join(missing[:_SHOWN])))
    if set(old.top_level) - set(new.top_level):
        was, now = " ".join(old.top_level), " ".join(new.top_level) or "none"
        lost.append(_loss(pair, old, "top level", was, now, ""))
    return lost


def _files(old: Metadata, new: Metadata, recorded: Sequence[str], pair: Pair) -> list[Finding]:
    """Losses among the files: RECORD, the files that it still lists, licences."""
    before, after = pair.before.listing, pair.after.listing
    lost = []
    if f"{old.home}/RECORD" in before:
        if f"{new.home}/RECORD" not in after:
            was, evidence = f"{len(recorded)} files", "pip can neither upgrade nor uninstall it"
            lost.append(_loss(pair, old, "file list", was, "no RECORD", evidence, "RECORD"))
        else:
            listed = _recorded(pair.after, new.home)
            gone = [path for path in listed if path in before and path not in after]
            if gone:
                now = f"{len(gone)} gone but still listed in RECORD"
                evidence = ", ".join(gone[:_SHOWN]) + (", ..." if len(gone) > _SHOWN else "")
                kind, was = "recorded files", "all there"
                lost.append(pair.loss("metadata", kind, old.name, was, now, evidence, *gone))
    lost += [
        pair.loss("metadata", "licence", path, "was there", "gone", "", path)
        for path in before
        if path.startswith(old.home + "/")
        and before.entries[path].kind == "file"
        and _LICENCE.match(path.rpartition("/")[2])
        and path not in after
    ]
    return lost
