"""The tables that guards go by are well formed: each row says why, and where to read about it."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from condaprune.evidence.knowledge import (
    Compiler,
    IgnoredImport,
    ImportedFromC,
    Landmark,
    Opened,
    PlacedData,
    Row,
    UnpackFile,
    table,
)
from condaprune.ruleset.builtin import load_tables

TABLES: tuple[type[Row], ...] = (
    Compiler,
    PlacedData,
    Opened,
    IgnoredImport,
    Landmark,
    UnpackFile,
    ImportedFromC,
)
FOLDER = Path(__file__).parents[2] / "rules" / "knowledge"
GROUPS = {"python-headers", "headers", "declarations", "static", "compilers"}


@pytest.mark.parametrize("kind", TABLES, ids=lambda kind: kind.__name__)
def test_the_rows_of_a_table(kind: type[Row]) -> None:
    name, key = kind.place
    fields = {field.name: field for field in dataclasses.fields(kind)}
    needed = {n for n, field in fields.items() if field.default is dataclasses.MISSING}
    types = {"str": str, "bool": bool, "Sequence[str]": list}
    rows = load_tables(name)[key]
    assert rows
    for number, row in enumerate(rows, 1):
        place = f"rules/knowledge/{name}.toml: [[{key}]] number {number}"
        assert row.keys() <= fields.keys(), f"{place} has a field that no {key} has"
        assert row.keys() >= needed, f"{place} lacks {sorted(needed - row.keys())}"
        for field, value in row.items():
            wanted = types[str(fields[field].type)]
            assert isinstance(value, wanted), f"{place}: {field} is not a {wanted.__name__}"
            assert value, f"{place}: {field} is empty"
        assert row["reference"].startswith("https://"), f"{place}: the reference is not a link"
        assert not row["reason"].endswith("."), f"{place}: the reason ends with a full stop"


def test_every_file_and_table_is_used() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {kind.place[0] for kind in TABLES}
    for path in FOLDER.iterdir():
        keys = {kind.place[1] for kind in TABLES if kind.place[0] == path.stem}
        assert load_tables(path.stem).keys() == keys


def test_no_row_is_there_twice() -> None:
    packages = [row.package for row in table(Compiler)]
    assert len(packages) == len(set(packages))
    data = [row.data for row in table(PlacedData)]
    assert len(data) == len(set(data))


def test_patterns_are_regular_expressions_and_groups_of_files_exist() -> None:
    for data in table(PlacedData):
        groups = re.compile(data.data).groupindex.keys()
        assert ("at" in groups) == ("at" in re.compile(data.user).groupindex)
        assert groups <= {"at"}
    for opened in table(Opened):
        assert not opened.folder or not re.compile(opened.folder).match("")
    for compiler in table(Compiler):
        assert set(compiler.needs) <= GROUPS
