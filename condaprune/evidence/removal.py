"""What wants an entry removed, and how closely it names what it removes.

Some guards go by likelihood, not by evidence: a library that nobody links to *may* be opened by
name. There a rule that names the package or the library itself knows better; one that sweeps the
whole environment (``**/*.so*``) does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from condaprune.names import canonical_name
from condaprune.rule import Rule

ONLY_TRACED = "--only-traced"
"""The id of what goes for no other reason than that no trace holds it."""

_DROP = "--drop "
_PACKAGES = ("--drop-package ", "--only-packages", "--with-orphans")
_WILD = re.compile(r"[*?\[{\\]")
_NAMED = re.compile(r"[A-Za-z0-9_+-]{3}")
_KINDS = frozenset({"debug", "sanitizer", "sanitizers", "static", "static-libraries"})
"""Categories of rules that say what kind of library they remove."""
_SOURCES = frozenset({"source", "sources", "sourceless"})
"""Categories of rules that are about removing Python sources."""


@dataclass(frozen=True, slots=True, eq=False)
class Removal:
    """A rule or an option of the user that removes entries; there is one object for each.

    `packages` are those that a rule is limited to, by their canonical names. `whole` is true where
    packages go as a whole. `libraries` and `files` are how the names of libraries, and of files of
    the rule's own packages, start that its patterns spell; `folders` are folders of these packages
    that they spell in full.
    """

    id: str
    origin: Literal["rule", "pattern", "packages", "untraced"]
    category: str = ""
    packages: frozenset[str] = frozenset()
    whole: bool = False
    libraries: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    @property
    def sources(self) -> bool:
        """Whether it is a rule about removing Python sources."""
        return self.category in _SOURCES

    def names_library(self, path: str) -> bool:
        """Whether it names a library: by its package, its kind, or its file name."""
        if self.packages or self.category in _KINDS or self.origin == "packages":
            return True
        return path.rpartition("/")[2].startswith(self.libraries)

    def names_file(self, path: str) -> bool:
        """Whether it is limited to a package and spells this file's folder, or how its name
        starts."""
        if path.rpartition("/")[2].startswith(self.files):
            return True
        return any(folder in path for folder in self.folders)


def removals(ids: Iterable[str], rules: Mapping[str, Rule]) -> dict[str, Removal]:
    """The removals behind the ids of a plan's decisions; a rule that is not given names nothing."""
    return {name: _removal(name, rules.get(name)) for name in set(ids)}


def _removal(name: str, rule: Rule | None) -> Removal:
    if name.startswith(_PACKAGES):
        return Removal(name, "packages", whole=True)
    if name.startswith(_DROP):
        return Removal(name, "pattern", libraries=_libraries([name[len(_DROP) :]]))
    if rule is None:
        return Removal(name, "untraced" if name == ONLY_TRACED else "rule")
    spelled = (_start(text) for text in rule.remove if rule.package and not text.startswith("!"))
    return Removal(
        name,
        "rule",
        rule.category,
        frozenset(map(canonical_name, rule.package)),
        rule.whole,
        _libraries(rule.remove),
        tuple(text for text in spelled if len(text) > 2),
        tuple(filter(None, map(_folder, rule.remove))) if rule.package else (),
    )


def _libraries(patterns: Iterable[str]) -> tuple[str, ...]:
    starts = (_start(pattern.rstrip("/")) for pattern in patterns)
    return tuple(text for text in starts if _NAMED.match(text) and text != "lib")


def _folder(pattern: str) -> str:
    """The folder of a package that a pattern spells, as it stands in a path; empty if none."""
    root, _, rest = pattern.partition("}/")
    deep = root == "{site" and rest.endswith("/") and rest.count("/") > 1
    return f"/{rest}" if deep and not _WILD.search(rest) else ""


def _start(pattern: str) -> str:
    """What a pattern spells of the start of a file's name."""
    return _WILD.split(pattern.rpartition("/")[2], maxsplit=1)[0]
