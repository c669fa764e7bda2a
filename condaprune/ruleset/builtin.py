"""The rules that come with condaprune: where they lie, and how they are read.

What parses and checks rule files is imported only where the compiled rules are not fresh.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from condaprune.errors import RuleError
from condaprune.model import Rule
from condaprune.ruleset.compiled import compiled
from condaprune.ruleset.retired import Retired

RETIRED = "retired.toml"


class _Item(Protocol):
    """A file or folder in an archive that Python imports from."""

    @property
    def name(self) -> str: ...
    def is_dir(self) -> bool: ...
    def iterdir(self) -> Iterator[_Item]: ...
    def read_text(self, encoding: str) -> str: ...


def load_builtin() -> tuple[Rule, ...]:
    """All rules that come with condaprune, general ones before those of packages."""
    return _builtin().rules


@cache
def load_retired() -> Mapping[str, Retired]:
    """The ids that are never used again."""
    return _builtin().retired


@dataclass(frozen=True, slots=True)
class _Builtin:
    """All that the built-in files say."""

    rules: tuple[Rule, ...]
    retired: Mapping[str, Retired]


@cache
def _builtin() -> _Builtin:
    folder = _folder()
    if not folder:
        return _read_builtin()
    return compiled(folder, _Builtin, _read_builtin)


def _read_builtin() -> _Builtin:
    from condaprune.ruleset.format import RetiredFile
    from condaprune.ruleset.load import Document, combine_with, parse_text
    from condaprune.ruleset.retired import table

    general: list[Rule] = []
    packages: list[Rule] = []
    gone: Mapping[str, Retired] = {}
    for name, text in _sources():
        if name.startswith("rules/knowledge/"):  # the tables of the guards
            continue
        if name == f"rules/{RETIRED}":
            gone = table(Document(name, text).read(RetiredFile))
            continue
        group = packages if name.startswith("rules/packages/") else general
        group.extend(parse_text(text, name))
    return _Builtin(combine_with((general, packages), gone), dict(gone))


def _folder() -> str:
    """The folder of the built-in files: in an installed package, beside it in a checkout."""
    import condaprune

    package = os.path.dirname(condaprune.__file__)
    for folder in (os.path.join(package, "rules"), os.path.join(os.path.dirname(package), "rules")):
        if os.path.isdir(folder):
            return folder
    return ""


def _sources() -> Iterator[tuple[str, str]]:
    """Name and text of each built-in file: from a folder, or from the archive Python imports."""
    folder = _folder()
    if folder:
        yield from _on_disk(folder, "rules")
        return
    from importlib import resources

    archived: _Item = resources.files("condaprune").joinpath("rules")
    if not archived.is_dir():
        remedy = "Install condaprune again."
        raise RuleError("the built-in rules are missing", where=str(archived), remedy=remedy)
    yield from _in_archive(archived, "rules")


def _on_disk(folder: str, name: str) -> Iterator[tuple[str, str]]:
    for item in sorted(os.listdir(folder)):
        path = os.path.join(folder, item)
        if item.endswith(".toml"):
            with open(path, encoding="utf-8") as stream:
                yield f"{name}/{item}", stream.read()
        elif os.path.isdir(path):
            yield from _on_disk(path, f"{name}/{item}")


def _in_archive(folder: _Item, name: str) -> Iterator[tuple[str, str]]:
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.name.endswith(".toml"):
            yield f"{name}/{item.name}", item.read_text("utf-8")
        elif item.is_dir():
            yield from _in_archive(item, f"{name}/{item.name}")
