"""What a trace asks to keep: more than was seen, since a recorder sees less than is relied on."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from condaprune.errors import TraceError
from condaprune.model import Inventory
from condaprune.traces.needs import traced_needs
from condaprune.traces.trace import KINDS, Run, Trace, TracedEntry, TraceKind
from tests.trees import SITE, Link, make_prefix

from .conftest import inventory_of, trace_of

_CACHE = f"{SITE}/demo/__pycache__"


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    prefix = make_prefix(
        tmp_path / "env",
        {
            f"{SITE}/demo/__init__.py": b"",
            f"{SITE}/demo/core.py": b"",
            f"{SITE}/demo/other.py": b"",
            f"{_CACHE}/core.cpython-311.pyc": b"",
            f"{_CACHE}/core.cpython-311.opt-1.pyc": b"",
            f"{_CACHE}/other.cpython-311.pyc": b"",
            f"{SITE}/demo/plain.pyc": b"",
            "lib/libz.so.1.3": b"",
            "lib/libz.so.1": Link("libz.so.1.3"),
            "lib/libz.so": Link("libz.so.1"),
            "lib/libq.so": Link("libz.so.9"),
            "lib64": Link("lib"),
            "bin/python": Link("python3.11"),
            "data/plugins/one.txt": b"",
            "data/plugins/two/deep.txt": b"",
            "data/empty/": b"",
            "data/unused.txt": b"",
            "out": Link("/etc"),
            "loop": Link("loop"),
        },
    )
    os.link(prefix / "lib/libz.so.1.3", prefix / "lib/libcopy.so")
    absolute = prefix / "absolute"
    absolute.symlink_to(prefix / "data")
    return inventory_of(prefix)


def needs(inventory: Inventory, *touched: str, kind: TraceKind = "open") -> Mapping[str, str]:
    return traced_needs([trace_of({path: [kind] for path in touched})], inventory)


def test_what_was_opened_stays_and_says_so(inventory: Inventory) -> None:
    assert needs(inventory, "data/plugins/one.txt") == {
        "data/plugins/one.txt": "app.trace: the workload opened it",
        "absolute": "app.trace: it is a link to the folder data, in which the workload used files",
    }


@pytest.mark.parametrize(
    ("kind", "word"),
    [("exec", "executed"), ("stat", "looked for"), ("readlink", "followed")],
)
def test_every_kind_has_its_word(inventory: Inventory, kind: TraceKind, word: str) -> None:
    found = needs(inventory, "data/unused.txt", kind=kind)
    assert found["data/unused.txt"] == f"app.trace: the workload {word} it"


def test_what_was_looked_for_in_vain_is_no_need(inventory: Inventory) -> None:
    assert needs(inventory, "data/unused.txt", kind="enoent") == {}


def test_what_is_no_entry_is_left_out(inventory: Inventory) -> None:
    assert needs(inventory, "made/by/the/run", "loop/x", "out/passwd") == {
        "out": "app.trace: the workload opened it",
        "loop": "app.trace: the workload opened it",
    }


def test_the_source_beside_used_bytecode_stays(inventory: Inventory) -> None:
    found = needs(inventory, f"{_CACHE}/core.cpython-311.pyc")
    assert found[f"{SITE}/demo/core.py"] == (
        "app.trace: the workload used core.cpython-311.pyc, which was compiled from it"
    )
    assert f"{SITE}/demo/other.py" not in found
    assert f"{_CACHE}/core.cpython-311.opt-1.pyc" not in found


def test_data_in_a_bytecode_folder_has_no_source(tmp_path: Path) -> None:
    files = {f"{_CACHE}/core.f-1.py311.nbi": b"", f"{SITE}/demo/core.py": b""}
    inventory = inventory_of(make_prefix(tmp_path / "cache", files))
    assert {*needs(inventory, f"{_CACHE}/core.f-1.py311.nbi")} == {f"{_CACHE}/core.f-1.py311.nbi"}


def test_every_link_on_the_way_to_a_used_file_stays(inventory: Inventory) -> None:
    found = needs(inventory, "lib/libz.so.1.3")
    assert {"lib/libz.so.1.3", "lib/libz.so.1", "lib/libz.so", "lib64"} <= {*found}
    assert (
        found["lib/libz.so"]
        == "app.trace: it is a link to lib/libz.so.1.3, which the workload used"
    )
    assert "lib/libq.so" not in found
    assert "bin/python" not in found


def test_both_ends_of_a_link_that_was_named_stay(inventory: Inventory) -> None:
    assert {"bin/python", "bin/python3.11"} <= {*needs(inventory, "bin/python", kind="exec")}


def test_a_path_through_folder_links_is_followed(inventory: Inventory) -> None:
    found = needs(inventory, "lib64/libz.so", "absolute/unused.txt")
    assert {"lib64", "lib/libz.so", "lib/libz.so.1", "lib/libz.so.1.3"} <= {*found}
    assert {"absolute", "data/unused.txt"} <= {*found}


def test_hard_links_share_their_fate(inventory: Inventory) -> None:
    found = needs(inventory, "lib/libz.so.1.3")
    assert (
        found["lib/libcopy.so"] == "app.trace: the workload opened it by another name (a hard link)"
    )


def test_a_listed_folder_stays_even_if_it_is_empty(inventory: Inventory) -> None:
    found = needs(inventory, "data/empty", kind="list")
    assert found["data/empty"] == "app.trace: the workload listed it"


def test_a_folder_listed_for_its_names_keeps_them(inventory: Inventory) -> None:
    found = needs(inventory, "data/plugins", kind="list")
    assert {"data/plugins", "data/plugins/one.txt", "data/plugins/two"} <= {*found}
    assert "data/plugins/two/deep.txt" not in found


def test_a_folder_listed_by_the_import_system_does_not(inventory: Inventory) -> None:
    assert f"{SITE}/demo/other.py" not in needs(inventory, f"{SITE}/demo", kind="list")
    assert f"{SITE}/demo" not in needs(inventory, SITE, kind="list")


@pytest.mark.parametrize(("asker", "stays"), [("importlib", False), ("app", True)])
def test_who_listed_a_folder_decides_where_that_is_known(
    inventory: Inventory, asker: str, stays: bool
) -> None:
    for folder, child in ((f"{SITE}/demo", "other.py"), ("data/plugins", "one.txt")):
        entry = TracedEntry(frozenset(["list"]), askers=frozenset([asker]))
        trace = Trace((Run("/e", ("audit",)),), {folder: entry})
        assert (f"{folder}/{child}" in traced_needs([trace], inventory)) is stays


def test_the_reason_names_who_asked(inventory: Inventory) -> None:
    entry = TracedEntry(
        frozenset(["open"]), askers=frozenset(["b", "a", "c"]), computed=frozenset(["a"])
    )
    trace = Trace((Run("/e", ("audit",)),), {"data/unused.txt": entry}, "x")
    assert traced_needs([trace], inventory)["data/unused.txt"] == (
        "x: the workload opened it for a, b and 1 more, by a computed import"
    )


def test_several_traces_add_up_and_the_first_is_named(inventory: Inventory) -> None:
    one = trace_of({"data/unused.txt": ["open"]}, "one")
    two = trace_of({"data/unused.txt": ["stat"], "bin/python": ["exec"]}, "two")
    found = traced_needs([one, two], inventory)
    assert found["data/unused.txt"].startswith("one:")
    assert found["bin/python"].startswith("two:")


def test_a_trace_that_must_not_be_used_is_refused(inventory: Inventory) -> None:
    with pytest.raises(TraceError, match="events were lost"):
        traced_needs([trace_of({"a": ["open"]}, overflow=True)], inventory)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_whatever_a_trace_touched_stays(inventory: Inventory, data: st.DataObject) -> None:
    paths = sorted(inventory.entries)
    kinds = st.frozensets(st.sampled_from(KINDS), min_size=1)
    touched = data.draw(st.dictionaries(st.sampled_from(paths), kinds, min_size=1))
    trace = Trace(
        (Run("/e", ("inotify",), exit_code=0),),
        {path: TracedEntry(found) for path, found in touched.items()},
    )
    found = traced_needs([trace], inventory)
    assert {path for path, seen in touched.items() if seen != {"enoent"}} <= {*found}
    assert {*found} <= {*inventory.entries}
