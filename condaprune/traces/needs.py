"""What must stay because a trace touched it, and what may go where only the traced is to stay.

A recorder sees less than the workload relies on, so that more stays than was seen:

- the target of a link, and every link on the way to what was touched: inotify names the file
  that was reached, not the link that was asked for;
- every hard link to a file, since only one of its names was seen;
- the ``.py`` whose bytecode was used: the interpreter looks at it and never opens it;
- a folder that was listed or looked at, even if nothing is left in it;
- the entries of a folder that was listed on purpose: by the audit recorder's word, or else
  because it holds no Python code that the import system would have listed it for.

Where nothing else is to stay, the guards keep what the trace did not see run (another start
method of a pool, an error path, a codec), since they look at whatever stays: imports, siblings,
libraries, landmarks, metadata, certificates. What a rule keeps stays all the same.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from condaprune.errors import UsageProblem, nearest
from condaprune.evidence.removal import ONLY_TRACED
from condaprune.evidence.tree import Tree
from condaprune.model import Inventory
from condaprune.paths import ancestors, parent, printable
from condaprune.sources.owners import source_of_bytecode
from condaprune.traces.trace import Trace, TracedEntry, TraceKind, check_usable

_VERBS: tuple[tuple[TraceKind, str], ...] = (
    ("exec", "executed"),
    ("open", "opened"),
    ("readlink", "followed"),
    ("list", "listed"),
    ("stat", "looked for"),
)
_PYTHON = (".py", ".pyc", ".so", ".pyd")
_METADATA = re.compile(r".*?\.(?:dist|egg)-info(?=/)", re.DOTALL)

_BLIND = frozenset({"imports", "siblings", "dlopen", "stubs", "data", "toolchain"})
"""The guards that keep what code may ask for later: ``none`` switches them off."""

_RISKS = {
    "none": "--closure none keeps only what the traced runs opened: code that they did not reach "
    "cannot be imported, and data that it reads is missing",
    "imports": "--only-traced keeps what the traced runs opened and what that code can import; "
    "data files that only other code opens, and that are not named in the code, are gone",
    "package": "--closure package keeps every file of the packages that the traced runs used, "
    "and what these import; plug-ins that no run loaded are gone",
}
CLOSURES = tuple(_RISKS)
"""How much is kept besides the traced, the boldest first."""


@dataclass(frozen=True, slots=True)
class _Need:
    """Why an entry must stay: the label of the trace, and a sentence."""

    trace: str
    because: str

    def __str__(self) -> str:
        return f"{self.trace}: {self.because}"


@dataclass(frozen=True, slots=True)
class OnlyTraced:
    """What the planner needs: `kept` maps entries to why they stay, `dropped` those that may go
    (unless a guard needs them or a rule keeps them) to the option that drops them.

    `guards_off` are the guards that the chosen closure switches off, `risks` what the user should
    know, one sentence each.
    """

    kept: Mapping[str, str]
    dropped: Mapping[str, str]
    guards_off: frozenset[str]
    risks: tuple[str, ...]


def traced_needs(
    traces: Sequence[Trace], inventory: Inventory, *, accept_failed: bool = False
) -> Mapping[str, str]:
    """The entries of *inventory* that must stay, each with why.

    What was touched and is not an entry (of another build, or made by the run) is left out.
    Errors: `TraceError` where a trace must not be used, see `check_usable`.
    """
    needs = _find_needs(traces, inventory, accept_failed)
    return {path: str(need) for path, need in needs.items()}


def _find_needs(
    traces: Sequence[Trace], inventory: Inventory, accept_failed: bool
) -> dict[str, _Need]:
    needs = _Needs(inventory)
    for trace in traces:
        check_usable(trace, accept_failed=accept_failed)
        for path, entry in trace.entries.items():
            needs.add(path, entry, trace.label)
    needs.add_other_names()
    return needs.entries


class _Needs:
    """Collects entries; the first reason given for one holds."""

    def __init__(self, inventory: Inventory) -> None:
        self.entries: dict[str, _Need] = {}
        self._inventory = inventory.entries
        self._tree = Tree(inventory, {})
        self._below: dict[str, list[str]] = {}

    def add(self, path: str, touched: TracedEntry, label: str) -> None:
        """Add what one entry of a trace needs."""
        verb = next((word for kind, word in _VERBS if kind in touched.kinds), "")
        if not verb:
            return  # looked for in vain: nothing is there to keep
        trail = self._tree.follow(path)
        entry = self._inventory.get(trail.end)
        for name in (*trail.links, trail.end):
            self._need(name, label, f"the workload {verb} it{_shown_askers(touched)}")
        if entry is None:
            return
        if entry.kind == "folder":
            if "list" in touched.kinds and self._on_purpose(trail.end, touched):
                for child in self._children().get(trail.end, ()):
                    self._need(child, label, f"the workload listed {trail.end}, which holds it")
        elif trail.end.endswith(".pyc"):
            bytecode = posixpath.basename(trail.end)
            because = f"the workload used {bytecode}, which was compiled from it"
            self._need(source_of_bytecode(trail.end), label, because)

    def add_other_names(self) -> None:
        """Add the other names of what was touched: hard links, and links that lead to it."""
        groups: dict[tuple[int, int], _Need] = {}
        for path, need in self.entries.items():
            entry = self._inventory[path]
            if entry.kind == "file" and entry.links > 1:
                groups.setdefault(entry.identity, need)
        if groups:
            for path, entry in self._inventory.items():
                if entry.links > 1 and entry.kind == "file" and entry.identity in groups:
                    need = groups[entry.identity]
                    self._need(path, need.trace, f"{need.because} by another name (a hard link)")
        above = {
            folder: need.trace for path, need in self.entries.items() for folder in ancestors(path)
        }
        for link, entry in self._inventory.items():
            if entry.kind != "link":
                continue
            trail = self._tree.follow(link)
            end = trail.end
            if end in self.entries:
                label = self.entries[end].trace
                because = f"it is a link to {end}, which the workload used"
            elif end in above:
                label = above[end]
                because = f"it is a link to the folder {end}, in which the workload used files"
            else:
                continue
            for name in trail.links:
                self._need(name, label, because)

    def _need(self, path: str, label: str, because: str) -> None:
        if path in self._inventory and path not in self.entries:
            self.entries[path] = _Need(label, because)

    def _on_purpose(self, folder: str, entry: TracedEntry) -> bool:
        """Whether a folder was listed for its names, not by the import system looking for code."""
        if entry.askers:
            return bool(entry.askers - {"importlib"})
        inside = self._children().get(folder, ())
        return not (self._has_code(folder) or any(self._has_code(child) for child in inside))

    def _has_code(self, folder: str) -> bool:
        return any(child.endswith(_PYTHON) for child in self._children().get(folder, ()))

    def _children(self) -> Mapping[str, list[str]]:
        if not self._below:
            for path in self._inventory:
                self._below.setdefault(parent(path), []).append(path)
        return self._below


def _shown_askers(entry: TracedEntry) -> str:
    names = sorted(entry.askers - {"importlib"})
    if not names:
        return ""
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    how = ", by a computed import" if entry.computed else ""
    return f" for {printable(', '.join(names[:2]))}{more}{how}"


def only_traced(
    traces: Sequence[Trace],
    inventory: Inventory,
    *,
    closure: str = "imports",
    accept_failed: bool = False,
) -> OnlyTraced:
    """What stays and what may go where only the traced is kept, with *closure* of `CLOSURES`.

    The standard library stays (not with ``none``), and so do conda's records; other rules may
    still remove parts of both. Errors: `TraceError` where a trace must not be used,
    `UsageProblem` for an unknown closure or without any trace.
    """
    if closure not in CLOSURES:
        raise UsageProblem(
            f"there is no closure {closure!r}", where="--closure", remedy=nearest(closure, CLOSURES)
        )
    if not traces:
        raise UsageProblem(
            "it keeps only what a trace names, and there is no trace",
            where=ONLY_TRACED,
            remedy="Record one with `condaprune trace`, and add `--trace FILE`",
        )
    kept = _find_needs(traces, inventory, accept_failed)
    kept |= dict(_metadata(kept, inventory))
    if closure == "package":
        kept |= dict(_packages(kept, inventory))
    dropped = {
        path: ONLY_TRACED
        for path, entry in inventory.entries.items()
        if entry.kind in ("file", "link")
        and path not in kept
        and not path.startswith("conda-meta/")
        and (closure == "none" or not _of_stdlib(path, inventory))
    }
    return OnlyTraced(
        {path: str(need) for path, need in kept.items()},
        dropped,
        _BLIND if closure == "none" else frozenset(),
        (_RISKS[closure],),
    )


def _of_stdlib(path: str, inventory: Inventory) -> bool:
    """Whether a file belongs to the standard library: in its folder, and not in site-packages.

    The distutils of setuptools do, where a hook puts them in place of the standard library's:
    with a part of them gone, they would fail as a whole.
    """
    home, setuptools, inner = path.partition("/setuptools/")
    if setuptools and home in inventory.layout.site:
        # It imports what setuptools carries along, by a search path that is made at run time.
        stand_in = inner.startswith(("_distutils/", "_vendor/"))
        return stand_in and f"{home}/_distutils_hack/__init__.py" in inventory.entries
    for folder in inventory.layout.stdlib:
        if path.startswith(folder + "/"):
            return not path.startswith(f"{folder}/site-packages/")
    return False


def _metadata(kept: Mapping[str, _Need], inventory: Inventory) -> Iterator[tuple[str, _Need]]:
    """The files that name a distribution of which another metadata file is kept.

    A run that asked for entry points read those of every distribution; code that goes through all
    distributions fails at one without a name.
    """
    homes = {
        match[0]: need.trace for path, need in kept.items() if (match := _METADATA.match(path))
    }
    for distribution in inventory.distributions:
        home = distribution.path
        if home in homes:
            need = _Need(homes[home], f"it names the distribution of {home}, which was used")
            for path in (f"{home}/METADATA", f"{home}/PKG-INFO"):
                if path in inventory.entries and path not in kept:
                    yield path, need


def _packages(kept: Mapping[str, _Need], inventory: Inventory) -> Iterator[tuple[str, _Need]]:
    """The files of every package of which something was touched.

    A package counts as touched by its files, not by folders or links that it shares.
    """
    used: dict[int, _Need] = {}
    for path, need in kept.items():
        if inventory.entries[path].kind == "file":
            for owner in inventory.owners_of(path):
                because = f"the workload used {path} of {owner.label}, the same package"
                used.setdefault(id(owner), _Need(need.trace, because))
    for path, owners in inventory.owners.items():
        reason = next((used[id(owner)] for owner in owners if id(owner) in used), None)
        if reason is not None and path not in kept:
            yield path, reason
