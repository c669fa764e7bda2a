"""Finds and reads the configuration."""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from condaprune.errors import ConfigError, nearest
from condaprune.model import Rule
from condaprune.request.format import ConfigTable, ProfileTable
from condaprune.ruleset.locate import line_of
from condaprune.ruleset.validate import Invalid, read

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

    def profile(self, name: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """The built-in profile behind *name*, with what its own tables select and ignore.

        Errors: `ConfigError` for profiles that extend one another in a circle.
        """
        select: tuple[str, ...] = ()
        ignore: tuple[str, ...] = ()
        seen: list[str] = []
        while name in self.values.profiles:
            if name in seen:
                raise ConfigError(
                    f"the profiles {' -> '.join([*seen, name])} extend one another",
                    where=self.origin,
                    remedy="Let one of them extend safe, runtime or minimal",
                )
            seen.append(name)
            table: ProfileTable = self.values.profiles[name]
            select, ignore = table.select + select, table.ignore + ignore
            name = table.extends
        # What a nearer profile selects, one it extends cannot ignore away, and the reverse.
        return name, select, ignore


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


def apply_suppressions(
    rules: Sequence[Rule], config: Config, known: Iterable[str], today: datetime.date
) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """The rules without what is suppressed, and a note for each suppression that has expired.

    *known* are the ids of all rules there are. Errors: `ConfigError` for a rule that does not
    exist or a date that is none.
    """
    notes: list[str] = []
    ids = set(known)
    found = list(rules)
    for table in config.values.suppress:
        if table.rule not in ids:
            raise ConfigError(
                f"suppresses an unknown rule {table.rule!r}",
                where=config.origin,
                remedy=nearest(table.rule, sorted(ids)).rstrip("?") + "?",
            )
        try:
            expires = datetime.date.fromisoformat(table.expires)
        except ValueError as error:
            raise ConfigError(
                f"{table.expires!r} is no date", where=config.origin, remedy="Write 2027-01-31"
            ) from error
        if expires < today:
            notes.append(
                f"the suppression of {table.rule} expired on {table.expires}, "
                f"the rule applies again ({table.reason})"
            )
            continue
        spared = tuple(f"!{pattern}" for pattern in table.paths)
        found = [
            replace(rule, remove=rule.remove + spared) if rule.id == table.rule else rule
            for rule in found
            if rule.id != table.rule or spared
        ]
    return tuple(found), tuple(notes)


def _plain(value: Any) -> Any:
    """TOML's own dates as text, so that 2027-01-31 may stand with or without quotes."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return value
