"""Budgets: what an environment may weigh, as ``condaprune.toml`` says it; docs/check.md."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, NoReturn, TypeVar

from condaprune.errors import ConfigError, nearest
from condaprune.report.audit.categories import CATEGORIES
from condaprune.report.audit.model import Measure

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

T = TypeVar("T")
Scope = Literal["environment", "package", "category", "folder"]
SCOPES: tuple[Scope, ...] = ("environment", "package", "category", "folder")
UNITS: dict[str, int] = {
    "B": 1,
    **{name: 1000 ** (n + 1) for n, name in enumerate(("kB", "MB", "GB", "TB"))},
    **{name: 1024 ** (n + 1) for n, name in enumerate(("KiB", "MiB", "GiB", "TiB"))},
}
_BY_LOWER = {name.lower(): size for name, size in UNITS.items()}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([A-Za-z]*)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*%")
_MEASURES: dict[str, Measure] = {
    "apparent": "bytes",
    "disk": "disk",
    "compressed": "compressed",
    "strippable": "strippable",
}
_VALUES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "baseline": ("the path of a saved audit", lambda value: isinstance(value, str)),
    "exclude": (
        "a list of patterns",
        lambda value: isinstance(value, list) and all(isinstance(text, str) for text in value),
    ),
    "max_files": ("a whole number of files", lambda value: type(value) is int and value >= 0),
    "new_files": ("true or false", lambda value: isinstance(value, bool)),
    "absent": ("true or false", lambda value: isinstance(value, bool)),
    "message": ("a text", lambda value: isinstance(value, str)),
}
"""What the values of keys have to be; amounts are parsed."""
_KEYS = ("max", "growth", "max_files", "new_files", "absent", "measure", "message")


class AmountError(ValueError):
    """An amount that cannot be read; the text says why."""


def parse_size(value: object) -> int:
    """Bytes of ``450 MB``, ``450MiB``, ``450000000`` or a whole number. Errors: `AmountError`.

    >>> parse_size("1.5 kB"), parse_size("1 MiB"), parse_size(7)
    (1500, 1048576, 7)
    """
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            raise AmountError(f"{value} is less than nothing")
        return value
    match = _AMOUNT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise AmountError(f"{value!r} is not a size")
    unit = _BY_LOWER.get(match[2].lower() or "b")
    if unit is None:
        raise AmountError(f"{value!r} has the unknown unit {match[2]!r}")
    return int(Fraction(match[1]) * unit)


@dataclass(frozen=True, slots=True)
class Growth:
    """How much something may grow: parts of the base, sizes, or both.

    `both` is true for ``A and B``: it has grown too much only when it is over all of them; false
    for ``A or B``: over any. `text` is as written.
    """

    shares: tuple[Fraction, ...]
    sizes: tuple[int, ...]
    both: bool
    text: str

    def limit(self, base: int) -> int:
        """The largest size, in bytes, that is still within the budget."""
        limits = [base + int(base * share) for share in self.shares]
        limits += [base + size for size in self.sizes]
        return max(limits) if self.both else min(limits)


def parse_growth(value: object) -> Growth:
    """A budget of growth such as ``5%``, ``5 MB``, ``5% and 5 MB``. Errors: `AmountError`.

    >>> parse_growth("5% and 5MB").limit(200_000_000)
    210000000
    """
    if not isinstance(value, str):
        raise AmountError(f"{value!r} is not a growth")
    words = re.split(r"\s+(and|or)\s+", value.strip())
    terms, joints = [term.strip() for term in words[::2]], set(words[1::2])
    if len(joints) > 1:
        raise AmountError(f"{value!r} mixes `and` with `or`")
    percents = [_PERCENT.fullmatch(term) for term in terms]
    shares = tuple(Fraction(match[1]) / 100 for match in percents if match)
    sizes = tuple(parse_size(t) for t, match in zip(terms, percents, strict=True) if not match)
    return Growth(shares, sizes, "or" not in joints, value.strip())


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
    tables = data.get("budget")
    if not isinstance(tables, dict):
        remedy = 'Write for instance [budget.environment] with max = "450 MB"'
        raise ConfigError("has no [budget] table", where=path, remedy=remedy)
    top = _Table(path, "budget", tables)
    top.check()
    limits = tuple(_limits(top))
    if not limits:
        remedy = f"Add a table [budget.X] for X one of {', '.join(SCOPES)}"
        raise ConfigError("[budget] holds no limit", where=path, remedy=remedy)
    baseline = tables.get("baseline", "")
    if baseline:
        baseline = os.path.join(os.path.dirname(path), baseline)
    return Budget(path, limits, baseline, tuple(tables.get("exclude", ())))


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of the file, with its name for messages."""

    path: str
    name: str
    values: Mapping[str, Any]

    def error(self, key: str, what: str, remedy: str) -> NoReturn:
        where = f"{self.name}.{key}" if key else self.name
        raise ConfigError(f"{where} {what}", where=self.path, remedy=remedy.rstrip("."))

    def check(self) -> None:
        """Refuse values of another kind than their keys ask for."""
        for key, (kind, valid) in _VALUES.items():
            if key in self.values and not valid(self.values[key]):
                self.error(key, f"is not {kind}", f"Write {kind}")

    def amount(self, key: str, parse: Callable[[object], T]) -> T | None:
        """An amount, or None where the key is not there."""
        try:
            return parse(self.values[key]) if key in self.values else None
        except AmountError as error:
            units = f"units are {', '.join(UNITS)}"
            self.error(key, str(error), f'Write for instance "450 MB" or "5% and 5 MB"; {units}')

    def below(self, key: str) -> _Table:
        """The table of that name in this one."""
        values = self.values[key]
        if not isinstance(values, dict):
            self.error(key, "is not a table", f'Write [{self.name}."{key}"]')
        return _Table(self.path, f"{self.name}.{key}", values)


def _limits(top: _Table) -> Iterator[Limit]:
    options = ("baseline", "exclude")
    for key in top.values:
        if key in options:
            continue
        scope = next((scope for scope in SCOPES if scope == key), None)
        if scope is None:
            top.error(key, "is unknown", nearest(key, (*SCOPES, *options)))
        table = top.below(key)
        if scope == "environment":
            yield _limit(table, scope, "")
        else:
            yield from (_limit(table.below(name), scope, name) for name in table.values)


def _limit(table: _Table, scope: Scope, name: str) -> Limit:
    if scope == "category" and name not in CATEGORIES:
        table.error("", "is not a category", nearest(name, tuple(CATEGORIES)))
    for key in table.values:
        if key not in _KEYS:
            table.error(key, "is unknown", nearest(key, _KEYS))
    table.check()
    measure = str(table.values.get("measure", "apparent"))
    if measure not in _MEASURES:
        table.error("measure", f"{measure!r} is not a measure", nearest(measure, tuple(_MEASURES)))
    limit = Limit(
        scope,
        name.strip("/") if scope == "folder" else name,
        table.amount("max", parse_size),
        table.amount("growth", parse_growth),
        table.values.get("max_files"),
        table.values.get("new_files", True),
        table.values.get("absent", False),
        _MEASURES[measure],
        table.values.get("message", ""),
    )
    if not limit.new_files and scope not in ("environment", "category"):
        remedy = "New files can be refused in the environment and in a category"
        table.error("new_files", "is not for this table", remedy)
    limited = limit.max is not None or limit.max_files is not None
    if not (limited or limit.absent or limit.needs_baseline):
        remedy = "Give one of max, growth, max_files, new_files, absent"
        table.error("", "limits nothing", remedy)
    return limit
