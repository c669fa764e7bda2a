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
    try:
        with open(path, encoding="utf-8") as handle:
            text = handle.read()
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=path, remedy="Check --config"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8", where=path, remedy="Save it as UTF-8") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not valid TOML: {error}", where=path, remedy="Correct it") from error
    project = os.path.basename(path) == "pyproject.toml"
    if project:
        data = data.get("tool", {}).get("condaprune", {})
    key = _SECTION if project else ()
    own = {name: _plain(value) for name, value in data.items() if name not in _ELSEWHERE}
    try:
        return Config(path, read(ConfigTable, own, key))
    except Invalid as error:
        where = f"{path}:{line_of(text, error.key)}"
        raise ConfigError(error.what, where=where, remedy=error.remedy.rstrip(".")) from error


def _plain(value: Any) -> Any:
    """TOML's own dates as text, so that 2027-01-31 may stand with or without quotes."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return value
