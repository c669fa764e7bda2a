"""The registry of sources: finds the one that a user named.

A new source is one file, one function here that knows its own, and one entry in `SOURCES`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

from condaprune.errors import SourceError, nearest
from condaprune.files import read_regular
from condaprune.paths import from_bytes
from condaprune.sources.base import Limits, Source

_HOMES = ("miniforge3", "mambaforge", "miniconda3", "anaconda3", "micromamba", ".conda")
_SYSTEM_HOMES = ("/opt/conda", "/opt/miniforge3", "/opt/miniconda3", "/opt/anaconda3")

_LARGEST_LIST = 1 << 20
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE).match

Opener = Callable[[str, Limits | None], Source | None]
"""The source for a name, or None where the name means another kind of source."""


def find_source(environment: str, limits: Limits | None = None) -> Source:
    """The source for ENV; *limits* bound how much an archive may ask for.

    Errors: `SourceError`, `ArchiveError`.
    """
    if not environment:
        raise SourceError("ENV is empty", remedy="Name a prefix, an archive or an environment")
    for open_source in SOURCES:
        source = open_source(environment, limits)
        if source is not None:
            return source
    if _ADDRESS(environment):
        raise SourceError(
            "is an address, and condaprune reads what is on this machine",
            where=environment,
            remedy="Download it first; of an image, name the folder of the environment in it",
        )
    raise SourceError(
        "no such file or folder",
        where=environment,
        remedy="Name a prefix (the folder that holds conda-meta), an archive or an environment",
    )


def _prefix(name: str, _limits: Limits | None) -> Source | None:
    if not os.path.isdir(name):
        return None
    from condaprune.sources.prefix import PrefixSource

    return PrefixSource(name)


def _path_list(name: str, limits: Limits | None) -> Source | None:
    if not os.path.isfile(name):
        return None
    from condaprune.sources.pathlist import PathListSource, is_pathlist, start_of

    return PathListSource(name, limits) if is_pathlist(start_of(name)) else None


def _archive(name: str, limits: Limits | None) -> Source | None:
    if not os.path.exists(name):
        return None
    from condaprune.sources.archive import ArchiveSource

    return ArchiveSource(name, limits)


def _environment(name: str, _limits: Limits | None) -> Source | None:
    if os.sep in name:
        return None
    return _prefix(
        _named(name, "no such file or folder, and no conda environment of that name"), None
    )


def prefix_named(name: str) -> str:
    """The prefix of the conda environment called *name*. Errors: `SourceError`."""
    return _named(name, "no conda environment of that name")


def environment_names() -> list[str]:
    """The names of this machine's conda environments."""
    return sorted(_environments())


def _named(name: str, problem: str) -> str:
    prefixes = _environments()
    if name in prefixes:
        return prefixes[name]
    raise SourceError(
        problem,
        where=name,
        remedy=nearest(name, sorted(prefixes))
        if prefixes
        else "Name a prefix (the folder that holds conda-meta) or an archive",
    )


SOURCES: tuple[Opener, ...] = (_prefix, _path_list, _archive, _environment)


def _environments() -> dict[str, str]:
    """The prefixes of this machine's environments by name, the preferred one of each name."""
    prefixes: dict[str, str] = {}
    for prefix in reversed(list(_candidates())):
        if os.path.isdir(os.path.join(prefix, "conda-meta")):
            prefixes[os.path.basename(prefix)] = prefix
            if any(os.path.isdir(os.path.join(prefix, name)) for name in ("envs", "condabin")):
                prefixes["base"] = prefix
    return prefixes


def _candidates() -> Iterator[str]:
    """Prefixes in the order conda would look: CONDA_ENVS_PATH, the installs, environments.txt."""
    home = os.path.expanduser("~")
    for variable in ("CONDA_ENVS_PATH", "CONDA_ENVS_DIRS"):
        for folder in filter(None, os.environ.get(variable, "").split(os.pathsep)):
            yield from _below(folder)
    roots = [os.environ.get("MAMBA_ROOT_PREFIX", ""), os.environ.get("CONDA_ROOT", "")]
    executable = os.environ.get("CONDA_EXE", "")
    if executable:
        roots.append(os.path.dirname(os.path.dirname(executable)))
    roots += [os.path.join(home, name) for name in _HOMES]
    roots += _SYSTEM_HOMES
    for root in filter(None, roots):
        yield from _below(os.path.join(root, "envs"))
        yield root
    try:
        path = os.path.realpath(os.path.join(home, ".conda", "environments.txt"))
        listed = read_regular(path, _LARGEST_LIST)
    except OSError:
        return
    yield from filter(None, map(str.strip, from_bytes(listed).split("\n")))


def _below(folder: str) -> Iterator[str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        yield os.path.join(folder, name)
