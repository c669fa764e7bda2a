"""RECORD: the paths it lists, and the same list without what goes."""

from __future__ import annotations

import pytest

from condaprune.sources.distributions import recorded_rows, rewrite_record

HOME = "lib/python3.11/site-packages"


@pytest.mark.parametrize(
    ("line", "path"),
    [
        pytest.param(b"m/a.py,sha256=x,1", f"{HOME}/m/a.py", id="a file of the package"),
        pytest.param(b"m/a.py,sha256=x,1\r", f"{HOME}/m/a.py", id="a Windows line end"),
        pytest.param(b"a,b.py,sha256=x,1", f"{HOME}/a,b.py", id="a comma without quotes"),
        pytest.param(b'"a,b.py",sha256=x,1', f"{HOME}/a,b.py", id="a comma in quotes"),
        pytest.param(b'"a""b.py",,\r', f'{HOME}/a"b.py', id="quotes in quotes"),
        pytest.param(b"m\\a.py,,", f"{HOME}/m/a.py", id="a backslash"),
        pytest.param(b"../../../bin/m,,", "bin/m", id="a script"),
        pytest.param(b"./m//a.py,,", f"{HOME}/m/a.py", id="needless parts"),
        pytest.param(b"m/\xff.py,,", f"{HOME}/m/\udcff.py", id="bytes that are not UTF-8"),
        pytest.param(b"../../../../m,,", "", id="outside the prefix"),
        pytest.param(b"/etc/m,,", "", id="an absolute path"),
        pytest.param(b"", "", id="a blank line"),
    ],
)
def test_the_path_that_a_line_lists(line: bytes, path: str) -> None:
    rows = list(recorded_rows(b"x.py,,\n" + line + b"\ny.py,,", HOME))
    assert [listed for _, listed in rows] == [f"{HOME}/x.py", path, f"{HOME}/y.py"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["Unix", "Windows"])
def test_a_list_loses_what_goes_and_has_the_hash_of_what_changed(end: bytes) -> None:
    lines = [b"a.py,sha256=a,1", b'"b,c.py",sha256=b,2', b"d.py,,", b"/etc/m,,", b""]
    changed = {f"{HOME}/{name}": ("sha256=new", 9) for name in ("b,c.py", "d.py")}
    new = [b'"b,c.py",sha256=new,9', *lines[2:]]
    assert rewrite_record(end.join(lines), HOME, {f"{HOME}/a.py"}, changed) == end.join(new)


def test_a_list_of_which_nothing_goes_keeps_its_bytes() -> None:
    data = b'a.py,sha256=a,1\r\n\n"b".py\n./c.py,,\n\xff,,'
    assert rewrite_record(data, HOME, {"a.py"}, {}) == data
