"""What paths say: libraries, and where links lead."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from condaprune.paths import Trail, follow, is_library, join, printable


@pytest.mark.parametrize("name", ["a.so", "a.so.1", "a.so.1.2b", "a.dylib", "a.dll", "_a.abi3.so"])
def test_a_library(name: str) -> None:
    assert is_library(f"lib/{name}")


@pytest.mark.parametrize("name", ["a.so.1/x", "so", "a.py", "a.so-gdb.py", "a.soc", "a.dll.txt"])
def test_not_a_library(name: str) -> None:
    assert not is_library(f"lib/{name}")


LINKS = {
    "a": "b/c",
    "b": "real",
    "loop": "loop",
    "up": "../x",
    "inner/back": "../real/file",
    "inside": "/home/env/real/file",
    "home": "/home/env",
    "outside": "/home/environment/x",
    "through": "b/../inner",
}


@pytest.mark.parametrize(
    ("path", "trail"),
    [
        pytest.param("real/file", Trail((), "real/file"), id="no link"),
        pytest.param("./real//file", Trail((), "real/file"), id="dots and slashes"),
        pytest.param("a", Trail(("a", "b"), "real/c"), id="a link through a link"),
        pytest.param("b/file", Trail(("b",), "real/file"), id="a link to a folder"),
        pytest.param("inner/back", Trail(("inner/back",), "real/file"), id="a link upwards"),
        pytest.param("through", Trail(("through", "b"), "inner"), id="above the link's target"),
        pytest.param("loop", Trail(("loop",) * 40, ""), id="in circles"),
        pytest.param("up", Trail(("up",), "", True), id="out of the root"),
        pytest.param("../x", Trail((), "", True), id="a path out of the root"),
        pytest.param("inside", Trail(("inside",), "real/file"), id="absolute, below the home"),
        pytest.param("home", Trail(("home",), ""), id="the root itself"),
        pytest.param("outside", Trail(("outside",), "", True), id="absolute, elsewhere"),
    ],
)
def test_follow(path: str, trail: Trail) -> None:
    assert follow(path, LINKS.get, ("/home/env",)) == trail


def test_an_absolute_link_leaves_the_root_where_no_home_is_known() -> None:
    assert follow("inside", LINKS.get) == Trail(("inside",), "", True)


NAMES = st.sampled_from(["a", "b", "c", "a/d", "b/d"])
TARGETS = st.sampled_from(
    ["a", "b", "c", "d", "../a", "../b/d", "a/d", ".", "../c/./d", "..", "../.."]
)


@given(links=st.dictionaries(NAMES, TARGETS, max_size=4))
def test_links_lead_where_the_system_says(
    links: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("r") / "root"
    for folder in ("a", "b", "c"):
        if folder not in links:
            (root / folder).mkdir(parents=True)
    there = {}
    root.mkdir(exist_ok=True)
    for name, target in links.items():
        if (root / name).parent.is_dir() and not (root / name).parent.is_symlink():
            (root / name).symlink_to(target)
            there[name] = target
    for name in there:
        trail = follow(name, there.get)
        real = os.path.realpath(root / name)
        if trail.outside:
            continue  # another link may lead back, which nobody has to follow
        if (root / name).exists() or trail.end:
            assert Path(real) == root / trail.end


@pytest.mark.parametrize(
    ("folder", "relative", "joined"),
    [
        ("lib", "../bin/x", "bin/x"),
        ("", "x", "x"),
        ("lib", "..", ""),
        ("lib", "../..", None),
    ],
)
def test_join(folder: str, relative: str, joined: str | None) -> None:
    assert join(folder, relative) == joined


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("e\u0302\u0301", id="Vietnamese, decomposed"),
        pytest.param("\u05d1\u05bc\u05b0\u0591", id="Hebrew with its points"),
        pytest.param("\u0e17\u0e35\u0e48", id="Thai"),
    ],
)
def test_accents_of_languages_are_shown(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize("mark", ["\u0300", "\u0489", "\u20dd", "\U0001e8d0"])
def test_accents_that_pile_up_are_escaped(mark: str) -> None:
    shown = printable("a" + mark * 50 + "b" + mark)
    assert shown.count(mark) == 5
    assert shown.endswith(f"b{mark}")
