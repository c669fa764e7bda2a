"""Finds the configuration for a run; what parses it is imported only where there is one."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from condaprune.request.config import Config

FILE = "condaprune.toml"
_PROJECT = "pyproject.toml"
_SECTION_WITHIN = 1 << 20
"""Bytes in which the section of a pyproject.toml is looked for."""

Identity = tuple[int, int]


class Found(NamedTuple):
    """The configuration that applies: its path, empty where there is none.

    `named` says that the user named it, and so vouches for it. `ignored` says of each file that
    was come across and is not used, why.
    """

    path: str = ""
    named: bool = False
    ignored: tuple[str, ...] = ()


def read_config(
    config_file: str | None = None,
    *,
    isolated: bool = False,
    environments: Sequence[str] = (),
    accept: bool = False,
    say: Callable[[str], None] = lambda _note: None,
) -> Config | None:
    """The configuration that applies in the working folder; None where there is none.

    *environments* are those that the run is about: what lies in them is not used unless it is
    named. *accept* has the commands of a file that was found accepted, until it changes. *say* is
    called with notes. Errors: `ConfigError`.
    """
    if isolated:
        return None
    if config_file:
        found = Found(config_file, named=True)
    else:
        found = find_config(os.getcwd(), environments)
    for note in found.ignored:
        say(note)
    if not found.path:
        return None
    from condaprune.request.config import load_config

    config = load_config(found.path, named=found.named)
    if accept and config.unaccepted:
        from dataclasses import replace

        from condaprune.paths import printable
        from condaprune.request.trust import accept_commands

        accept_commands(config.origin, config.unaccepted)
        config = replace(config, unaccepted="")
        say(f"{printable(config.origin)}: its commands are accepted until the file changes")
    return config


def find_config(start: str, environments: Sequence[str] = ()) -> Found:
    """The configuration for a run from the folder *start*: ``$CONDAPRUNE_CONFIG``, else the
    nearest condaprune.toml, or pyproject.toml with ``[tool.condaprune]``, of the project.

    The search goes up to the project's root: the nearest folder with ``.git``, else the nearest
    with pyproject.toml, else *start* itself, and not above the home folder. A file in one of
    *environments* (prefixes or names) is never used: their authors have no say in how they are
    pruned.
    """
    named = os.environ.get("CONDAPRUNE_CONFIG", "")
    if named:
        return Found(named, named=True)
    inner, outer = _split(_upwards(os.path.realpath(start)), environments)
    ignored = [_in_environment(path) for path in map(_own, inner) if path]
    root = _root(outer) if inner else _root(outer) or 1
    for folder in outer[:root]:
        path = _own(folder)
        if path and _is_within(path, environments):
            ignored.append(_in_environment(path))
        elif path:
            return Found(path, ignored=tuple(ignored))
    above = (os.path.join(folder, FILE) for folder in outer[root:])
    path = next(filter(os.path.lexists, above), "")
    if path:
        ignored.append(_ignored(path, "it lies above the project"))
    return Found(ignored=tuple(ignored))


def _upwards(folder: str) -> list[str]:
    folders = [folder]
    while (above := os.path.dirname(folder)) != folder:
        folders.append(folder := above)
    return folders


def _split(folders: list[str], environments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those of *folders*, the innermost first, that lie in an environment, and those around it."""
    known = _identities(environments)
    last = max((n for n, folder in enumerate(folders) if _identity(folder) in known), default=-1)
    return folders[: last + 1], folders[last + 1 :]


def _root(folders: list[str]) -> int:
    """How many of *folders*, the innermost first, belong to a project; 0 where none is seen."""
    home = os.path.realpath(os.path.expanduser("~"))
    if home in folders:
        folders = folders[: folders.index(home) + 1]
    for mark in (".git", _PROJECT):
        for number, folder in enumerate(folders, 1):
            if os.path.lexists(os.path.join(folder, mark)):
                return number
    return 0


def _own(folder: str) -> str:
    """The configuration that lies in *folder*, whatever it is; empty where there is none."""
    path = os.path.join(folder, FILE)
    if os.path.lexists(path):
        return path
    path = os.path.join(folder, _PROJECT)
    return path if os.path.isfile(path) and _has_section(path) else ""


def _has_section(path: str) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    with open(handle, "rb") as stream:
        return b"[tool.condaprune" in stream.read(_SECTION_WITHIN)


def _is_within(path: str, environments: Sequence[str]) -> bool:
    """Whether a file really lies in an environment, by way of links."""
    real = os.path.realpath(path)
    return real != path and bool(_split(_upwards(os.path.dirname(real)), environments)[0])


def _identities(environments: Sequence[str]) -> set[Identity]:
    return {identity for name in environments if (identity := _identity(_prefix(name)))}


def _prefix(environment: str) -> str:
    """The path of an environment that was given by its path or name."""
    if os.sep in environment or os.path.lexists(environment):
        return environment
    from condaprune.errors import CondapruneError
    from condaprune.sources.find import find_source

    try:
        return find_source(environment).prefix
    except CondapruneError:
        return environment


def _identity(folder: str) -> Identity | None:
    try:
        info = os.stat(folder)
    except (OSError, ValueError):
        return None
    return info.st_dev, info.st_ino


def _in_environment(path: str) -> str:
    return _ignored(path, "it lies in the environment")


def _ignored(path: str, why: str) -> str:
    from condaprune.paths import printable

    return f"{printable(path)} is not read, since {why}; name it with --config to use it"
