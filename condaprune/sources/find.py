"""Finds the source that a user named: a prefix, an archive, or an environment by its name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from condaprune.errors import SourceError, nearest
from condaprune.sources.base import Source

if TYPE_CHECKING:
    from condaprune.sources.members import Limits

_HOMES = ("miniforge3", "mambaforge", "miniconda3", "anaconda3", "micromamba", ".conda")
_SYSTEM_HOMES = ("/opt/conda", "/opt/miniforge3", "/opt/miniconda3", "/opt/anaconda3")


def find_source(environment: str, limits: Limits | None = None) -> Source:
    """The source for ENV; *limits* bound what an archive may ask.

    Errors: `SourceError`, `ArchiveError`.
    """
    from condaprune.sources.prefix import PrefixSource

    if not environment:
        raise SourceError("ENV is empty", remedy="Name a prefix, an archive or an environment")
    if os.path.isdir(environment):
        return PrefixSource(environment)
    if os.path.exists(environment):
        from condaprune.sources.archive import ArchiveSource

        return ArchiveSource(environment, limits) if limits else ArchiveSource(environment)
    if os.sep not in environment:
        known = dict(_environments())
        if environment in known:
            return PrefixSource(known[environment])
        raise SourceError(
            "no such file or folder, and no conda environment of that name",
            where=environment,
            remedy=nearest(environment, sorted(known))
            if known
            else "Name a prefix (the folder that holds conda-meta) or an archive",
        )
    raise SourceError(
        "no such file or folder",
        where=environment,
        remedy="Name a prefix (the folder that holds conda-meta), an archive or an environment",
    )


def _environments() -> Iterator[tuple[str, str]]:
    """Names and prefixes of the environments of this machine, the preferred one last."""
    found: dict[str, str] = {}
    for prefix in reversed(list(_candidates())):
        if os.path.isdir(os.path.join(prefix, "conda-meta")):
            base = os.path.isdir(os.path.join(prefix, "envs")) or os.path.isdir(
                os.path.join(prefix, "condabin")
            )
            name = os.path.basename(prefix)
            found[name] = prefix
            if base:
                found["base"] = prefix
    yield from found.items()


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
        with open(os.path.join(home, ".conda", "environments.txt"), errors="surrogateescape") as f:
            yield from (line.strip() for line in f if line.strip())
    except OSError:
        return


def _below(folder: str) -> Iterator[str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        yield os.path.join(folder, name)
