"""The elf guard: what the loader finds stays, by whatever way it finds it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.guards.elves import make_elf, make_macho
from tests.guards.helpers import guarded, make_rule, rescued
from tests.trees import Content, Link

LIBRARY = make_elf(soname="libx.so.1")
NAMED = {"test-rule": make_rule(remove=("lib/libx*",))}  # the orphan rule does not apply


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        pytest.param(
            {
                "bin/tool": make_elf(("libx.so.1",), rpath="$ORIGIN/../lib"),
                "lib/libx.so.1": LIBRARY,
            },
            {"lib/libx.so.1"},
            id="by RPATH",
        ),
        pytest.param(
            {
                "bin/tool": make_elf(("libx.so.1",), runpath="${ORIGIN}/../deep"),
                "deep/libx.so.1": LIBRARY,
                "lib/libx.so.1": LIBRARY,
            },
            {"deep/libx.so.1"},
            id="by RUNPATH before lib",
        ),
        pytest.param(
            {"lib/liby.so": make_elf(("libx.so.1",)), "lib/libx.so.1": LIBRARY},
            {"lib/libx.so.1"},
            id="by no path, in lib",
        ),
        pytest.param(
            {"{site}/t/a.abi3.so": make_elf(("libx.so.1",)), "{site}/n/lib/libx.so.1": LIBRARY},
            {"n/lib/libx.so.1"},
            id="by no path, loaded beforehand from somewhere",
        ),
        pytest.param(
            {
                "bin/tool": make_elf(("libx.so.1",), rpath="$ORIGIN/../lib"),
                "lib/libx.so.1": Link("libx.so.1.0"),
                "lib/libx.so.1.0": LIBRARY,
            },
            {"lib/libx.so.1", "lib/libx.so.1.0"},
            id="by its soname, a link",
        ),
        pytest.param(
            {
                "bin/tool": make_elf(("libx.so.1",), rpath="$ORIGIN/../lib64"),
                "lib64": Link("lib"),
                "lib/libx.so.1": LIBRARY,
            },
            {"lib/libx.so.1"},
            id="through a linked folder",
        ),
        pytest.param(
            {
                "bin/tool": make_elf(("liby.so",)),
                "lib/liby.so": make_elf(("libx.so.1",)),
                "lib/libx.so.1": LIBRARY,
            },
            {"lib/liby.so", "lib/libx.so.1"},
            id="one needed by another",
        ),
    ],
)
def test_a_needed_library_stays(
    tmp_path: Path, files: dict[str, Content], wanted: set[str]
) -> None:
    report = guarded(
        tmp_path,
        files,
        ["*libx.so*", "*liby.so"] if "bin/tool" in files else ["*libx.so*"],
        rules=NAMED,
        off=frozenset({"dlopen"}),
    )
    assert rescued(report).keys() == wanted


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"lib/libx.so.1": LIBRARY}, id="nobody needs it"),
        pytest.param(
            {"{site}/t/tests/a.so": make_elf(("libx.so.1",)), "lib/libx.so.1": LIBRARY},
            id="only a doomed binary needs it",
        ),
        pytest.param(
            {
                "bin/tool": make_elf(("libx.so.1",), rpath="$ORIGIN/../other"),
                "other/libx.so.1": LIBRARY,
                "lib/libx.so.1": LIBRARY,
            },
            id="another copy is found first",
        ),
        pytest.param(
            {
                "bin/tool": make_elf(("libx.so.1",)),
                "lib/libx.so": Link("libx.so.1.0"),
                "lib/libx.so.1.0": LIBRARY,
            },
            id="the name it is linked by at build time",
        ),
    ],
)
def test_what_no_kept_binary_needs_may_go(tmp_path: Path, files: dict[str, Content]) -> None:
    doomed = ["lib/libx*", "*/tests/*"]
    report = guarded(tmp_path, files, doomed, rules=NAMED, off=frozenset({"dlopen"}))
    assert rescued(report) == {}


def test_the_chain_is_told(tmp_path: Path) -> None:
    files: dict[str, Content] = {
        "bin/tool": make_elf(("libx.so.1",)),
        "lib/libx.so.1": Link("libx.so.1.0"),
        "lib/libx.so.1.0": LIBRARY,
    }
    vetoes = guarded(tmp_path, files, ["lib/libx*"], rules=NAMED).vetoes
    assert vetoes["lib/libx.so.1"].because == "bin/tool needs libx.so.1"
    assert vetoes["lib/libx.so.1.0"].because == "lib/libx.so.1 is a link to it"
    assert vetoes["lib/libx.so.1.0"].needs == "lib/libx.so.1"


def of_platform(subdir: str) -> dict[str, Content]:
    record = {"name": "x", "version": "1", "subdir": subdir}
    return {"conda-meta/x-1.json": json.dumps(record).encode()}


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        pytest.param(make_macho(("@rpath/libx.1.dylib",)), True, id="by a place to be searched"),
        pytest.param(make_macho(("/old/prefix/lib/libx.1.dylib",)), True, id="by a whole path"),
        pytest.param(make_macho(("@rpath/libx.2.dylib",)), False, id="another one"),
    ],
)
def test_on_macos_a_library_stays_where_a_kept_file_loads_one_of_its_name(
    tmp_path: Path, content: bytes, kept: bool
) -> None:
    files = {
        **of_platform("osx-arm64"),
        "{site}/t/a.cpython-311-darwin.so": content,
        "lib/libx.1.dylib": Link("libx.1.0.dylib"),
        "lib/libx.1.0.dylib": make_macho(name="@rpath/libx.1.dylib"),
    }
    wanted = {"lib/libx.1.dylib", "lib/libx.1.0.dylib"} if kept else set()
    assert rescued(guarded(tmp_path, files, ["lib/libx*"], rules=NAMED)).keys() == wanted


@pytest.mark.parametrize("content", [make_macho(), b"\xcf\xfa\xed\xfe"], ids=["whole", "damaged"])
def test_on_macos_an_orphan_library_stays(tmp_path: Path, content: bytes) -> None:
    files = {**of_platform("osx-64"), "lib/libx.dylib": content}
    assert rescued(guarded(tmp_path, files, ["lib/libx*"])).keys() == {"lib/libx.dylib"}


def test_on_windows_every_library_stays_that_no_rule_names(tmp_path: Path) -> None:
    files: dict[str, Content] = {**of_platform("win-64"), "Library/bin/libx.dll": b"MZ"}
    assert rescued(guarded(tmp_path, files, ["*/libx*"])).keys() == {"Library/bin/libx.dll"}
    named = {"test-rule": make_rule(package=("x",))}
    again = tmp_path / "again"
    again.mkdir()
    assert rescued(guarded(again, files, ["*/libx*"], rules=named)) == {}
