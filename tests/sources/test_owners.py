"""Who owns what: records, RECORD files, bytecode, two owners of one path."""

import json
from pathlib import Path

import pytest

from condaprune.errors import SourceError
from condaprune.model import Inventory
from condaprune.sources.owners import source_of_bytecode
from condaprune.sources.prefix import PrefixSource
from tests.trees import SITE, Link, distribution, make_prefix, make_tree, record


def inventory(root: Path) -> Inventory:
    return PrefixSource(str(root)).inventory()


def labels(found: Inventory, path: str) -> set[str]:
    return {owner.label for owner in found.owners_of(path)}


def test_a_conda_package_owns_its_files_and_its_record(tmp_path: Path) -> None:
    make_prefix(tmp_path, {"lib/libz.a": b""}, packages={"zlib": ["lib/libz.a"]})
    found = inventory(tmp_path)
    assert labels(found, "lib/libz.a") == {"conda:zlib"}
    assert labels(found, "conda-meta/zlib-1.0-0.json") == {"conda:zlib"}


def test_a_path_in_a_record_and_in_a_RECORD_has_two_owners(tmp_path: Path) -> None:
    files = distribution("Demo_Pkg", {"demo/__init__.py": b""})
    make_prefix(tmp_path, files, packages={"demo-pkg": [f"{SITE}/demo/__init__.py"]})
    assert labels(inventory(tmp_path), f"{SITE}/demo/__init__.py") == {
        "conda:demo-pkg",
        "pypi:demo-pkg",
    }


def test_a_path_that_two_conda_packages_claim_has_both(tmp_path: Path) -> None:
    make_prefix(
        tmp_path,
        {"lib/libwebp.so": b""},
        packages={"libwebp": ["lib/libwebp.so"], "libwebp-base": ["lib/libwebp.so"]},
    )
    assert labels(inventory(tmp_path), "lib/libwebp.so") == {"conda:libwebp", "conda:libwebp-base"}


def test_RECORD_rows_outside_site_packages_are_resolved(tmp_path: Path) -> None:
    files = distribution("demo", {"demo.py": b""})
    files[f"{SITE}/demo-1.0.dist-info/RECORD"] = (
        b'../../../bin/demo,,\n"odd,name.py",,\n/etc/passwd,,\n../../../../escape,,\n'
    )
    make_prefix(tmp_path, {**files, "bin/demo": b"#!", f"{SITE}/odd,name.py": b""})
    found = inventory(tmp_path)
    assert labels(found, "bin/demo") == {"pypi:demo"}
    assert labels(found, f"{SITE}/odd,name.py") == {"pypi:demo"}


def test_bytecode_made_after_the_install_belongs_to_its_source(tmp_path: Path) -> None:
    make_prefix(
        tmp_path,
        {f"{SITE}/a.py": b"", f"{SITE}/__pycache__/a.cpython-311.opt-1.pyc": b""},
        packages={"a": [f"{SITE}/a.py"]},
    )
    found = inventory(tmp_path)
    assert labels(found, f"{SITE}/__pycache__/a.cpython-311.opt-1.pyc") == {"conda:a"}


def test_noarch_packages_without_a_file_list_are_linked_into_site_packages(tmp_path: Path) -> None:
    paths = [
        {"_path": "site-packages/a.py"},
        {"_path": "python-scripts/a", "prefix_placeholder": "/old", "file_mode": "text"},
    ]
    raw = record("a", [], noarch="python", paths_data={"paths": paths})
    make_prefix(tmp_path, {f"{SITE}/a.py": b"", "bin/a": b"", "conda-meta/a-1.0-0.json": raw})
    found = inventory(tmp_path)
    assert labels(found, f"{SITE}/a.py") == {"conda:a"}
    (held,) = found.records[0].prefix_files
    assert (held.path, held.source, held.placeholder) == ("bin/a", "python-scripts/a", "/old")


def test_a_folder_link_to_the_library_is_not_a_second_python(tmp_path: Path) -> None:
    make_prefix(tmp_path, {"lib/python3.1": Link("python3.11")})
    layout = inventory(tmp_path).layout
    assert layout.stdlib == ("lib/python3.11",)
    assert layout.site == (SITE,)
    assert layout.python == "3.11"


def test_a_windows_environment_has_its_own_roots(tmp_path: Path) -> None:
    make_tree(
        tmp_path,
        {
            "python.exe": b"",
            "Lib/os.py": b"",
            "Lib/site-packages/a.py": b"",
            "Scripts/pip.exe": b"",
            "conda-meta/history": b"",
        },
    )
    layout = inventory(tmp_path).layout
    assert (layout.platform, layout.site) == ("win", ("Lib/site-packages",))
    assert layout.roots["bin"] == ("Scripts",)


def test_recorded_files_that_are_missing_are_normal(tmp_path: Path) -> None:
    make_prefix(tmp_path, {}, packages={"debugpy": ["lib/gone.pyx"]})
    assert "lib/gone.pyx" not in inventory(tmp_path).owners


def test_what_no_package_claims_is_unowned(tmp_path: Path) -> None:
    make_prefix(tmp_path, {"manage.py": b"", "tests/test_app.py": b""})
    assert inventory(tmp_path).owners_of("tests/test_app.py") == ()


def test_a_damaged_record_stops_everything(tmp_path: Path) -> None:
    make_prefix(tmp_path, {"conda-meta/a-1-0.json": b"{"})
    with pytest.raises(SourceError, match=r"a-1-0.json.*not valid JSON"):
        inventory(tmp_path)


def test_other_json_in_conda_meta_is_no_record(tmp_path: Path) -> None:
    make_prefix(tmp_path, {"conda-meta/state.json": json.dumps(["x"]).encode()})
    assert inventory(tmp_path).records == ()


@pytest.mark.parametrize(
    ("bytecode", "source"),
    [
        ("a/__pycache__/b.cpython-312.pyc", "a/b.py"),
        ("__pycache__/b.cpython-312.opt-2.pyc", "b.py"),
        ("a/__pycache__/test_x.cpython-311-pytest-8.0.0.pyc", "a/test_x.py"),
        ("a/__pycache__/my.script.cpython-311.pyc", "a/my.script.py"),
        ("a/b.pyc", "a/b.py"),
    ],
)
def test_bytecode_names_its_source(bytecode: str, source: str) -> None:
    assert source_of_bytecode(bytecode) == source
