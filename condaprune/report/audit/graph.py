"""Who needs whom: the packages of an environment as a graph, conda and Python together."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from condaprune.model import Inventory, Record
from condaprune.names import canonical_name
from condaprune.sources.base import Contents

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_SPECS = re.compile(rb"^# (update|install|remove|uninstall|neutered) specs: *(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Graph:
    """Packages by label, in an order that is the same each time.

    `needs` maps a package to those it needs, `needed` to those that need it. A distribution that
    a conda package brought is that package; `aliases` maps its label there. `requested` are those
    that the user asked conda for, as far as the environment tells.
    """

    needs: Mapping[str, tuple[str, ...]]
    needed: Mapping[str, tuple[str, ...]]
    aliases: Mapping[str, str]
    requested: frozenset[str]

    def find(self, name: str) -> str:
        """The label a user means by *name*: a label, a conda name or a distribution's name."""
        plain = name.partition(":")[2] or name
        for label in (
            name,
            f"conda:{name}",
            f"conda:{name.lower()}",
            f"pypi:{canonical_name(plain)}",
        ):
            label = self.aliases.get(label, label)
            if label in self.needs:
                return label
        return ""

    def roots(self) -> tuple[str, ...]:
        """Packages that are there for their own sake: asked for, or needed by nobody else.

        Of a circle of packages that nobody else needs, all members are roots.
        """
        found = dict.fromkeys(label for label in self.needs if label in self.requested)
        reached = reachable(self.needs, found)
        for label in self.needs:
            if label not in reached and not self.needed[label]:
                found[label] = None
                reached |= reachable(self.needs, (label,))
        for label in self.needs:
            if label not in reached:  # a circle of its own
                found[label] = None
                reached |= reachable(self.needs, (label,))
        return tuple(found)


def reachable(
    needs: Mapping[str, Iterable[str]], start: Iterable[str], without: str = ""
) -> set[str]:
    """All that can be reached from *start* without passing through *without*."""
    found = {label for label in start if label != without}
    pending = list(found)
    while pending:
        for other in needs[pending.pop()]:
            if other not in found and other != without:
                found.add(other)
                pending.append(other)
    return found


def make_graph(inventory: Inventory, contents: Contents) -> Graph:
    """The graph of an environment. Errors: `SourceError` where a record cannot be read."""
    aliases: dict[str, str] = {}
    needs: dict[str, dict[str, None]] = {record.label: {} for record in inventory.records}
    for distribution in inventory.distributions:
        owners = inventory.owners_of(distribution.path) + inventory.owners_of(
            f"{distribution.path}/METADATA"
        )
        home = next((owner.label for owner in owners if isinstance(owner, Record)), "")
        if home:
            aliases[distribution.label] = home
        else:
            needs.setdefault(distribution.label, {})
    by_name = {record.name: record.label for record in inventory.records}
    for record in inventory.records:
        for text in record.depends:
            other = by_name.get(text.split()[0] if text.split() else "")
            if other and other != record.label:
                needs[record.label][other] = None
    for distribution in inventory.distributions:
        label = aliases.get(distribution.label, distribution.label)
        for text in distribution.requires:
            other = _required(text)
            other = aliases.get(other, other)
            if other in needs and other != label:
                needs[label][other] = None
    needed: dict[str, list[str]] = {label: [] for label in needs}
    for label, others in needs.items():
        for other in others:
            needed[other].append(label)
    return Graph(
        {label: tuple(others) for label, others in needs.items()},
        {label: tuple(others) for label, others in needed.items()},
        aliases,
        frozenset(by_name[name] for name in _requested(inventory, contents) if name in by_name),
    )


def _required(text: str) -> str:
    """The label of what a requirement names; empty where only an extra asks for it."""
    bare, _, marker = text.partition(";")
    match = _NAME.match(bare)
    if match is None or "extra" in marker:
        return ""
    return f"pypi:{canonical_name(match[1])}"


def _requested(inventory: Inventory, contents: Contents) -> set[str]:
    """Names of the packages that a user asked for, from the history and the records."""
    wanted = [record.path for record in inventory.records if record.path]
    if "conda-meta/history" in inventory.entries:
        wanted.append("conda-meta/history")
    specs: list[str] = []
    names: set[str] = set()
    for path, data in contents.read_many(wanted):
        if path.endswith("/history"):
            names |= _from_history(data)
            continue
        raw = json.loads(data)
        held = raw.get("requested_specs") or raw.get("requested_spec") or ()
        specs += [held] if isinstance(held, str) else [s for s in held if isinstance(s, str)]
    return names | {_spec_name(spec) for spec in specs}


def _from_history(data: bytes) -> set[str]:
    """What the history asks for: specs that were installed and not removed again."""
    names: set[str] = set()
    for what, listed in _SPECS.findall(data):
        try:
            specs = ast.literal_eval(listed.decode("utf-8", "replace").strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        found = {_spec_name(s) for s in specs if isinstance(s, str)}
        names = names | found if what in (b"update", b"install") else names - found
    return names


def _spec_name(spec: str) -> str:
    match = _NAME.match(spec.rpartition("::")[2])
    return match[1].lower() if match else ""
