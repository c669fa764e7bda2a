"""The rules that come with condaprune: where they lie, and how they are read.

An install, an editable one too, has them compiled: as JSON made from the TOML files, since reading
and checking those takes much longer than matching does. Compiled rules that were made from other
files are ignored: then the TOML files are read.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from condaprune.errors import RuleError
from condaprune.parse import parse_json, parse_toml
from condaprune.rule import Parameter, Rule, When
from condaprune.ruleset.patterns import remember, translate, with_values
from condaprune.version import __version__

if TYPE_CHECKING:
    from importlib.abc import ResourceLoader

    from condaprune.ruleset.format import Retired

COMPILED = "compiled.json"
RETIRED = "rules/retired.toml"


KNOWLEDGE = "rules/knowledge/"
Tables = Mapping[str, "list[dict[str, Any]]"]
"""The tables of a file, by name: a mapping for each row."""


class _Builtin(NamedTuple):
    """All that the built-in files say: rules, retired ids, and by file the tables of guards."""

    rules: tuple[Rule, ...]
    retired: Mapping[str, Retired]
    tables: Mapping[str, Tables]


def load_builtin() -> tuple[Rule, ...]:
    """All rules that come with condaprune, general ones before those of packages."""
    return _builtin().rules


def load_retired() -> Mapping[str, Retired]:
    """The ids that are never used again."""
    return _builtin().retired


def load_tables(name: str) -> Tables:
    """The tables of a file of knowledge that guards go by."""
    return _builtin().tables[name]


def combine(*groups: Sequence[Rule]) -> tuple[Rule, ...]:
    """Several groups of rules as one, in order.

    Errors: `RuleError` for an id that is used twice or was retired.
    """
    from condaprune.ruleset.load import unique

    retired = {name: gone.since for name, gone in load_retired().items()}
    return unique((rule for group in groups for rule in group), retired)


def compile_builtin(folder: str) -> bytes:
    """The rules in *folder* compiled, for a file called `COMPILED` beside this module."""
    sources = tuple(_sources(folder))
    rules, retired, tables = _parse(sources)
    texts = {text for rule in with_values(rules) for text in rule.remove + rule.keep}
    compiled = {
        "version": __version__,
        "digest": _digest(sources),
        "size": sum(len(content) for _, content in sources),
        "rules": [asdict(rule) for rule in rules],
        "retired": [asdict(gone) for gone in retired.values()],
        "tables": tables,
        "patterns": {text: translate(text) for text in sorted(texts)},
    }
    return json.dumps(compiled, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


@cache
def _builtin() -> _Builtin:
    package = os.path.dirname(os.path.dirname(__file__))
    installed = os.path.join(package, "rules")
    checkout = os.path.join(os.path.dirname(package), "rules")
    folder = next(filter(os.path.isdir, (installed, checkout)), "")
    compiled = _compiled()
    if not folder:
        if compiled is None:
            remedy = "Install condaprune again."
            raise RuleError("the built-in rules are missing", where=installed, remedy=remedy)
        return _unpack(compiled)
    if compiled is not None and _untouched(folder, compiled):
        return _unpack(compiled)
    sources = tuple(_sources(folder))
    if compiled is not None and compiled["digest"] == _digest(sources):
        return _unpack(compiled)
    return _parse(sources)


def _untouched(folder: str, data: dict[str, Any]) -> bool:
    """Whether the files in *folder* are as many bytes as compiled, and no newer than that.

    That spares most runs reading them. Where an installer wrote them later, they are read.
    """
    if data.get("version") != __version__:
        return False
    size: int = data["size"]
    compiled = os.stat(os.path.join(os.path.dirname(__file__), COMPILED)).st_mtime_ns
    for _, path in _files(folder):
        info = os.stat(path)
        size -= info.st_size
        if info.st_mtime_ns > compiled:
            return False
    return size == 0


def _compiled() -> dict[str, Any] | None:
    """The compiled rules beside this module, in a folder or an archive that Python imports from."""
    loader = cast("ResourceLoader", __spec__.loader)
    try:
        content = loader.get_data(os.path.join(os.path.dirname(__file__), COMPILED))
    except OSError:
        return None
    try:
        data = parse_json(content)
    except ValueError:
        return None  # damaged: the TOML files are read
    return data if isinstance(data, dict) else None


def _files(folder: str) -> Iterator[tuple[str, str]]:
    """Name and path of each file of built-in rules."""
    for name in ("rules", "rules/packages", "rules/knowledge"):
        place = os.path.join(folder, *name.split("/")[1:])
        for item in sorted(os.listdir(place)):
            if item.endswith(".toml"):
                yield f"{name}/{item}", os.path.join(place, item)


def _sources(folder: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file of built-in rules."""
    for name, path in _files(folder):
        with open(path, "rb") as stream:
            yield name, stream.read()


def _digest(sources: Sequence[tuple[str, bytes]]) -> int:
    """A checksum of all that compiled rules are made from, which notices an edited file."""
    found = zlib.crc32(__version__.encode())
    for name, content in sources:
        found = zlib.crc32(content, zlib.crc32(name.encode(), found))
    return found


def _parse(sources: Sequence[tuple[str, bytes]]) -> _Builtin:
    from condaprune.ruleset.format import RetiredFile
    from condaprune.ruleset.load import parse_rules, read_document, unique

    rules: list[Rule] = []
    retired: dict[str, Retired] = {}
    tables: dict[str, Tables] = {}
    for name, content in sources:
        text = content.decode("utf-8")
        if name == RETIRED:
            rows = read_document(RetiredFile, text, name, lambda file: file.retired)
            retired = {row.id: row for row in rows}
        elif name.startswith(KNOWLEDGE):
            tables[name.removeprefix(KNOWLEDGE).removesuffix(".toml")] = cast(
                "Tables", parse_toml(text)
            )
        else:
            rules.extend(parse_rules(text, name))
    return _Builtin(unique(rules, {r.id: r.since for r in retired.values()}), retired, tables)


def _unpack(data: dict[str, Any]) -> _Builtin:
    remember(data["patterns"])
    retired = {row["id"]: _retired(row) for row in data["retired"]}
    return _Builtin(tuple(map(_rule, data["rules"])), retired, data["tables"])


def _retired(fields: dict[str, str]) -> Retired:
    from condaprune.ruleset.format import Retired

    return Retired(**fields)


def _rule(fields: dict[str, Any]) -> Rule:
    values = _tuples(fields)
    if values["when"] is not None:
        values["when"] = When(**_tuples(values["when"]))
    values["parameters"] = tuple(Parameter(**_tuples(p)) for p in values["parameters"])
    return Rule(**values)


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    """JSON's lists as the tuples they were made from."""
    return {name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()}
