"""The entries of a prefix, where its links lead, and what changed between two looks."""

from __future__ import annotations

from pathlib import Path

import pytest

from condaprune.live.verify.listing import Listing, changed, list_prefix
from tests.trees import Content, Link, make_tree

TREE: dict[str, Content] = {
    "lib/libz.so": Link("libz.so.1"),
    "lib/libz.so.1": Link("libz.so.1.2"),
    "lib/libz.so.1.2": b"",
    "lib64": Link("lib"),
    "gap": Link("gone/../lib"),
    "circle": Link("circle"),
    "top": Link("."),
    "out": Link("../elsewhere"),
    "far": Link("/usr/share/far"),
    "moved": Link("/built/here/lib//libz.so"),
}


@pytest.fixture
def listing(tmp_path: Path) -> Listing:
    return list_prefix(str(make_tree(tmp_path / "env", TREE)), ("/built/here",))


@pytest.mark.parametrize(
    ("path", "end"),
    [
        pytest.param("lib64/libz.so", "lib/libz.so.1.2", id="links to folders and files"),
        pytest.param("moved", "lib/libz.so.1.2", id="a link that names an earlier place"),
        pytest.param("top", "", id="a link to the prefix itself"),
        pytest.param("out", "out", id="a link that leaves the prefix"),
        pytest.param("far", "far", id="an absolute link"),
        pytest.param("lib/none", None, id="nothing there"),
        pytest.param("gap", None, id="a link by way of a folder that is missing"),
        pytest.param("circle", None, id="a link to itself"),
    ],
)
def test_where_a_path_leads(listing: Listing, path: str, end: str | None) -> None:
    assert listing.resolve(path) == end


def test_the_links_on_the_way(listing: Listing) -> None:
    assert listing.links("lib64/libz.so") == ("lib64", "lib/libz.so", "lib/libz.so.1")
    assert listing.links("gap") == ()


@pytest.mark.parametrize(
    ("absolute", "path"),
    [
        ("/built/here", ""),
        ("/built/here//lib/./x", "lib/x"),
        ("/built/here/../x", None),
        ("/built/hereafter", None),
    ],
    ids=["the prefix", "below it", "out of it again", "a name that starts alike"],
)
def test_absolute_paths(listing: Listing, absolute: str, path: str | None) -> None:
    assert listing.inside(absolute) == path


def test_changes_between_two_listings(tmp_path: Path) -> None:
    make_tree(tmp_path, {"same": b"", "grows": b"", "goes": b"", "folder/x": b""})
    before = list_prefix(str(tmp_path))
    make_tree(tmp_path, {"grows": b"more", "new": b"", "folder/y": b""})
    (tmp_path / "goes").unlink()
    assert set(changed(before, list_prefix(str(tmp_path)))) == {"grows", "goes", "new", "folder/y"}
