"""The nouns of an audit: items, rows, views; immutable data that every format renders.

Every byte is counted once: a hard-linked file with the first of its paths, an entry that several
packages own with the first conda record, else the first distribution. So the rows of each view
(but for the nested ones of `folder`) add up to the total.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from condaprune.model import Kind

UNOWNED = "(unowned)"
FOLDERS = "(folders)"
NO_DISTRIBUTION = "(no Python distribution)"
TOP = "(top level)"
NO_RULE = "(kept)"
"""Row names that no package, folder or rule can have."""

Measure = Literal["bytes", "disk", "compressed", "strippable"]
MEASURES: tuple[Measure, ...] = ("bytes", "disk", "compressed", "strippable")

VIEWS: tuple[str, ...] = ("package", "distribution", "category", "rule", "folder", "extension")
"""The views by which an audit groups items; `rule` only where rules were laid over."""


@dataclass(frozen=True, slots=True)
class Item:
    """One entry as the audit counts it.

    `bytes` (apparent), `disk` and `compressed` are 0 for the further paths of a hard-linked file.
    `disk` is 0 too where it was not measured (see `Audit.measured`). `package` and `distribution`
    are labels such as ``conda:numpy``, or empty. Where a plan is laid over, `rule` names the rule
    that wants the item gone (or the row of a rewritten file), `removed` says whether it goes,
    `freed` how many bytes that frees (negative for what is written) and `added` that the plan
    makes it. `shared` marks a file with hard links outside the environment, as a package cache
    has them. `unused` marks what no trace touched.
    """

    path: str
    kind: Kind
    bytes: int
    category: str
    package: str = ""
    distribution: str = ""
    disk: int = 0
    compressed: int = 0
    strippable: int = 0
    rule: str = ""
    removed: bool = False
    shared: bool = False
    unused: bool = False
    freed: int = 0
    added: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a view: how many files (and links), and their bytes by each measure.

    `version` is that of a package. `removed_files` and `removed_bytes` are the part that the plan
    laid over takes away, `exclusive` what would go with a package (None: not asked for).
    """

    name: str
    files: int
    bytes: int
    disk: int = 0
    compressed: int = 0
    strippable: int = 0
    removed_files: int = 0
    removed_bytes: int = 0
    version: str = ""
    exclusive: int | None = None

    def of(self, measure: Measure) -> int:
        """The bytes of this row by one measure."""
        return int(getattr(self, measure))


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Files of equal content that are no hard links of each other; `bytes` is the size of one."""

    bytes: int
    paths: tuple[str, ...]

    @property
    def wasted(self) -> int:
        """Bytes that would be saved if there were one copy."""
        return self.bytes * (len(self.paths) - 1)


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found.

    `source` says what was audited: ``prefix``, ``archive``, ``path list``, ``manifest`` (then
    the items are what was pruned). `items` is empty for a saved audit that holds rows only;
    `fingerprints` then has, by category, four bytes of hash for each file. `measured` names the
    measures that hold; `exact` whether compressed bytes are exact. `packages` maps labels to
    versions. `pruned` says that only what a prune would leave was counted. `folders` sums the
    folders themselves, which take space on disk but count no apparent bytes, `shared` the files
    that the package cache shares.
    """

    label: str
    source: str
    platform: str
    python: str
    packages: Mapping[str, str]
    total: Row
    views: Mapping[str, tuple[Row, ...]]
    measured: frozenset[Measure]
    items: tuple[Item, ...] = ()
    folders: Row = field(default_factory=lambda: Row(FOLDERS, 0, 0))
    shared: Row = field(default_factory=lambda: Row("shared", 0, 0))
    unused: Row | None = None
    unused_packages: tuple[str, ...] = ()
    duplicates: tuple[Duplicate, ...] | None = None
    fingerprints: Mapping[str, bytes] = field(default_factory=dict)
    profile: str = ""
    guarded: bool = False
    pruned: bool = False
    exact: bool = False
    exclude: tuple[str, ...] = ()
    depth: int = 1

    def view(self, name: str) -> tuple[Row, ...]:
        """The rows of one view, largest first; empty where there is none."""
        return self.views.get(name, ())

    def row(self, view: str, name: str) -> Row | None:
        """One row of a view, by its name."""
        return next((row for row in self.view(view) if row.name == name), None)


_FIGURES = ("files", *MEASURES, "removed_files", "removed_bytes")


def total_of_rows(name: str, rows: Iterable[Row]) -> Row:
    """The sum of rows."""
    rows = tuple(rows)
    return Row(name, *(sum(getattr(row, figure) for row in rows) for figure in _FIGURES))


def total_of(name: str, items: Iterable[Item], version: str = "") -> Row:
    """The sums of items; a folder is no file, and what the plan adds is not there yet."""
    items = tuple(items)
    files = [item for item in items if item.kind != "folder" and not item.added]
    return Row(
        name,
        files=len(files),
        bytes=sum([item.bytes for item in items]),
        disk=sum([item.disk for item in items]),
        compressed=sum([item.compressed for item in items]),
        strippable=sum([item.strippable for item in items]),
        removed_files=sum([i.removed for i in files]) - sum([i.added for i in items]),
        removed_bytes=sum([item.freed for item in items]),
        version=version,
    )
