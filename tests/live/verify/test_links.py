"""The check `links`: links that led somewhere and lead nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from condaprune.live.verify.proof import compare
from tests.live.verify.conftest import MakePair, remove
from tests.trees import Content, Link

TREE: dict[str, Content] = {
    "lib/libz.so": Link("libz.so.1"),
    "lib/libz.so.1": Link("libz.so.1.3"),
    "lib/libz.so.1.3": b"",
    "lib/python3.1": Link("python3.12"),
    "lib/python3.12/os.py": b"",
    "share/through": Link("../lib/python3.1/os.py"),
    "share/dangling": Link("nowhere"),
    "share/circle": Link("circle"),
    "share/outside": Link("/nonexistent/place"),
    "share/up": Link("../../outside"),
    "share/plain": b"",
}


@pytest.mark.parametrize(
    ("gone", "lost"),
    [
        pytest.param((), set(), id="an exact copy loses nothing"),
        pytest.param(("share/plain",), set(), id="a file that no link leads to may go"),
        pytest.param(("lib/libz.so",), set(), id="the last link of a chain may go"),
        pytest.param(
            ("lib/libz.so", "lib/libz.so.1", "lib/libz.so.1.3"), set(), id="a whole chain may go"
        ),
        pytest.param(
            ("lib/libz.so.1.3",), {"lib/libz.so", "lib/libz.so.1"}, id="the file at a chain's end"
        ),
        pytest.param(("lib/libz.so.1",), {"lib/libz.so"}, id="a link in the middle of a chain"),
        pytest.param(
            ("lib/python3.12/os.py",), {"share/through"}, id="a file reached through a folder link"
        ),
        pytest.param(
            ("lib/python3.12",), {"lib/python3.1", "share/through"}, id="a folder that is linked to"
        ),
    ],
)
def test_links(make_pair: MakePair, gone: tuple[str, ...], lost: set[str]) -> None:
    before, after = make_pair(TREE)
    remove(after, *gone)
    found = compare(before, after, checks=["links"])
    assert {finding.name for finding in found.lost} == lost
    assert all(finding.removed for finding in found.lost)


def test_a_new_link_that_leads_nowhere_is_reported(make_pair: MakePair) -> None:
    before, after = make_pair(TREE)
    (after / "lib/new").symlink_to("nothing")
    assert [f.name for f in compare(before, after, checks=["links"]).lost] == ["lib/new"]


def test_an_absolute_link_to_the_original_is_judged_by_the_copy(
    make_pair: MakePair, tmp_path: Path
) -> None:
    before, after = make_pair({**TREE, "lib/abs": Link(f"{tmp_path}/before/share/plain")})
    assert compare(before, after, checks=["links"]).ok
    remove(after, "share/plain")
    assert [f.name for f in compare(before, after, checks=["links"]).lost] == ["lib/abs"]
