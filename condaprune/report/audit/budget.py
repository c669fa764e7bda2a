"""Budgets: what an environment may weigh, as ``condaprune.toml`` says it; docs/check.md."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from condaprune.errors import ConfigError, nearest
from condaprune.report.audit.amounts import UNITS, AmountError, Growth, parse_growth, parse_size
from condaprune.report.audit.categories import CATEGORIES
from condaprune.report.audit.model import Measure

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

Scope = Literal["environment", "package", "category", "folder"]
SCOPES: tuple[Scope, ...] = ("environment", "package", "category", "folder")
_MEASURES: dict[str, Measure] = {
    "apparent": "bytes",
    "disk": "disk",
    "compressed": "compressed",
    "strippable": "strippable",
}
_KEYS = ("max", "growth", "max_files", "new_files", "absent", "measure", "message")


@dataclass(frozen=True, slots=True)
class Limit:
    """One table of budgets: for what, and what holds there.

    `max` is in bytes of `measure`, `new_files` is false where no new file may appear, `absent`
    true where nothing may be there at all. `message` is shown when the limit is not kept.
    """

    scope: Scope
    name: str
    max: int | None = None
    growth: Growth | None = None
    max_files: int | None = None
    new_files: bool = True
    absent: bool = False
    measure: Measure = "bytes"
    message: str = ""

    @property
    def label(self) -> str:
        """How messages name what the limit is for."""
        return self.scope if self.scope == "environment" else f"{self.scope} {self.name}"

    @property
    def needs_baseline(self) -> bool:
        """Whether the limit compares with a baseline."""
        return self.growth is not None or not self.new_files


@dataclass(frozen=True, slots=True)
class Budget:
    """All limits of a file; `baseline` is a path as seen from the working folder, or empty."""

    origin: str
    limits: tuple[Limit, ...]
    baseline: str = ""
    exclude: tuple[str, ...] = ()

    @property
    def depth(self) -> int:
        """How many levels of folders the limits look at."""
        return max([1, *(x.name.count("/") + 1 for x in self.limits if x.scope == "folder")])


def load_budget(path: str) -> Budget:
    """The budgets of a configuration file. Errors: `ConfigError` with the file and the key."""
    try:
        with open(path, "rb") as handle:
            data: Mapping[str, Any] = tomllib.load(handle)
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=path, remedy="Check --budget"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not valid TOML: {error}", where=path, remedy="Correct it") from error
    if os.path.basename(path) == "pyproject.toml":
        data = data.get("tool", {}).get("condaprune", {})
    table = data.get("budget")
    if not isinstance(table, dict):
        raise ConfigError(
            "has no [budget] table",
            where=path,
            remedy='Write for instance [budget.environment] with max = "450 MB"',
        )
    baseline, exclude = table.get("baseline", ""), table.get("exclude", [])
    if not isinstance(baseline, str):
        raise _error(path, "budget.baseline", "is no path", "Name a saved audit")
    if not isinstance(exclude, list) or not all(isinstance(text, str) for text in exclude):
        raise _error(path, "budget.exclude", "is no list of patterns", 'Write ["PATTERN"]')
    limits = tuple(_limits(path, table))
    if not limits:
        raise ConfigError(
            "[budget] holds no limit",
            where=path,
            remedy=f"Add a table [budget.X] for X one of {', '.join(SCOPES)}",
        )
    if baseline:
        baseline = os.path.join(os.path.dirname(path), baseline)
    return Budget(path, limits, baseline, tuple(exclude))


def _limits(path: str, table: Mapping[str, Any]) -> Iterator[Limit]:
    for scope, held in table.items():
        if scope in ("baseline", "exclude"):
            continue
        if scope not in SCOPES:
            raise _error(
                path,
                f"budget.{scope}",
                "is unknown",
                nearest(scope, (*SCOPES, "baseline", "exclude")),
            )
        if not isinstance(held, dict):
            raise _error(path, f"budget.{scope}", "is no table", f"Write [budget.{scope}]")
        if scope == "environment":
            yield _limit(path, "environment", "", held)
            continue
        for name, keys in held.items():
            if not isinstance(keys, dict):
                example = f'[budget.{scope}."NAME"]'
                raise _error(path, f"budget.{scope}.{name}", "is no table", f"Write {example}")
            yield _limit(path, next(s for s in SCOPES if s == scope), name, keys)


def _limit(path: str, scope: Scope, name: str, keys: Mapping[str, Any]) -> Limit:
    where = f"budget.{scope}.{name}" if name else f"budget.{scope}"
    if scope == "category" and name not in CATEGORIES:
        raise _error(path, where, "is no category", nearest(name, tuple(CATEGORIES)))
    for key in keys:
        if key not in _KEYS:
            raise _error(path, f"{where}.{key}", "is unknown", nearest(key, _KEYS))
    measure = keys.get("measure", "apparent")
    if measure not in _MEASURES:
        known = nearest(str(measure), tuple(_MEASURES))
        raise _error(path, f"{where}.measure", f"{measure!r} is no measure", known)
    for key, kind in (("new_files", bool), ("absent", bool), ("message", str)):
        if key in keys and not isinstance(keys[key], kind):
            what = "true or false" if kind is bool else "a text"
            raise _error(path, f"{where}.{key}", f"is not {what}", f"Write {what}")
    files = keys.get("max_files")
    if files is not None and (not isinstance(files, int) or isinstance(files, bool) or files < 0):
        raise _error(path, f"{where}.max_files", "is no number of files", "Write a whole number")
    if not keys.get("new_files", True) and scope not in ("environment", "category"):
        raise _error(
            path,
            f"{where}.new_files",
            "is not for this table",
            "New files can be refused in the environment and in a category",
        )
    try:
        found = Limit(
            scope,
            name.strip("/") if scope == "folder" else name,
            parse_size(keys["max"]) if "max" in keys else None,
            parse_growth(keys["growth"]) if "growth" in keys else None,
            files,
            bool(keys.get("new_files", True)),
            bool(keys.get("absent", False)),
            _MEASURES[measure],
            str(keys.get("message", "")),
        )
    except AmountError as error:
        units = ", ".join(UNITS)
        remedy = f'Write for instance "450 MB" or "5% and 5 MB"; units are {units}'
        key = "growth" if "max" not in keys or _reads(keys["max"]) else "max"
        raise _error(path, f"{where}.{key}", str(error), remedy) from error
    if not (found.absent or found.needs_baseline or found.max_files is not None) and (
        found.max is None
    ):
        known = "max, growth, max_files, new_files, absent"
        raise _error(path, where, "limits nothing", f"Give one of {known}")
    return found


def _reads(value: object) -> bool:
    try:
        parse_size(value)
    except AmountError:
        return False
    return True


def _error(path: str, key: str, what: str, remedy: str) -> ConfigError:
    return ConfigError(f"{key} {what}", where=path, remedy=remedy.rstrip("."))
