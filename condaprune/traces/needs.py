"""What must stay because a trace touched it: every entry, with the sentence that reports quote.

A recorder sees less than the workload relies on, so that more stays than was seen:

- the target of a link, and every link on the way to what was touched: inotify names the file
  that was reached, not the link that was asked for;
- every hard link to a file, since only one of its names was seen;
- the ``.py`` whose bytecode was used: the interpreter looks at it and never opens it;
- a folder that was listed or looked at, even if nothing is left in it;
- the entries of a folder that was listed on purpose: by the audit recorder's word, or else
  because it holds no Python code that the import system would have listed it for.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from condaprune.evidence.tree import Tree
from condaprune.model import Inventory
from condaprune.paths import ancestors, parent
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


@dataclass(frozen=True, slots=True)
class Need:
    """Why an entry must stay: the label of the trace, and a sentence."""

    trace: str
    because: str

    def __str__(self) -> str:
        return f"{self.trace}: {self.because}"


def traced_needs(
    traces: Sequence[Trace], inventory: Inventory, *, accept_failed: bool = False
) -> Mapping[str, str]:
    """The entries of *inventory* that must stay, each with why; see `find_needs`."""
    needs = find_needs(traces, inventory, accept_failed=accept_failed)
    return {path: str(need) for path, need in needs.items()}


def find_needs(
    traces: Sequence[Trace], inventory: Inventory, *, accept_failed: bool = False
) -> dict[str, Need]:
    """The entries of *inventory* that must stay.

    What was touched and is not an entry (of another build, or made by the run) is left out.
    Errors: `TraceError` where a trace must not be used, see `check_usable`.
    """
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
        self.entries: dict[str, Need] = {}
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
        groups: dict[tuple[int, int], Need] = {}
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
            self.entries[path] = Need(label, because)

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
    return f" for {', '.join(names[:2])}{more}{how}"
