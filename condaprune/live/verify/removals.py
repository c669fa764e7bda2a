"""Which files went, by which rule, and what the rules announced."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from condaprune.errors import SourceError
from condaprune.files import read_named, unreadable
from condaprune.live.verify.results import Culprit, Finding
from condaprune.parse import parse_json
from condaprune.paths import from_bytes, parent, printable, sort_key

if TYPE_CHECKING:
    from condaprune.model import Plan

_QUOTED = re.compile(r"`+([^`]+)`+")
_WORD = re.compile(r"[\w.+-]*[\w+]")
_MODULE_ENDS = (".py", "/__init__.py", ".pyc", "/__init__.pyc")
_CULPRITS_AT_MOST = 3
_MANIFEST_AT_MOST = 512 << 20


@dataclass(frozen=True, slots=True)
class Ledger:
    """The rule behind each removed path, and the rules' `breaks`, from a manifest or a plan.

    The rule of a folder is that of everything in it.
    """

    rules: Mapping[str, str] = field(default_factory=dict)
    breaks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def rule_of(self, path: str) -> str | None:
        """The rule that removed *path* (empty if it has no name); None if it was not removed."""
        while path:
            rule = self.rules.get(path)
            if rule is not None:
                return rule
            path = parent(path)
        return None


def read_manifest(path: str) -> Ledger:
    """The ledger in a manifest file. Errors: `SourceError` where it cannot be used.

    Tolerant by design: only ``removed: [{path, rule}]`` is needed. Announcements are read from
    ``rules: [{name, breaks}]`` or, where that is missing, from the shipped rules.
    """
    from condaprune.ruleset import load_builtin

    try:
        raw = parse_json(from_bytes(read_named(path, _MANIFEST_AT_MOST)))
    except OSError as error:
        raise _unusable(path, f"the manifest {unreadable(error)}") from error
    except ValueError as error:
        what = f"the manifest is not valid JSON: {printable(str(error))}"
        raise _unusable(path, what) from error
    if not isinstance(raw, dict) or not isinstance(raw.get("removed"), list):
        raise _unusable(path, "the manifest has no list `removed`")
    rules: dict[str, str] = {}
    breaks: dict[str, tuple[str, ...]] = {}
    for row in raw["removed"]:
        if isinstance(row, str):
            rules[row] = ""
        elif isinstance(row, dict) and isinstance(row.get("path"), str):
            rule = row.get("rule")
            rules[row["path"].strip("/")] = rule if isinstance(rule, str) else ""
    named = raw.get("rules")
    for row in named if isinstance(named, list) else ():
        if isinstance(row, dict) and isinstance(row.get("breaks"), list):
            sentences = row["breaks"]
            breaks[str(row.get("name"))] = tuple(s for s in sentences if isinstance(s, str))
    names = set(rules.values())
    for rule in load_builtin():
        if rule.id in names:
            breaks.setdefault(rule.id, rule.breaks)
    return Ledger(rules, breaks)


def _unusable(path: str, what: str) -> SourceError:
    remedy = "Give the file that `condaprune prune --manifest FILE` wrote"
    return SourceError(what, where=path, remedy=remedy)


def from_plan(plan: Plan) -> Ledger:
    """The ledger of a plan that was, or will be, carried out."""
    return Ledger(
        {entry.path: plan.decision(entry.path).name for entry in plan.removed()},
        {rule.id: rule.breaks for rule in plan.rules},
    )


class Removals:
    """The paths that are gone, each with its rule where a ledger names one.

    Without a ledger every missing file counts as removed on purpose by an unknown rule; with one,
    only the files that it names do.
    """

    def __init__(self, gone: Iterable[str], ledger: Ledger | None = None) -> None:
        self._ledger = ledger
        self.gone = frozenset(gone)
        self._by_name: dict[str, list[str]] = {}
        for path in sorted(self.gone, key=sort_key):
            self._by_name.setdefault(path.rpartition("/")[2], []).append(path)
        self._breaks = ledger.breaks if ledger else {}

    @property
    def unexplained(self) -> bool:
        """Whether files are gone and nothing says by which rule."""
        return self._ledger is None and bool(self.gone)

    def rule(self, path: str) -> str:
        """The rule that removed a path; empty where it is unknown."""
        return (self._ledger.rule_of(path) or "") if self._ledger else ""

    def on_purpose(self, path: str) -> bool:
        """Whether a path is gone because a rule removed it."""
        if path not in self.gone:
            return False
        return self._ledger is None or self._ledger.rule_of(path) is not None

    def culprits(self, *paths: str) -> tuple[Culprit, ...]:
        """The first few of *paths* that are gone, each with its rule."""
        gone = dict.fromkeys(path for path in paths if path in self.gone)
        return tuple(Culprit(path, self.rule(path)) for path in list(gone)[:_CULPRITS_AT_MOST])

    def modules(self, *names: str) -> tuple[Culprit, ...]:
        """The missing files of modules, by their dotted names.

        A package may have a name that is not its path (a vendored copy, an alias such as
        setuptools' for distutils), so the end of a path is enough.
        """
        files: list[str] = []
        for name in names:
            inner = name.replace(".", "/")
            base = inner.rpartition("/")[2]
            for end in _MODULE_ENDS:
                file = (base + end).rpartition("/")[2]
                files += [p for p in self._by_name.get(file, ()) if p.endswith(inner + end)]
        return self.culprits(*files)

    def blame(self, text: str, root: str) -> tuple[Culprit, ...]:
        """The missing files that a message names, by a path below *root* or by file name."""
        paths: list[str] = []
        for word in re.findall(r"""[^\s'"():,;]+""", text):
            if word.startswith(root + "/"):
                paths.append(os.path.normpath(word[len(root) + 1 :]))
            elif "/" not in word and "." in word:
                paths += self._by_name.get(word, ())
        return self.culprits(*paths)

    def announced(self, finding: Finding, below: frozenset[str]) -> Finding | None:
        """The finding with the sentence that announced it, or None.

        A rule announces a name by quoting it with backticks in a sentence of its ``breaks``.
        A quoted module covers its submodules only where it is itself gone (one of *below*): a
        sentence about the tests of `numpy` must not excuse a broken numpy.linalg.
        """
        names = {finding.name, finding.name.rpartition("/")[2]}
        module = finding.name
        while finding.kind == "module" and "." in module:
            module = module.rpartition(".")[0]
            if module in below:
                names.add(module)
        for rule, sentences in self._breaks.items():
            for sentence in sentences:
                for quoted in _QUOTED.findall(sentence):
                    if not names.isdisjoint([quoted, *_WORD.findall(quoted)]):
                        return replace(finding, rule=rule, announcement=sentence)
        return None
