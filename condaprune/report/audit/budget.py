"""Budgets: what an environment may weigh, as ``condaprune.toml`` says it; docs/check.md."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, TypeVar

from condaprune.errors import ConfigError, nearest
from condaprune.report.audit.categories import CATEGORIES
from condaprune.report.audit.model import Measure
from condaprune.request.config import read_tables
from condaprune.ruleset.validate import Invalid, Key, read

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
    words = re.split(" (and|or) ", " ".join(value.split()))
    terms, joints = words[::2], set(words[1::2])
    if len(joints) > 1:
        raise AmountError(f"{value!r} mixes `and` with `or`")
    percents = [_PERCENT.fullmatch(term) for term in terms]
    shares = tuple(Fraction(match[1]) / 100 for match in percents if match)
    sizes = tuple(parse_size(t) for t, match in zip(terms, percents, strict=True) if not match)
    return Growth(shares, sizes, "or" not in joints, value.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitTable:
    """What holds somewhere, as the file has it.

    `new_files` is false where no new file may appear, `absent` true where nothing may be there at
    all. `message` is shown when the limit is not kept.
    """

    max: int | str | None = None
    growth: str | None = None
    max_files: int | None = None
    new_files: bool = True
    absent: bool = False
    measure: Literal["apparent", "disk", "compressed", "strippable"] = "apparent"
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetTable:
    """The table ``[budget]``."""

    baseline: str = ""
    exclude: tuple[str, ...] = ()
    environment: LimitTable | None = None
    package: Mapping[str, LimitTable] = field(default_factory=dict)
    category: Mapping[str, LimitTable] = field(default_factory=dict)
    folder: Mapping[str, LimitTable] = field(default_factory=dict)


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


def load_budget(path: str, *, named: bool = True) -> Budget:
    """The budgets of a configuration file that the user *named*, or that was found.

    Errors: `ConfigError` with file, line and remedy.
    """
    tables = read_tables(path, "--budget", named=named)
    data = tables.values.get("budget")
    if not isinstance(data, dict):
        remedy = 'Write for instance [budget.environment] with max = "450 MB"'
        raise ConfigError("has no [budget] table", where=path, remedy=remedy)
    key = (*tables.key, "budget")
    try:
        table = read(BudgetTable, data, key)
        limits = tuple(_limits(table, list(data), key))
    except Invalid as error:
        raise tables.error(error) from error
    if not limits:
        remedy = f"Add a table [budget.X] for X one of {', '.join(SCOPES)}"
        raise ConfigError("[budget] holds no limit", where=path, remedy=remedy)
    baseline = os.path.join(os.path.dirname(path), table.baseline) if table.baseline else ""
    return Budget(path, limits, baseline, table.exclude)


def _limits(table: BudgetTable, order: list[str], key: Key) -> Iterator[Limit]:
    """The limits in the *order* of the file's scopes."""
    environment = {"": table.environment} if table.environment is not None else {}
    tables: dict[Scope, Mapping[str, LimitTable]] = {
        "environment": environment,
        "package": table.package,
        "category": table.category,
        "folder": table.folder,
    }
    for scope in [scope for name in order for scope in SCOPES if scope == name]:
        for name, limit in tables[scope].items():
            yield _limit(limit, scope, name, (*key, scope, *([name] if name else [])))


def _limit(table: LimitTable, scope: Scope, name: str, key: Key) -> Limit:
    if scope == "category" and name not in CATEGORIES:
        raise Invalid(key, f"{name!r} is not a category", nearest(name, tuple(CATEGORIES)))
    limit = Limit(
        scope,
        name.strip("/") if scope == "folder" else name,
        _amount(table.max, parse_size, (*key, "max")),
        _amount(table.growth, parse_growth, (*key, "growth")),
        table.max_files,
        table.new_files,
        table.absent,
        "bytes" if table.measure == "apparent" else table.measure,
        table.message,
    )
    if not limit.new_files and scope not in ("environment", "category"):
        remedy = "New files can be refused in the environment and in a category"
        raise Invalid((*key, "new_files"), "'new_files' is not for this table", remedy)
    limited = limit.max is not None or limit.max_files is not None
    if not (limited or limit.absent or limit.needs_baseline):
        remedy = "Give one of max, growth, max_files, new_files, absent"
        raise Invalid(key, f"{key[-1]!r} limits nothing", remedy)
    return limit


def _amount(value: int | str | None, parse: Callable[[object], T], key: Key) -> T | None:
    try:
        return None if value is None else parse(value)
    except ValueError as error:
        remedy = f'Write for instance "450 MB" or "5% and 5 MB"; units are {", ".join(UNITS)}'
        raise Invalid(key, str(error), remedy) from error
