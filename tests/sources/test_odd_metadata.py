"""Records and lists of files of any type, depth and size: read as far as they make sense, or
refused by name; and what lies in the place of a file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from condaprune.errors import SourceError
from condaprune.model import Layout
from condaprune.sources.distributions import recorded_rows, rewrite_record
from condaprune.sources.kinds import LARGEST
from condaprune.sources.packages import make_graph
from condaprune.sources.prefix import PrefixSource
from condaprune.sources.records import owned_paths, parse_record, prefix_files
from tests.trees import PYTHON, SITE, make_tree, record

LAYOUT = Layout("linux", "3.11", {"site": (SITE,), "bin": ("bin",)})
ODD = (None, True, -1, 10**300, 1e300, "", "x", "\ud800", [], [[]], [None], {}, {"a": []})
FIELDS = (
    *("name", "version", "build", "files", "paths_data", "depends", "link", "timestamp"),
    *("requested_spec", "requested_specs", "noarch", "subdir", "license", "url", "channel"),
)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:12])
def test_a_field_of_any_type_is_tolerated(field: str, value: object) -> None:
    data = json.dumps({"name": "a", "version": "1", field: value}).encode()
    parsed = parse_record("conda-meta/a.json", data, {"a"})
    if parsed is None:
        assert field == "name"
        return
    found, raw = parsed
    assert all(isinstance(text, str) for text in (found.name, found.version, *found.depends))
    list(owned_paths(raw, LAYOUT))
    list(prefix_files(raw, LAYOUT))
    json.dumps(raw, indent=2)
    found.version.encode("utf-8")


@pytest.mark.parametrize("field", ["_path", "prefix_placeholder", "file_mode", "sha256"])
@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:12])
def test_a_row_of_any_type_is_tolerated(field: str, value: object) -> None:
    row = {"_path": "bin/a", "prefix_placeholder": "/opt", "file_mode": "text", field: value}
    data = json.dumps({"name": "a", "paths_data": {"paths": [row, value]}}).encode()
    parsed = parse_record("conda-meta/a.json", data)
    assert parsed is not None
    for file in prefix_files(parsed[1], LAYOUT):
        file.placeholder.encode("utf-8")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"name": "a", "x": ' + b"[" * 60 + b"]" * 60 + b"}", id="60 levels"),
        pytest.param(b'{"name": "a", "x": ["", ' + b"[" * 900 + b"]" * 900 + b"]}", id="900"),
        pytest.param(b"[" * 100_000, id="100,000 levels"),
        pytest.param(b'{"name": "a", "version": NaN}', id="no number"),
        pytest.param(b'{"name": "a", "timestamp": ' + b"9" * 5000 + b"}", id="5000 digits"),
    ],
)
def test_a_record_that_cannot_be_written_again_is_refused(data: bytes) -> None:
    with pytest.raises(SourceError, match=r"conda-meta/a\.json: this record"):
        parse_record("conda-meta/a.json", data)


@pytest.mark.parametrize(
    "line",
    ['"a\rb",,', '"' + "x" * 200_000 + '",,', '"', '"a"b,,', '"a\0",,', ",", "\r"],
    ids=["return", "long field", "quote", "text after the quote", "NUL", "comma", "only a return"],
)
def test_a_row_that_is_no_csv_lists_nothing_that_there_is(line: str) -> None:
    (rows,) = [list(recorded_rows(line.encode(), SITE))]
    assert all(listed != f"{SITE}/a" for _, listed in rows)
    assert rewrite_record(line.encode(), SITE, set(), {}) == line.encode()


def test_a_row_without_commas_stays_where_its_file_changes() -> None:
    data = b"a.py\nb.py,sha256=x,1\n"
    changed = {f"{SITE}/a.py": ("h", 2), f"{SITE}/b.py": ("h", 2)}
    assert rewrite_record(data, SITE, set(), changed) == b"a.py\nb.py,h,2\n"


@pytest.mark.parametrize(
    "path",
    [
        "conda-meta/big.json",
        f"{SITE}/a-1.dist-info/RECORD",
        f"{SITE}/a-1.dist-info/METADATA",
        "conda-meta/history",
    ],
)
def test_a_list_of_gigabytes_is_refused_at_once(tmp_path: Path, path: str) -> None:
    root = make_tree(tmp_path, {**PYTHON, path: b"{"})
    os.truncate(root / path, LARGEST + 1)
    with pytest.raises(SourceError, match=r"is larger than 67,108,864 bytes"):
        PrefixSource(str(root)).inventory()


def test_a_path_that_thousands_of_packages_claim_is_refused(tmp_path: Path) -> None:
    records = {f"conda-meta/{n}.json": record(f"p{n}", ["lib/shared"]) for n in range(2001)}
    root = make_tree(tmp_path, {**PYTHON, "lib/shared": b"", **records})
    with pytest.raises(SourceError, match="lib/shared: more than 2000 packages"):
        PrefixSource(str(root)).inventory()
    os.unlink(root / "conda-meta/0.json")
    owners = PrefixSource(str(root)).inventory().owners_of("lib/shared")
    assert len(owners) == 2000


def test_the_roots_of_many_packages_are_found_once_each(tmp_path: Path) -> None:
    chain = {
        f"conda-meta/{n}.json": record(f"p{n:04}", [], depends=[f"p{n + 1:04}"]) for n in range(300)
    }
    graph = make_graph(PrefixSource(str(make_tree(tmp_path, {**PYTHON, **chain}))).inventory())
    assert graph.roots() == ("conda:p0000",)


def _fifo(path: Path) -> None:
    os.unlink(path)
    os.mkfifo(path)


def _link(path: Path) -> None:
    os.rename(path, path.with_suffix(".other"))
    os.symlink(path.with_suffix(".other"), path)


def _folder(path: Path) -> None:
    os.unlink(path)
    os.mkdir(path)


@pytest.mark.parametrize("exchange", [_fifo, _link, _folder])
def test_what_takes_the_place_of_a_file_is_not_read(
    tmp_path: Path, exchange: Callable[[Path], None]
) -> None:
    source = PrefixSource(str(make_tree(tmp_path, PYTHON)))
    source.inventory()
    exchange(tmp_path / "lib/python3.11/os.py")
    with pytest.raises(SourceError, match="cannot be read"):
        source.read_part("lib/python3.11/os.py", 0, 10)
    with pytest.raises(SourceError, match="cannot be read"):
        source.read("lib/python3.11/os.py")


def test_folders_that_lie_too_deep_are_refused(tmp_path: Path) -> None:
    root = make_tree(tmp_path, {**PYTHON, "d/" * 256 + "x": b""})
    assert "d/" * 256 + "x" in PrefixSource(str(root)).inventory().entries
    os.mkdir(root / ("d/" * 257))
    with pytest.raises(SourceError, match="more than 256 folders"):
        PrefixSource(str(root)).inventory()
