"""Records are read the same whether or not their rows of paths_data are cut out first."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from condaprune.model import Layout
from condaprune.sources.records import owned_paths, parse_record, prefix_files

LAYOUT = Layout("linux", "3.11", {"site": ("lib/python3.11/site-packages",), "bin": ("bin",)})
NAMES = st.text(st.sampled_from('ab/[]{}",: \\\n}]é'), min_size=1, max_size=12)


def read(raw: object, indent: int | None = None) -> tuple[list[str], list[str]]:
    parsed = parse_record("conda-meta/a-1-0.json", json.dumps(raw, indent=indent).encode())
    assert parsed is not None
    record, found = parsed
    assert (record.name, record.version, record.requested) == ("a", "1", True)
    return list(owned_paths(found, LAYOUT)), [f.path for f in prefix_files(found, LAYOUT)]


def record(files: list[str], rows: list[dict[str, str]], first: bool) -> dict[str, object]:
    head = {"name": "a", "paths_data": {"paths_version": 1, "paths": rows}, "version": "1"}
    tail = {"name": "a", "version": "1", "paths_data": {"paths": rows, "paths_version": 1}}
    more = {"files": files, "requested_spec": "a"}
    return {**head, **more} if first else {**tail, **more}


@given(st.lists(NAMES, min_size=1), st.booleans(), st.sampled_from([None, 1, 2]))
def test_whatever_names_hold_the_files_are_those_listed(
    names: list[str], first: bool, indent: int | None
) -> None:
    rows = [{"_path": name, "sha256": "0", "path_type": "hardlink"} for name in names]
    plain = read({"name": "a", "version": "1", "files": names, "requested_spec": "a"}, indent)
    assert read(record(names, rows, first), indent) == plain


@pytest.mark.parametrize("indent", [None, 2])
def test_rows_of_files_that_hold_the_prefix_are_read(indent: int | None) -> None:
    rows = [{"_path": "bin/a", "prefix_placeholder": "/old", "file_mode": "text"}, {"_path": "b"}]
    assert read(record(["bin/a", "b"], rows, True), indent) == (["bin/a", "b"], ["bin/a"])


@pytest.mark.parametrize("indent", [None, 2])
def test_rows_are_read_where_there_is_no_list_of_files(indent: int | None) -> None:
    rows = [{"_path": "site-packages/a[1].py"}, {"_path": "python-scripts/a"}]
    found = read({**record([], rows, True), "noarch": "python"}, indent)
    assert found == (["lib/python3.11/site-packages/a[1].py", "bin/a"], [])
