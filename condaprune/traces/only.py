"""The trace as the driver: what is left of an environment where only the traced is to stay.

A trace alone breaks what it did not see run: another start method of a pool, an error path, a
codec. So more is kept than was touched, and the guards find most of that, since they look at
whatever stays: what kept modules import, siblings of computed imports and of extension modules,
the libraries of kept binaries, landmarks, metadata, certificates. This module only says what may
go; what a rule keeps stays all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from condaprune.errors import UsageProblem, nearest
from condaprune.evidence.removal import ONLY_TRACED
from condaprune.model import Inventory
from condaprune.traces.needs import Need, find_needs
from condaprune.traces.trace import Trace

OPTION = ONLY_TRACED
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
            where=OPTION,
            remedy="Record one with `condaprune trace`, and add `--trace FILE`",
        )
    kept = find_needs(traces, inventory, accept_failed=accept_failed)
    kept |= dict(_metadata(kept, inventory))
    if closure == "package":
        kept |= dict(_packages(kept, inventory))
    dropped = {
        path: OPTION
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


def _metadata(kept: Mapping[str, Need], inventory: Inventory) -> Iterator[tuple[str, Need]]:
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
            need = Need(homes[home], f"it names the distribution of {home}, which was used")
            for path in (f"{home}/METADATA", f"{home}/PKG-INFO"):
                if path in inventory.entries and path not in kept:
                    yield path, need


def _packages(kept: Mapping[str, Need], inventory: Inventory) -> Iterator[tuple[str, Need]]:
    """The files of every package of which something was touched.

    A package counts as touched by its files, not by folders or links that it shares.
    """
    used: dict[int, Need] = {}
    for path, need in kept.items():
        if inventory.entries[path].kind == "file":
            for owner in inventory.owners_of(path):
                because = f"the workload used {path} of {owner.label}, the same package"
                used.setdefault(id(owner), Need(need.trace, because))
    for path, owners in inventory.owners.items():
        reason = next((used[id(owner)] for owner in owners if id(owner) in used), None)
        if reason is not None and path not in kept:
            yield path, reason
