"""Files that are too large or too odd to be read keep all that they may need."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from condaprune.errors import SourceError
from condaprune.evidence.references import TooOdd, import_statements
from condaprune.guards import examine
from condaprune.sources.kinds import LARGEST
from condaprune.sources.prefix import PrefixSource
from tests.trees import PYTHON, SITE, make_tree

GONE = {f"{SITE}/a/gone.py": b"", f"{SITE}/a/data.txt": b"", f"{SITE}/a/__init__.py": b""}


def vetoes(root: Path) -> dict[str, str]:
    source = PrefixSource(str(root))
    candidates = {path: "--drop x" for path in GONE if not path.endswith("__init__.py")}
    return {
        v.path: v.because for v in examine(source.inventory(), source, candidates).vetoes.values()
    }


def sparse(root: Path, path: str, start: bytes, end: bytes = b"") -> None:
    make_tree(root, {path: start})
    os.truncate(root / path, LARGEST + 1)
    if end:
        with open(root / path, "ab") as file:
            file.write(end)


@pytest.mark.parametrize(
    "path", [f"{SITE}/b/big.py", f"{SITE}/b/big.pyi", f"{SITE}/b/big.pyc", "share/big.py"]
)
def test_a_source_that_is_too_large_keeps_everything(tmp_path: Path, path: str) -> None:
    root = make_tree(tmp_path, {**PYTHON, **GONE})
    assert not vetoes(root)
    sparse(root, path, b"import os\n")
    found = vetoes(root)
    if path.endswith(".pyi"):
        return  # a stub is read, and not run
    assert found.keys() == {f"{SITE}/a/gone.py", f"{SITE}/a/data.txt"}
    assert all("is too large to be read" in because for because in found.values())


def test_a_script_that_is_too_large_keeps_everything(tmp_path: Path) -> None:
    root = make_tree(tmp_path, {**PYTHON, **GONE})
    sparse(root, "bin/big", b"#!/usr/bin/env python\n" + b"#" * 9000)
    os.chmod(root / "bin/big", 0o755)
    assert len(vetoes(root)) == 2


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param(b"#!/usr/bin/env python\n", b"PK\5\6" + bytes(18), id="a zipped application"),
        pytest.param(b"#!/bin/sh\n", b"", id="an installer in one file"),
        pytest.param(b"GIF", b"", id="anything else"),
    ],
)
def test_a_large_program_that_is_no_source_keeps_nothing(
    tmp_path: Path, start: bytes, end: bytes
) -> None:
    root = make_tree(tmp_path, {**PYTHON, **GONE})
    sparse(root, "bin/big", start + b"#" * 9000, end)
    os.chmod(root / "bin/big", 0o755)
    assert not vetoes(root)


def test_a_text_that_is_too_large_is_refused(tmp_path: Path) -> None:
    root = make_tree(tmp_path, {**PYTHON, **GONE})
    sparse(root, f"{SITE}/x.pth", b"import a\n")
    with pytest.raises(SourceError, match=r"x\.pth: is larger than"):
        vetoes(root)


def test_lists_that_never_end_are_noticed(tmp_path: Path) -> None:
    data = b"from a import (\n" * 3000
    with pytest.raises(TooOdd):
        list(import_statements(data))
    root = make_tree(tmp_path, {**PYTHON, **GONE, f"{SITE}/b/odd.py": data + b"gone"})
    assert f"{SITE}/a/gone.py" in vetoes(root)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"from a import (b,  # import order\n  c)\n", id="a comment with the word"),
        pytest.param(b"from a import (import_module, b, c)\n", id="a name with the word"),
        pytest.param(b"x = 1; from  a  import b, \\\n  c\n", id="joined lines"),
        pytest.param(b"from a import b, c  # from a import (\n" * 50, id="a comment that opens"),
    ],
)
def test_ordinary_lists_are_read_whole(data: bytes) -> None:
    names = {reference.name for reference in import_statements(data)}
    assert {"a", "a.b", "a.c"} <= names


def test_statements_near_a_place_are_found_through_parentheses() -> None:
    data = b"x = (1, 2)\nfrom a import (\n    b,  # and (\n    gone,\n)\ny = gone\n"
    found = import_statements(data, [data.index(b"gone")])
    assert "a.gone" in {reference.name for reference in found}
    assert not list(import_statements(data, [data.rindex(b"gone")]))
