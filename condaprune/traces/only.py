"""The trace as driver: what is left of an environment where only the traced is to stay.

A trace alone breaks what it did not see run: another start method of a pool, an error path, a
codec. So more is kept than was touched, and most of that is found by the guards, which look at
whatever stays: what kept modules import, beside computed imports and extension modules their
siblings, the libraries of kept binaries, landmarks, metadata, certificates. This module only says
what may go; the rules' own keeps hold against it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from condaprune.errors import UsageProblem, nearest
from condaprune.evidence.removal import ONLY_TRACED
from condaprune.model import Inventory
from condaprune.traces.needs import traced_needs
from condaprune.traces.trace import Trace

Closure = Literal["none", "imports", "package"]
CLOSURES: tuple[Closure, ...] = get_args(Closure)
"""How far beyond the trace is kept, the boldest first."""

OPTION = ONLY_TRACED
_METADATA = re.compile(r".*?\.(?:dist|egg)-info(?=/)", re.DOTALL)

_BLIND = frozenset({"imports", "siblings", "dlopen", "stubs", "data", "toolchain"})
"""The guards that keep what code may come to ask for: they are what ``none`` goes without."""

_RISKS: Mapping[Closure, str] = {
    "none": "--closure none keeps what the traced runs opened and no more: code that they did not "
    "reach will fail to import, and data that it reads will be missing",
    "imports": "--only-traced keeps what the traced runs opened and what that code can import; "
    "data files that only other code opens, and that are not named in the code, are gone",
    "package": "--closure package keeps every file of the packages that the traced runs used, "
    "and what these import; plug-ins that no run loaded are gone",
}


@dataclass(frozen=True, slots=True)
class OnlyTraced:
    """What the planner is asked: `kept` maps entries to why they stay, `dropped` those that may
    go (unless a guard needs them or a rule keeps them) to the option that wants it.

    `guards_off` are the guards that the chosen closure goes without, `risks` what the user
    should know, one sentence each.
    """

    kept: Mapping[str, str]
    dropped: Mapping[str, str]
    guards_off: frozenset[str]
    risks: tuple[str, ...]


def only_traced(
    traces: Sequence[Trace],
    inventory: Inventory,
    *,
    closure: str = "imports",
    accept_failed: bool = False,
) -> OnlyTraced:
    """What stays and what may go where only the traced is kept, with *closure* of `CLOSURES`.

    The standard library stays, its own rules aside (not with ``none``), and so do conda's
    records, which have rules of their own. Errors: `TraceError` where a trace must not be used,
    `UsageProblem` for an unknown closure or without any trace.
    """
    chosen = _closure(closure)
    if not traces:
        raise UsageProblem(
            "it keeps what a trace names, and there is no trace",
            where=OPTION,
            remedy="Record one with `condaprune trace`, and add `--trace FILE`",
        )
    kept = dict(traced_needs(traces, inventory, accept_failed=accept_failed))
    kept.update(_named(kept, inventory))
    if chosen == "package":
        kept.update(_packages(kept, inventory))
    dropped = {
        path: OPTION
        for path, entry in inventory.entries.items()
        if entry.kind in ("file", "link")
        and path not in kept
        and not path.startswith("conda-meta/")
        and (chosen == "none" or not _of_stdlib(path, inventory))
    }
    return OnlyTraced(kept, dropped, _BLIND if chosen == "none" else frozenset(), (_RISKS[chosen],))


def _closure(name: str) -> Closure:
    for known in CLOSURES:
        if known == name:
            return known
    raise UsageProblem(
        f"there is no closure {name!r}", where="--closure", remedy=nearest(name, CLOSURES)
    )


def _of_stdlib(path: str, inventory: Inventory) -> bool:
    """Whether a file is the standard library's: in its folder, and in no site-packages.

    The distutils of setuptools are, where a hook puts them in place of the standard library's:
    with a part of them gone, the whole would be used in vain.
    """
    home, found, inner = path.partition("/setuptools/")
    if found and home in inventory.layout.site:
        # It imports what setuptools carries along, by a search path that is made at run time.
        stand_in = inner.startswith(("_distutils/", "_vendor/"))
        return stand_in and f"{home}/_distutils_hack/__init__.py" in inventory.entries
    for folder in inventory.layout.stdlib:
        if path.startswith(folder + "/"):
            return not path.startswith(f"{folder}/site-packages/")
    return False


def _named(kept: Mapping[str, str], inventory: Inventory) -> list[tuple[str, str]]:
    """The metadata that says which distribution it is, where another file beside it is kept.

    A run that asked for entry points read those of every distribution; one that is listed and
    has no name fails who walks over all.
    """
    homes = {
        found[0]: because for path, because in kept.items() if (found := _METADATA.match(path))
    }
    return [
        (path, f"{homes[distribution.path].partition(': ')[0]}: names what {distribution.path} is")
        for distribution in inventory.distributions
        if distribution.path in homes
        for path in (f"{distribution.path}/METADATA", f"{distribution.path}/PKG-INFO")
        if path in inventory.entries and path not in kept
    ]


def _packages(kept: Mapping[str, str], inventory: Inventory) -> Iterator[tuple[str, str]]:
    """The files of every package of which something was touched, each with why it stays.

    A package counts as touched by its files, not by folders or links that it shares.
    """
    used: dict[int, str] = {}
    for path in kept:
        if inventory.entries[path].kind == "file":
            for owner in inventory.owners_of(path):
                used.setdefault(id(owner), path)
    for path, owners in inventory.owners.items():
        if path in kept:
            continue
        for owner in owners:
            if id(owner) in used:
                label = kept[used[id(owner)]].partition(": ")[0]
                yield path, f"{label}: {owner.label} was used ({used[id(owner)]})"
                break
