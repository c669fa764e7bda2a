"""Guards leave conda's package cache alone where it goes whole, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guards.elves import make_elf
from tests.guards.helpers import guarded
from tests.trees import Content, Link

PACKAGE = "pkgs/x-1-0"
LIBRARY = f"{PACKAGE}/lib/libx.so.1"
CACHED: dict[str, Content] = {
    f"{PACKAGE}/info/index.json": b"{}",
    f"{PACKAGE}/lib/python3.11/site-packages/x.py": b"import ctypes\n",
    LIBRARY: make_elf(soname="libx.so.1"),
}


def test_an_orphan_library_goes_with_the_cache(tmp_path: Path) -> None:
    assert guarded(tmp_path, CACHED, ["pkgs/*"]).vetoes == {}


def test_without_a_package_in_it_the_folder_is_no_cache(tmp_path: Path) -> None:
    files = {path: data for path, data in CACHED.items() if "/info/" not in path}
    assert guarded(tmp_path, files, ["pkgs/*"]).vetoes.keys() == {LIBRARY}


def test_a_package_of_which_something_stays_is_looked_at(tmp_path: Path) -> None:
    doomed = ["pkgs/*/lib/*", "pkgs/*/info/*"]
    files: dict[str, Content] = {**CACHED, f"{PACKAGE}/bin/x": b""}
    assert guarded(tmp_path, files, doomed).vetoes.keys() == {LIBRARY}


@pytest.mark.parametrize(
    "links",
    [
        pytest.param({"lib/libx.so.1": f"../{LIBRARY}"}, id="made by conda in place of a copy"),
        pytest.param({"share/a": "b", "share/b": f"../{LIBRARY}"}, id="that leads to a link"),
        pytest.param({"share/a": f"../{PACKAGE}/lib"}, id="to a folder"),
    ],
)
def test_what_a_kept_link_leads_into_is_looked_at(tmp_path: Path, links: dict[str, str]) -> None:
    more = {path: Link(target) for path, target in links.items()}
    assert LIBRARY in guarded(tmp_path, {**CACHED, **more}, ["pkgs/*"]).vetoes


def test_a_link_that_goes_too_keeps_nothing(tmp_path: Path) -> None:
    files: dict[str, Content] = {**CACHED, "share/a": Link(f"../{LIBRARY}")}
    assert guarded(tmp_path, files, ["pkgs/*", "share/a"]).vetoes == {}
