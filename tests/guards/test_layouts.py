"""Layouts of newer Pythons: free-threaded builds, 3.14's packages, packages without modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from condaprune.planning.planner import make_plan
from condaprune.request.request import Request
from condaprune.sources.find import find_source
from tests.guards.elves import make_elf
from tests.guards.helpers import guarded, rescued
from tests.trees import Content, Link, make_tree, record

FREE = "lib/python3.13t"
TAG = "cpython-313t-x86_64-linux-gnu.so"
CODE = f"{FREE}/site-packages"
FREE_THREADED: dict[str, Content] = {
    "bin/python3.13t": make_elf(needed=("libc.so.6",)),
    "bin/python": Link("python3.13t"),
    "bin/python3.13t-config": b"#!/bin/sh\n",
    f"{FREE}/os.py": b"",
    f"{FREE}/tarfile.py": b"",
    f"{FREE}/_sysconfigdata_t_linux_x86_64-linux-gnu.py": b"",
    f"{FREE}/config-3.13t-x86_64-linux-gnu/Makefile": b"",
    f"{FREE}/test/test_os.py": b"",
    f"{FREE}/test/__init__.py": b"",
    f"{FREE}/test/support/__init__.py": b"def f():\n    import _testcapi\n",
    f"{FREE}/lib-dynload/_testcapi.{TAG}": make_elf(),
    f"{FREE}/lib-dynload/_ssl.{TAG}": make_elf(),
    "include/python3.13t/Python.h": b"",
    "lib/libpython3.13t.so.1.0": make_elf(soname="libpython3.13t.so.1.0"),
    "lib/libpython3.13t.so": Link("libpython3.13t.so.1.0"),
    "conda-meta/history": b"",
    "conda-meta/noarch-1.0-0.json": record(
        "noarch",
        [],
        noarch="python",
        paths_data={"paths": [{"_path": "site-packages/noarch/a.pyi"}]},
    ),
    f"{CODE}/noarch/__init__.py": b"",
    f"{CODE}/noarch/a.pyi": b"",
    f"{CODE}/fast/__init__.py": b"",
    f"{CODE}/fast/_core.{TAG}": make_elf(),
    f"{CODE}/fast/_core.c": b"",
    f"{CODE}/fast/template.c": b"",
    f"{CODE}/fast/__pycache__/__init__.cpython-313t.pyc": b"",
    f"{CODE}/fast-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: fast\nVersion: 1.0\n",
    f"{CODE}/fast-1.0.dist-info/WHEEL": b"Tag: cp313-cp313t-manylinux_2_28_x86_64\n",
    f"{CODE}/fast-1.0.dist-info/INSTALLER": b"pip\n",
    f"{CODE}/fast-1.0.dist-info/RECORD": "".join(
        f"{name},,\n"
        for name in (
            "fast/__init__.py", f"fast/_core.{TAG}", "fast/_core.c", "fast/template.c",
            "fast-1.0.dist-info/METADATA", "fast-1.0.dist-info/RECORD",
        )
    ).encode(),
}  # fmt: skip


@pytest.mark.parametrize("profile", ["runtime", "minimal"])
def test_a_free_threaded_environment_is_pruned_like_any(tmp_path: Path, profile: str) -> None:
    plan = make_plan(
        find_source(str(make_tree(tmp_path / "env", FREE_THREADED))), Request(profile=profile)
    )
    files = {path for path, entry in plan.inventory.entries.items() if entry.kind != "folder"}
    gone = {path for path in files if plan.decision(path).remove}
    expected = {
        "bin/python3.13t-config",
        "include/python3.13t/Python.h",
        "lib/libpython3.13t.so",
        "lib/libpython3.13t.so.1.0",
        f"{FREE}/config-3.13t-x86_64-linux-gnu/Makefile",
        f"{FREE}/test/test_os.py",
        f"{CODE}/fast/_core.c",
        f"{CODE}/fast/__pycache__/__init__.cpython-313t.pyc",
        f"{CODE}/fast-1.0.dist-info/INSTALLER",
        f"{CODE}/noarch/a.pyi",
    }
    if profile == "minimal":
        expected.add(f"{FREE}/lib-dynload/_testcapi.{TAG}")
    assert {path for path in gone if not path.startswith("conda-meta/")} == expected


def test_a_toolchain_of_a_free_threaded_python_stays_whole(tmp_path: Path) -> None:
    tree = {
        **FREE_THREADED,
        f"{CODE}/Cython/__init__.py": b"",
        "conda-meta/cython-3.1-0.json": record("cython", [f"{CODE}/Cython/__init__.py"]),
    }
    plan = make_plan(find_source(str(make_tree(tmp_path / "env", tree))), Request())
    for path in (
        "bin/python3.13t-config",
        "include/python3.13t/Python.h",
        "lib/libpython3.13t.so",
        "lib/libpython3.13t.so.1.0",
        f"{FREE}/config-3.13t-x86_64-linux-gnu/Makefile",
    ):
        assert not plan.decision(path).remove, path


def test_a_tar_of_zstandard_keeps_the_package_that_unpacks_it(tmp_path: Path) -> None:
    std = "lib/python3.14"
    files: dict[str, Content] = {
        f"{std}/os.py": b"",
        f"{std}/tarfile.py": b"def zstopen():\n    from compression.zstd import ZstdFile\n",
        f"{std}/compression/__init__.py": b"",
        f"{std}/compression/zstd/__init__.py": b"import _zstd\nfrom compression.zstd import _x\n",
        f"{std}/compression/zstd/_x.py": b"",
        f"{std}/compression/lzma.py": b"",
        f"{std}/lib-dynload/_zstd.cpython-314-x86_64-linux-gnu.so": make_elf(),
        f"{std}/annotationlib.py": b"",
        f"{std}/string/templatelib.py": b"",
    }
    report = guarded(tmp_path, files, [f"{std}/[!ot]*"])
    assert set(report.vetoes) >= files.keys() - {
        f"{std}/os.py", f"{std}/tarfile.py", f"{std}/compression/lzma.py",
    }  # fmt: skip


def test_extension_modules_of_free_threaded_builds_are_no_orphans(tmp_path: Path) -> None:
    files: dict[str, Content] = {
        f"{{site}}/p/a.{TAG}": make_elf(),
        "{site}/p/b.cp313t-win_amd64.so": make_elf(),
        "{site}/p/c.abi3t.so": make_elf(),
        "{site}/p/d.so.1": make_elf(),
    }
    assert set(rescued(guarded(tmp_path, files, ["*.so", "*.so.1"]))) == {"p/d.so.1"}


@pytest.mark.parametrize(
    ("code", "stays"),
    [
        (b"files('p.data').iterdir()", {"p/data/a.json", "p/data/in/b.json"}),
        (
            b'resources.files(\n    "p.data",\n).joinpath(name)',
            {"p/data/a.json", "p/data/in/b.json"},
        ),
        (b"files('p.data.in') / name", {"p/data/in/b.json"}),
        (b"files('p') / 'data/a.json'", {"p/data/a.json"}),
        (b"list_files('other.data')", set()),
        (b"files(package).iterdir()", set()),
    ],
    ids=["listed", "over lines", "a folder in it", "by name", "another package", "computed"],
)
def test_data_of_a_folder_that_is_opened_as_a_package(
    tmp_path: Path, code: bytes, stays: set[str]
) -> None:
    files: dict[str, Content] = {
        "{site}/p/__init__.py": code + b"\n",
        "{site}/p/data/a.json": b"",
        "{site}/p/data/in/b.json": b"",
    }
    assert set(rescued(guarded(tmp_path, files, ["*.json"]))) == stays


def test_lazy_imports_count(tmp_path: Path) -> None:
    files = {"{site}/a.py": b"lazy import b\nlazy from c import d\n", "{site}/b.py": b"",
             "{site}/c.py": b""}  # fmt: skip
    assert set(rescued(guarded(tmp_path, files, ["*/b.py", "*/c.py"]))) == {"b.py", "c.py"}
