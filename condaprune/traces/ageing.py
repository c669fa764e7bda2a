"""Which environment a trace was recorded in, and how that differs from the one at hand.

A fingerprint maps a package's label (``conda:numpy``, ``pypi:click``) to its version, for conda
packages followed by the build. It is made from file names alone, so that it costs next to nothing
and both sides can make it.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Mapping

from condaprune.model import Inventory
from condaprune.names import canonical_name
from condaprune.paths import from_bytes, printable, to_bytes
from condaprune.traces.trace import Trace

_SHOWN = 8


def fingerprint(prefix: str) -> dict[str, str]:
    """The fingerprint of the prefix in a folder; empty where it is not an environment."""
    libraries = [f"lib/{name}" for name in _names(prefix, "lib") if name.startswith("python")]
    sites = [
        f"{library}/site-packages"
        for library in (*libraries, "Lib")
        if not os.path.islink(os.path.join(prefix, library))
    ]
    metadata = (name for site in sites for name in _names(prefix, site))
    return _fingerprint(_names(prefix, "conda-meta"), metadata)


def inventory_fingerprint(inventory: Inventory) -> dict[str, str]:
    """The fingerprint of an environment that was read."""
    records = (posixpath.basename(record.path) for record in inventory.records)
    sites = set(inventory.layout.site)
    places = (distribution.path.rpartition("/") for distribution in inventory.distributions)
    return _fingerprint(records, (name for folder, _, name in places if folder in sites))


def _fingerprint(records: Iterable[str], metadata: Iterable[str]) -> dict[str, str]:
    """The fingerprint of the names of conda's records and of Python's metadata folders."""
    versions: dict[str, str] = {}
    for name in records:
        parts = name.removesuffix(".json").rsplit("-", 2)
        if name.endswith(".json") and len(parts) == 3:
            versions[f"conda:{parts[0]}"] = f"{parts[1]} {parts[2]}"
    for name in metadata:
        stem, _, suffix = name.rpartition(".")
        if suffix in ("dist-info", "egg-info"):
            title, _, version = stem.partition("-")
            versions[f"pypi:{canonical_name(title)}"] = version.split("-py", 1)[0]
    return dict(sorted(versions.items()))


def fingerprint_difference(trace: Trace, inventory: Inventory) -> str:
    """How the environment differs from the one a trace was recorded in, in words.

    Empty where it does not. Packages of the same version and another build are named as such:
    the trace still applies to them by path.
    """
    now = inventory_fingerprint(inventory)
    differences: dict[str, None] = {}
    for run in trace.runs:
        if not run.fingerprint:
            differences["it does not say which environment it was recorded in"] = None
        elif run.fingerprint != now:
            differences.update(dict.fromkeys(_differences(run.fingerprint, now)))
    words = list(map(printable, differences))
    more = f", and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more


def _differences(before: Mapping[str, str], now: Mapping[str, str]) -> Iterable[str]:
    for label in sorted(before.keys() | now.keys()):
        old, new = before.get(label), now.get(label)
        name = label.removeprefix("conda:")
        if old == new:
            continue
        if old is None:
            yield f"{name} {new} is new"
        elif new is None:
            yield f"{name} {old} is gone"
        elif old.split(" ")[0] == new.split(" ")[0]:
            version, _, build = old.partition(" ")
            yield f"{name} {version} is another build ({new.partition(' ')[2]}, was {build})"
        else:
            yield f"{name} is {new.split(' ')[0]}, was {old.split(' ')[0]}"


def _names(prefix: str, folder: str) -> list[str]:
    try:
        return [from_bytes(name) for name in os.listdir(to_bytes(f"{prefix}/{folder}"))]
    except OSError:
        return []
