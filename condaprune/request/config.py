"""Finds and reads the configuration."""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from condaprune.errors import ConfigError
from condaprune.request.format import ConfigTable
from condaprune.ruleset.validate import Invalid, line_of, read

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

_SECTION = ("tool", "condaprune")
# Other commands read these tables of the same file, each with its own format.
_ELSEWHERE = ("budget", "budgets", "check")


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration as read: where from, and the values; empty where there is no file."""

    origin: str = ""
    values: ConfigTable = field(default_factory=ConfigTable)

    def beside(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Paths of the file, which are relative to it, as seen from the working folder."""
        home = os.path.dirname(self.origin)
        return tuple(os.path.join(home, path) for path in paths)


def load_config(path: str) -> Config:
    """The configuration in a file. Errors: `ConfigError` with file, line and remedy."""
    tables = read_tables(path, "--config")
    own = {name: _plain(value) for name, value in tables.values.items() if name not in _ELSEWHERE}
    try:
        return Config(path, read(ConfigTable, own, tables.key))
    except Invalid as error:
        raise tables.error(error) from error


@dataclass(frozen=True, slots=True)
class Tables:
    """The part of a TOML file that is condaprune's, unchecked; `key` is where it stands."""

    path: str
    text: str
    key: tuple[str, ...]
    values: Mapping[str, Any]

    def error(self, invalid: Invalid) -> ConfigError:
        """The error with file, line and remedy for something that a format does not allow."""
        where = f"{self.path}:{line_of(self.text, invalid.key)}"
        return ConfigError(invalid.what, where=where, remedy=invalid.remedy.rstrip("."))


def read_tables(path: str, option: str) -> Tables:
    """The tables in a file that an option named. Errors: `ConfigError`."""
    try:
        with open(path, encoding="utf-8") as handle:
            text = handle.read()
        data = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=path, remedy=f"Check {option}"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8", where=path, remedy="Save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not valid TOML: {error}", where=path, remedy="Correct it") from error
    if os.path.basename(path) != "pyproject.toml":
        return Tables(path, text, (), data)
    return Tables(path, text, _SECTION, data.get("tool", {}).get("condaprune", {}))


def _plain(value: Any) -> Any:
    """TOML's own dates as text, so that 2027-01-31 may stand with or without quotes."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return value
