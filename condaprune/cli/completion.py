"""Completion in a shell: rules, profiles, guards, the packages of ENV.

Each function is click's `shell_complete` of a parameter. The shell calls it at every press of a
key, so it reads no more than it must; where something fails there is no completion, and no error.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator

import click

from condaprune.errors import CondapruneError

_PLAIN = re.compile(r"\w[\w.+-]{0,199}", re.ASCII).fullmatch
Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def rule_ids(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Ids of the built-in rules."""
    from condaprune.ruleset import load_builtin

    return _starting(incomplete, (rule.id for rule in load_builtin()))


def rules_and_categories(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[str]:
    """The values of ``--select`` and ``--ignore``."""
    from condaprune.ruleset import load_builtin

    rules = load_builtin()
    return _starting(incomplete, (*(r.id for r in rules), *(r.category for r in rules)))


def profiles(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The built-in profiles and those of the configuration that applies here."""
    from condaprune.request.find import read_config
    from condaprune.ruleset import PROFILES

    own: Iterable[str] = ()
    with contextlib.suppress(CondapruneError, OSError):
        environment = context.params.get("env")
        config = read_config(environments=(environment,) if environment else ())
        own = config.values.profiles if config is not None else ()
    return _starting(incomplete, (*PROFILES, *own))


def guards(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The values of ``--no-guard``."""
    from condaprune.guards import GUARDS

    return _starting(incomplete, ("all", *GUARDS))


def packages(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The names of the packages in ENV, where that is a prefix: from file names alone."""
    # An option that waits for its value ends click's parsing before it gets to the arguments.
    words = [word for word in context.args if not word.startswith("-")]
    environment = context.params.get("env") or next(iter(words), None)
    names: list[str] = []
    if isinstance(environment, str):
        with contextlib.suppress(OSError):
            names = list(_package_names(environment))
    return _starting(incomplete, names)


def environments(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[str]:
    """The values of ``--name``."""
    from condaprune.sources.find import environment_names

    with contextlib.suppress(OSError):
        return _starting(incomplete, environment_names())
    return []


def _package_names(prefix: str) -> Iterator[str]:
    for name in os.listdir(os.path.join(prefix, "conda-meta")):
        if name.endswith(".json") and name.count("-") >= 2:
            yield name.rsplit("-", 2)[0]
    for folder in ("lib", "Lib"):
        home = os.path.join(prefix, folder)
        if not os.path.isdir(home):
            continue
        for python in ("", *(name for name in os.listdir(home) if name.startswith("python"))):
            site = os.path.join(home, python, "site-packages")
            if os.path.isdir(site) and not os.path.islink(os.path.join(home, python)):
                for name in os.listdir(site):
                    if name.endswith((".dist-info", ".egg-info")):
                        yield name.partition("-")[0].lower().replace("_", "-")


def _starting(incomplete: str, names: Iterable[str]) -> list[str]:
    """The names to offer. The shell puts one on the command line as it is, so that there is none
    that means anything to a shell."""
    return sorted({name for name in names if name.startswith(incomplete) and _PLAIN(name)})
