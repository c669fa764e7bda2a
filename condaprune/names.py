"""Names of packages: as they compare, and as conda specs, Python requirements and the history of an
environment give them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_SEPARATORS = re.compile(r"[-_.]+")
_NAME = re.compile(r"\s*([A-Za-z0-9_][A-Za-z0-9_.-]*)")
_ARCHIVE = re.compile(r"(.+)-[^-/]+-[^-/]+\.(?:conda|tar\.bz2)")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
# Python's literal of a string; one that does not end goes to the end of the line.
_STRING = re.compile(r"""'([^'\\]*(?:\\.[^'\\]*)*)(?:'|\\?$)|"([^"\\]*(?:\\.[^"\\]*)*)(?:"|\\?$)""")
_REQUESTS = re.compile(r"^#\s*(\w+)\s+specs:[ \t]*(.*)$", re.MULTILINE)
_ADDING = ("create", "install", "update", "neutered")
_REMOVING = ("remove", "uninstall")


@lru_cache(maxsize=4096)
def canonical_name(name: str) -> str:
    """A distribution's name in its one spelling (PEP 503).

    >>> canonical_name("Ruamel.Yaml")
    'ruamel-yaml'
    """
    return _SEPARATORS.sub("-", name).lower()


def spec_name(spec: str) -> str:
    """The conda package that a spec names, in lower case; empty where it names none.

    >>> [spec_name(spec) for spec in ("NumPy >=1", "numpy=1=0", "conda-forge::numpy[version='1']")]
    ['numpy', 'numpy', 'numpy']
    """
    text = _without_channel(spec)
    if "/" in text:  # the URL or the path of an archive
        archive = _ARCHIVE.match(text.partition("#")[0].rpartition("/")[2])
        return archive[1].lower() if archive else ""
    match = _NAME.match(text.rpartition(":")[2])
    return match[1].lower() if match else ""


def is_pin(spec: str, name: str, version: str, build: str) -> bool:
    """Whether a spec names one build only, as is noted of every package of a lock file."""
    text = _without_channel(spec).strip().replace("==", "=").replace(" ", "=")
    return text == f"{name}={version}={build}"


def _without_channel(spec: str) -> str:
    return spec.partition("[")[0].rpartition("::")[2]


def required_name(requirement: str) -> str:
    """The distribution that a ``Requires-Dist`` names, in its canonical spelling.

    Empty where only an extra asks for it. Other markers are not evaluated: the environment may be
    of another platform.

    >>> required_name("Ruamel.Yaml[jinja2] >=0.17; python_version < '3.13'")
    'ruamel-yaml'
    """
    match = _NAME.match(requirement)
    marker = _QUOTED.sub("", requirement.partition(";")[2])
    # An alternative without an extra makes it a requirement of the distribution itself.
    for_extra = all(re.search(r"\bextra\b", part) for part in re.split(r"\bor\b", marker))
    return "" if match is None or (marker and for_extra) else canonical_name(match[1])


def history_names(data: bytes) -> frozenset[str]:
    """The conda packages that a history asks for: those installed by name and not removed again.

    A neutered spec lost its version to a later request, but its package is asked for all the
    same. Specs that cannot be parsed are left out.
    """
    names: set[str] = set()
    for action, listed in _REQUESTS.findall(data.decode("utf-8", "replace")):
        if action in _ADDING:
            names.update(_listed_names(listed))
        elif action in _REMOVING:
            names.difference_update(_listed_names(listed))
    return frozenset(names - {""})


def _listed_names(listed: str) -> Iterator[str]:
    """The names of a list of specs: a literal, or separated by commas as conda 4.3 wrote it."""
    if not listed.startswith("["):
        return map(spec_name, listed.split(","))
    if not listed.rstrip().endswith("]"):
        return iter(())
    return (spec_name(single or double) for single, double in _STRING.findall(listed))
