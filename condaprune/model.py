"""The nouns of condaprune as immutable data; of the package it knows `rule` and `edit` only.

Paths of entries are relative to the prefix and POSIX. A path may hold any byte but NUL: it is
kept as text, decoded as UTF-8 with ``surrogateescape`` whatever the locale, see
`condaprune.paths`. Sizes are bytes, times are nanoseconds since the epoch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from condaprune.edit import Edit
from condaprune.rule import Platform, Rule

Kind = Literal["file", "link", "folder", "other"]
FileMode = Literal["text", "binary", "unknown"]
Buffer = bytes | memoryview


class Entry(NamedTuple):
    """One file, link or folder of an environment.

    A named tuple rather than a frozen dataclass: there is one for each file, and it is made in a
    sixth of the time.

    `size` is ``st_size`` (for a link the length of its target), `links` the number of hard links
    to the inode wherever they lie. In an archive `device` is 0 and `inode` numbers the members
    that hold content, so that hard-linked members share one.
    """

    path: str
    kind: Kind
    size: int
    mode: int
    mtime_ns: int
    device: int
    inode: int
    links: int
    target: str = ""

    @property
    def identity(self) -> tuple[int, int]:
        """What two hard links to the same file have in common."""
        return (self.device, self.inode)


@dataclass(frozen=True, slots=True)
class PrefixFile:
    """A file that holds the prefix: where, which placeholder its package has, and how.

    `sha256` is that of the file in the package, before the placeholder was replaced (may be
    empty); `source` the file's path inside the package, which differs from `path` for
    ``noarch: python`` packages.
    """

    path: str
    placeholder: str
    mode: FileMode
    sha256: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A conda package as installed: one ``conda-meta/*.json``.

    `requested` is true where the user asked for it by name, false for a mere dependency. `built`
    is when the package was built, in seconds since the epoch, 0 where the record does not say;
    `bare` marks a record that lists neither hashes nor placeholders of its files.
    """

    name: str
    version: str
    build: str
    path: str
    channel: str = ""
    subdir: str = ""
    noarch: str = ""
    url: str = ""
    md5: str = ""
    sha256: str = ""
    license: str = ""
    depends: tuple[str, ...] = ()
    link_source: str = ""
    prefix_files: tuple[PrefixFile, ...] = ()
    requested: bool = False
    built: int = 0
    bare: bool = False

    @property
    def label(self) -> str:
        """How reports name the package."""
        return f"conda:{self.name}"


@dataclass(frozen=True, slots=True)
class Distribution:
    """A Python package as its ``*.dist-info`` or ``*.egg-info`` describes it.

    `name` is normalised (PEP 503), `path` the metadata folder (or egg-info file).
    """

    name: str
    version: str
    path: str
    license: str = ""
    requires: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """How reports name the package."""
        return f"pypi:{self.name}"


Owner = Record | Distribution


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie in an environment: its platform, its Python, its named roots.

    `roots` maps a root's name (``site``, ``stdlib``, ``bin``, ``include``) to the folders it
    stands for, relative to the prefix; a root that the environment lacks maps to nothing.
    """

    platform: Platform
    python: str
    roots: Mapping[str, tuple[str, ...]]

    @property
    def site(self) -> tuple[str, ...]:
        """The site-packages folders."""
        return self.roots.get("site", ())

    @property
    def stdlib(self) -> tuple[str, ...]:
        """The folders of the standard library."""
        return self.roots.get("stdlib", ())


@dataclass(frozen=True, slots=True)
class Inventory:
    """All entries of an environment with their owners: what a source yields.

    `entries` is ordered by the bytes of the path, folders before what lies in them. `label` is
    how the user named the environment. `prefix` is the absolute path that the environment was
    installed to, or empty where that is not known (archives).
    """

    label: str
    prefix: str
    entries: Mapping[str, Entry]
    owners: Mapping[str, tuple[Owner, ...]]
    records: tuple[Record, ...]
    distributions: tuple[Distribution, ...]
    layout: Layout

    @property
    def packages(self) -> tuple[Owner, ...]:
        """All packages: the records, then the distributions."""
        return (*self.records, *self.distributions)

    def with_one_name(self, paths: Iterable[str]) -> list[str]:
        """Those of *paths* whose file has no other path in the environment (hard links)."""
        linked = (e.identity for e in self.entries.values() if e.links > 1 and e.kind == "file")
        names = Counter(linked)
        return [path for path in paths if names[self.entries[path].identity] < 2]

    def owners_of(self, path: str) -> tuple[Owner, ...]:
        """The packages that an entry belongs to; empty for an unowned one."""
        return self.owners.get(path, ())


Basis = Literal["keep", "trace", "guard", "rule-keep", "drop", "rule", "emptied", "default"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to an entry, and the one reason why.

    `basis` names the step of the order of decisions (design: first match wins); `name` the rule,
    guard or option behind it; `because` what was seen; `wanted` the rule (or ``--drop``) that
    would have removed an entry that stays.
    """

    remove: bool
    basis: Basis
    name: str = ""
    because: str = ""
    wanted: str = ""


DEFAULT = Decision(False, "default")


@dataclass(frozen=True, slots=True)
class Veto:
    """A guard's no: the entry that must stay, and what was seen that needs it.

    `needs` is the kept entry that the evidence was seen in, or empty; following it from veto to
    veto gives the chain down to a root. `guard` is filled in by `condaprune.guards.examine`.
    """

    path: str
    because: str
    needs: str = ""
    guard: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Every entry's decision, made before anything is touched.

    `decisions` lacks the entries that stay by default; use `decision`. `notes` are findings the
    user should see (warnings), one sentence each.
    """

    inventory: Inventory
    decisions: Mapping[str, Decision]
    edits: tuple[Edit, ...]
    profile: str
    rules: tuple[Rule, ...]
    guards: tuple[str, ...]
    guards_off: tuple[str, ...] = ()
    vetoes: Mapping[str, Veto] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def decision(self, path: str) -> Decision:
        """The decision for one entry."""
        return self.decisions.get(path, DEFAULT)

    def removes(self, path: str) -> bool:
        """Whether an entry goes."""
        found = self.decisions.get(path)
        return found is not None and found.remove

    def removed(self) -> list[Entry]:
        """The entries that go, in the inventory's order."""
        going = {path for path, decision in self.decisions.items() if decision.remove}
        return [entry for path, entry in self.inventory.entries.items() if path in going]

    def kept(self) -> list[Entry]:
        """The entries that stay, in the inventory's order."""
        going = {path for path, decision in self.decisions.items() if decision.remove}
        return [entry for path, entry in self.inventory.entries.items() if path not in going]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a sink did, measured: bytes with each hard-linked file counted once.

    `output` is the archive or folder written, empty for an in-place run, `format` its format,
    `compressor` what compressed it and `content_bytes` what it unpacks to; `output_size` is its
    size in bytes, 0 where it is not known (a stream). `added` names files that the output has and
    the environment has not. `own_files` and `own_bytes` are what condaprune's own status file in
    the prefix added. `notes` are findings for the user, one sentence each.
    """

    bytes_before: int
    bytes_after: int
    output: str = ""
    output_size: int = 0
    format: str = ""
    compressor: str = ""
    content_bytes: int = 0
    added: tuple[str, ...] = ()
    own_files: int = 0
    own_bytes: int = 0
    notes: tuple[str, ...] = ()


Progress = Callable[[str, int, int], None]
"""Told of progress: phase, steps done, steps in all (0 where not known)."""


def no_progress(_phase: str, _done: int, _total: int) -> None:
    """The progress of a run that nobody watches."""


def unique_bytes(entries: Iterable[Entry]) -> int:
    """Apparent bytes of files and links, each hard-linked file once; folders count nothing."""
    seen: set[tuple[int, int]] = set()
    total = 0
    for entry in entries:
        linked = entry.links > 1 and entry.kind == "file"
        if entry.kind != "folder" and not (linked and entry.identity in seen):
            total += entry.size
        if linked:
            seen.add(entry.identity)
    return total
