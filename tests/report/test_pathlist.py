"""Path lists: read, refused, and audited fast."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from condaprune.app.audit import audit
from condaprune.errors import CondapruneError, SourceError, UsageProblem
from condaprune.report.audit.make import Wanted
from condaprune.sources.pathlist import PathListSource

LINES = """path\tkind\tsize\towner
bin/tool\tl\t8\tconda:tool==1.2
lib/python3.11/os.py\tf\t100\tconda:python==3.11.4
lib/python3.11/site-packages/spam/tests/test_a.py\tf\t50\tpypi:spam-2.0
lib/python3.11/site-packages/a\\tb\\xff\tf\t7\t-
"""


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_path_list_is_an_environment(tmp_path: Path, packed: bool) -> None:
    file = tmp_path / "list"
    file.write_bytes(gzip.compress(LINES.encode()) if packed else LINES.encode())
    made = audit(str(file))
    assert (made.source, made.platform, made.python) == ("path list", "linux", "3.11.4")
    assert {row.name: row.bytes for row in made.view("package")} == {
        "conda:python": 100,
        "pypi:spam": 50,
        "conda:tool": 8,
        "(unowned)": 7,
        "(folders)": 0,
    }
    assert "lib/python3.11/site-packages/a\tb\udcff" in {item.path for item in made.items}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("a\tf\t1", "line 2: has 3 fields", id="a field is missing"),
        pytest.param("a\tx\t1\t-", "unknown kind 'x'", id="an unknown kind"),
        pytest.param("a\tf\tbig\t-", "not a number of bytes", id="a size that is no number"),
        pytest.param("../a\tf\t1\t-", "outside the prefix", id="a path that leaves the prefix"),
        pytest.param("/a\tf\t1\t-", "outside the prefix", id="an absolute path"),
        pytest.param("a\tf\t1\trpm:a", "unknown owner 'rpm:a'", id="an unknown owner"),
        pytest.param("a\tf\t1\t-\na\tf\t1\t-", "line 3: lists 'a' twice", id="a path twice"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "list.tsv"
    file.write_text(f"path\tkind\tsize\towner\n{line}\n")
    with pytest.raises(SourceError, match=message):
        audit(str(file))


def test_a_cut_off_gzip_file_is_a_typed_error(tmp_path: Path) -> None:
    file = tmp_path / "list.tsv.gz"
    file.write_bytes(gzip.compress(LINES.encode())[:-12])
    with pytest.raises(SourceError, match="damaged"):
        PathListSource(str(file)).inventory()


def test_contents_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "list.tsv"
    file.write_text(LINES)
    source = PathListSource(str(file))
    with pytest.raises(SourceError, match="holds no contents"):
        source.read("bin/tool")
    for wanted in (Wanted(compressed="exact"), Wanted(duplicates=True)):
        with pytest.raises(UsageProblem, match="holds no contents"):
            audit(str(file), wanted)


def test_an_empty_list_has_one_clear_message(tmp_path: Path) -> None:
    file = tmp_path / "list.tsv"
    file.write_text("path\tkind\tsize\towner\n")
    with pytest.raises(CondapruneError, match="holds no files at all"):
        audit(str(file))


def test_layouts_of_other_platforms_are_told_apart(tmp_path: Path) -> None:
    windows = tmp_path / "win.tsv"
    windows.write_text(
        "path\tkind\tsize\towner\npython.exe\tf\t1\t-\nLib/os.py\tf\t2\t-\n"
        "Lib/site-packages/a/tests/t.py\tf\t4\t-\nLibrary/bin/z.dll\tf\t8\t-\n"
        "Scripts/a.exe\tf\t16\t-\ninclude/Python.h\tf\t32\t-\n"
    )
    made = audit(str(windows))
    assert made.platform == "win"
    assert {row.name: row.bytes for row in made.view("category")} == {
        "headers": 32,
        "executables": 17,
        "shared-libraries": 8,
        "tests": 4,
        "python": 2,
        "folders": 0,
    }
    mac = tmp_path / "osx.tsv"
    mac.write_text("path\tkind\tsize\towner\nlib/libz.1.dylib\tf\t8\t-\n")
    assert audit(str(mac)).platform == "osx"
