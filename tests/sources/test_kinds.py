"""The kind of a file, by its path and mode alone."""

from __future__ import annotations

import pytest

from condaprune.sources import kinds
from condaprune.sources.kinds import FileKind, Kinds

SITE = "lib/python3.11/site-packages"
NOTES = FileKind("notes", "text", ("/notes.txt", ".note"))


@pytest.mark.parametrize(
    ("path", "mode", "kind"),
    [
        pytest.param(f"{SITE}/a.py", 0o644, kinds.PYTHON, id="a module"),
        pytest.param(f"{SITE}/a.pyw", 0o755, kinds.PYTHON, id="a module that may be executed"),
        pytest.param(f"{SITE}/a.pyi", 0o644, kinds.STUB, id="a stub"),
        pytest.param(f"{SITE}/a.pyc", 0o644, kinds.BYTECODE, id="lone bytecode"),
        pytest.param(f"{SITE}/__pycache__/a.pyc", 0o644, None, id="bytecode beside its source"),
        pytest.param(f"{SITE}/a.pth", 0o644, kinds.IMPORT_PATHS, id="import paths"),
        pytest.param(f"{SITE}/a-1-info/entry_points.txt", 0o644, kinds.ENTRY_POINTS, id="names"),
        pytest.param(f"{SITE}/a/entry_points.txt", 0o644, None, id="not beside other metadata"),
        pytest.param("etc/conda/activate.d/a.sh", 0o755, kinds.ACTIVATION, id="activation"),
        pytest.param("env/etc/conda/deactivate.d/a.fish", 0o644, kinds.ACTIVATION, id="in a root"),
        pytest.param("lib/liba.so", 0o755, kinds.LIBRARY, id="a library"),
        pytest.param("lib/liba.so.1.2", 0o644, kinds.LIBRARY, id="a library with a version"),
        pytest.param("lib/liba.dylib", 0o644, kinds.LIBRARY, id="a library of macOS"),
        pytest.param("Library/bin/a.dll", 0o644, None, id="a library of Windows is not read"),
        pytest.param("bin/a", 0o755, kinds.PROGRAM, id="a program"),
        pytest.param("bin/a", 0o644, None, id="not to be executed"),
        pytest.param("share/a.json", 0o644, None, id="data"),
    ],
)  # fmt: skip
def test_kind(path: str, mode: int, kind: FileKind | None) -> None:
    assert Kinds().of(path, mode) is kind


def test_a_kind_of_somebody_else_takes_what_the_others_leave() -> None:
    asked = Kinds([NOTES, FileKind("greedy", "text", (".py", ".txt"))])
    assert asked.of("share/notes.txt", 0o644) is NOTES
    assert asked.of("share/a.note", 0o755) is NOTES
    assert asked.of("share/other.txt", 0o644) is not NOTES
    assert asked.of("a.py", 0o644) is kinds.PYTHON
