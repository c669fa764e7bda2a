"""Finds and reads the configuration."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from condaprune.errors import ConfigError
from condaprune.files import read_named, unreadable
from condaprune.parse import parse_toml
from condaprune.paths import printable
from condaprune.request.format import ConfigTable
from condaprune.ruleset.validate import Invalid, line_of, read

_LIMIT = 1 << 20
_SECTION = ("tool", "condaprune")
# Other commands read these tables of the same file, each with its own format.
_ELSEWHERE = ("budget", "budgets", "check")


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration as read: where from, and the values; empty where there is no file.

    `unaccepted` is the digest of a file with commands that was found, not named, and that this
    user has not accepted; else empty.
    """

    origin: str = ""
    values: ConfigTable = field(default_factory=ConfigTable)
    unaccepted: str = ""

    def beside(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Paths of the file, which are relative to it, as seen from the working folder."""
        home = os.path.dirname(self.origin)
        return tuple(os.path.join(home, path) for path in paths)


def load_config(path: str, *, named: bool = True) -> Config:
    """The configuration in a file that the user *named*, or that was found.

    Errors: `ConfigError` with file, line and remedy.
    """
    tables = read_tables(path, "--config", named=named)
    own = {name: _plain(value) for name, value in tables.values.items() if name not in _ELSEWHERE}
    try:
        values = read(ConfigTable, own, tables.key)
    except Invalid as error:
        raise tables.error(error) from error
    if named or not values.verify:
        return Config(path, values)
    from condaprune.request.trust import digest_of, is_accepted

    digest = digest_of(path, tables.text.encode("utf-8"))
    return Config(path, values, "" if is_accepted(digest) else digest)


@dataclass(frozen=True, slots=True)
class Tables:
    """The part of a TOML file that is condaprune's, unchecked; `key` is where it stands."""

    path: str
    text: str
    key: tuple[str, ...]
    values: Mapping[str, object]

    def error(self, invalid: Invalid) -> ConfigError:
        """The error with file, line and remedy for something that a format does not allow."""
        where = f"{printable(self.path)}:{line_of(self.text, invalid.key)}"
        return ConfigError(invalid.what, where=where, remedy=invalid.remedy.rstrip("."))


def read_tables(path: str, option: str, *, named: bool = True) -> Tables:
    """The tables in a file that an option *named*, or that was found. Errors: `ConfigError`."""
    where = printable(path)
    try:
        text = _read(path, named=named).decode("utf-8")
        data = parse_toml(text)
    except OSError as error:
        raise ConfigError(unreadable(error), where=where, remedy=f"Check {option}") from error
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8", where=where, remedy="Save it as UTF-8") from error
    except ValueError as error:
        what = f"not valid TOML: {printable(str(error))}"
        raise ConfigError(what, where=where, remedy="Correct it") from error
    if os.path.basename(path) != "pyproject.toml":
        return Tables(path, text, (), data)
    table: object = data
    for name in _SECTION:
        table = table.get(name, {}) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        what = f"[{'.'.join(_SECTION)}] is not a table"
        raise ConfigError(what, where=where, remedy="Correct it")
    return Tables(path, text, _SECTION, table)


def _read(path: str, *, named: bool) -> bytes:
    if named:
        return read_named(path, _LIMIT)
    from condaprune.request.trust import read_found

    return read_found(path, _LIMIT)


def _plain(value: object, depth: int = 4) -> object:
    """TOML's own dates as text, so that 2027-01-31 may stand with or without quotes.

    What lies deeper than *depth* is left as it is: no format goes so deep.
    """
    if isinstance(value, datetime.date):
        return value.isoformat()
    if depth and isinstance(value, list):
        return [_plain(item, depth - 1) for item in value]
    if depth and isinstance(value, dict):
        return {name: _plain(item, depth - 1) for name, item in value.items()}
    return value
