"""What must stay because a trace touched it: every entry, with the sentence that reports quote.

A recorder sees less than the workload relies on, so that more stays than was seen:

- the target of a link, and every link on the way to what was touched: inotify names the file
  that was reached, not the link that was asked for;
- every hard link to a file, since only one of its names was seen;
- the ``.py`` whose bytecode was used: the interpreter looks at it and never opens it;
- a folder that was listed or looked at, even if nothing is left in it;
- what a folder holds that was listed on purpose: by the audit recorder's word, or else because
  it holds no Python code that the import system would have listed it for.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence

from condaprune.evidence.tree import Tree
from condaprune.model import Inventory
from condaprune.paths import parent
from condaprune.traces.trace import Trace, TracedEntry, TraceKind, check_usable

_DONE: tuple[tuple[TraceKind, str], ...] = (
    ("exec", "executed"),
    ("open", "opened"),
    ("readlink", "followed as a link"),
    ("list", "listed"),
    ("stat", "looked for"),
)
_PYTHON = (".py", ".pyc", ".so", ".pyd")
_BYTECODE = re.compile(r"(?:(.*)/)?__pycache__/([^/]+?)\.[^./]+(?:\.opt-\w+)?\.pyc")


def traced_needs(
    traces: Sequence[Trace], inventory: Inventory, *, accept_failed: bool = False
) -> Mapping[str, str]:
    """The entries of *inventory* that must stay, each with why.

    What was touched and is no entry (of another build, or made by the run) is left out. Errors:
    `TraceError` where a trace must not be used, see `check_usable`.
    """
    needs = _Needs(inventory)
    for trace in traces:
        check_usable(trace, accept_failed=accept_failed)
        for path, entry in trace.entries.items():
            needs.touched(path, entry, trace.label)
    needs.reach()
    return needs.found


def source_of(bytecode: str) -> str:
    """The ``.py`` that a ``.pyc`` was compiled from, by its path; empty for other paths."""
    if not bytecode.endswith(".pyc"):
        return ""
    found = _BYTECODE.fullmatch(bytecode)
    if found is None:
        return bytecode[:-1]
    return f"{found[1]}/{found[2]}.py" if found[1] else f"{found[2]}.py"


class _Needs:
    """Collects entries; the first reason given for one holds."""

    def __init__(self, inventory: Inventory) -> None:
        self.found: dict[str, str] = {}
        self._inventory = inventory
        self._entries = inventory.entries
        self._tree = Tree(inventory, {})
        self._below: dict[str, list[str]] = {}

    def touched(self, path: str, entry: TracedEntry, label: str) -> None:
        """Take in one entry of a trace."""
        done = next((word for kind, word in _DONE if kind in entry.kinds), "")
        if not done:
            return  # looked for in vain: nothing is there to keep
        because = f"{label}: {done} by the workload"
        if entry.askers - {"importlib"}:
            because += f" ({_shown_askers(entry)})"
        trail = self._tree.follow(path)
        for link in trail.links:
            self._need(link, because)
        end = trail.end
        known = self._entries.get(end)
        if known is None:
            return
        self._need(end, because)
        if known.kind != "folder":
            source = source_of(end)
            if source:
                self._need(source, f"{label}: source of {posixpath.basename(end)}, which was used")
        elif "list" in entry.kinds and self._on_purpose(end, entry):
            for child in self._children().get(end, ()):
                self._need(child, f"{label}: named by {end}, which was listed by the workload")

    def reach(self) -> None:
        """Add the other names of what was touched: hard links, and links that lead to it."""
        groups: dict[tuple[int, int], str] = {}
        for path, because in self.found.items():
            entry = self._entries[path]
            if entry.kind == "file" and entry.links > 1:
                groups.setdefault(entry.identity, because)
        if groups:
            for path, entry in self._entries.items():
                if entry.links > 1 and entry.kind == "file" and entry.identity in groups:
                    self._need(path, f"{groups[entry.identity]} under another hard link")
        above: dict[str, str] = {}
        for path, because in self.found.items():
            label = because.partition(": ")[0]
            above.update(dict.fromkeys(_ancestors(path), label))
        for link, entry in self._entries.items():
            if entry.kind != "link":
                continue
            trail = self._tree.follow(link)
            end = trail.end
            if end in self.found:
                label = self.found[end].partition(": ")[0]
                because = f"{label}: link to {end}, which the workload used"
            elif end in above:
                because = (
                    f"{above[end]}: link to the folder {end}, in which the workload used files"
                )
            else:
                continue
            for hop in trail.links:
                self._need(hop, because)

    def _need(self, path: str, because: str) -> None:
        if path in self._entries:
            self.found.setdefault(path, because)

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
            for path in self._entries:
                self._below.setdefault(parent(path), []).append(path)
        return self._below


def _ancestors(path: str) -> list[str]:
    found = []
    while path := parent(path):
        found.append(path)
    return found


def _shown_askers(entry: TracedEntry) -> str:
    names = sorted(entry.askers - {"importlib"})
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    how = ", by a computed import" if entry.computed else ""
    return f"asked for by {', '.join(names[:2])}{more}{how}"
