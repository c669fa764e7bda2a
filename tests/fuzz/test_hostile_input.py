"""Input that once took the square of its size, memory without end, or a traceback.

Each is read by its fuzz target in a process of its own, within what that target says it may cost.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable

import pytest

from fuzz.archives import header, member, pax
from fuzz.environments import _ENVIRONMENT, join
from fuzz.session import replay
from fuzz.targets import find_target
from tests.sources.archives import tar

SITE = "lib/python3.11/site-packages"
Made = Callable[[], bytes]


def _lines(*rows: tuple[bytes, bytes]) -> bytes:
    return join([*_ENVIRONMENT, *rows])


def _zip(method: int, size: int) -> bytes:
    """A zip whose one member unpacks to *size* bytes and says that it has ten."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("conda-meta/history", b"")
        with archive.open("lib/x", "w") as file:
            for _ in range(size >> 20):
                file.write(bytes(1 << 20))
    data = out.getvalue()
    return data.replace((size).to_bytes(4, "little"), (10).to_bytes(4, "little"))


def _records(count: int) -> bytes:
    record = json.dumps({"name": "n", "version": "1", "files": ["shared"]}).encode()
    rows = [member(b"conda-meta/%d.json" % n, record) for n in range(count)]
    return tar(member(b"shared"), *rows)


ARCHIVES: dict[str, Made] = {
    "a link with a target of 100 kB": lambda: tar(
        pax((b"linkpath", b"a/" * 50_000)), header(b"l", b"2")
    ),
    "a link with a target of 100 kB, compressed": lambda: gzip.compress(
        tar(pax((b"linkpath", b"a/" * 50_000)), header(b"l", b"2"))
    ),
    "links whose targets have thousands of parts": lambda: tar(
        *(pax((b"linkpath", b"a/" * 2000)) + header(b"l%d" % n, b"2") for n in range(300))
    ),
    "links to links, each by a long way": lambda: tar(
        *(header(b"l%d" % n, b"2", 0, b"x/../" * 18 + b"l%d" % (n + 1)) for n in range(4000))
    ),
    "a chain of hard links": lambda: tar(
        member(b"h0"), *(header(b"h%d" % n, b"1", 0, b"h%d" % (n - 1)) for n in range(1, 7000))
    ),
    "keys of pax headers that nobody uses": lambda: tar(
        *(pax((b"k" * 500 + b"%d" % n, b"v"), kind=b"g") for n in range(1500))
    ),
    "pax headers without a member": lambda: tar(*[pax((b"path", b"x" * 400))] * 2000),
    "deep folders that have no members": lambda: tar(
        *(member(b"@", b"%05d/" % n + b"d/" * 250 + b"\0", b"L") + header(b"f") for n in range(900))
    ),
    "folders 2000 deep": lambda: tar(member(b"@", b"d/" * 2000 + b"\0", b"L") + header(b"f")),
    "a time of 1e300": lambda: tar(pax((b"mtime", b"1e300")), member(b"f")),
    "a time that is no number": lambda: tar(pax((b"mtime", b"nan")), member(b"f")),
    "a time before all calendars": lambda: tar(pax((b"mtime", b"-1e15")), member(b"f")),
    "a size of 5000 digits": lambda: tar(pax((b"size", b"9" * 5000)), member(b"f")),
    "a record that claims a path with thousands of others": lambda: _records(3000),
    "records of all types": lambda: tar(
        *(
            member(b"conda-meta/%d.json" % n, json.dumps({"name": "a", **fields}).encode())
            for n, fields in enumerate(
                (
                    {"files": 1, "depends": {"a": 1}, "version": 1e300},
                    {"paths_data": None, "link": [], "timestamp": 10**300},
                    {"paths_data": {"paths": [{"_path": "a", "prefix_placeholder": "p",
                                               "file_mode": ["text"]}]}},
                    {"version": "\ud800", "build": "\udfff", "requested_specs": [[], {}]},
                )
            )
        )
    ),
    "a record with 1000 levels": lambda: tar(
        member(b"conda-meta/a.json", b'{"name": "a", "x": ' + b"[" * 900 + b"]" * 900 + b"}")
    ),
    "empty bzip2 streams": lambda: b"BZh9\x17\x72\x45\x38\x50\x90\0\0\0\0" * 40_000,
}  # fmt: skip
ZIPS: dict[str, Made] = {
    "a bzip2 member of another size": lambda: _zip(zipfile.ZIP_BZIP2, 900 << 20),
    "an LZMA member of another size": lambda: _zip(zipfile.ZIP_LZMA, 900 << 20),
}
SOURCES: dict[str, Made] = {
    "lists that never end": lambda: b"from a import (\n" * 20_000,
    "lines joined without end": lambda: b"import a.b,\\\n" * 20_000,
    "blocks for type checkers": lambda: b"if TYPE_CHECKING:\n  import a.b\n" * 10_000,
    "one line with thousands of guards": lambda: b"if " + b"TYPE_CHECKING." * 20_000 + b"a.b",
    "a name of 400 kB": lambda: b"import_module('" + b"a.b." * 100_000 + b"')",
    "spaces after from": lambda: (b"from" + b" " * 390 + b"!import a.b\n") * 500,
    "parentheses that never close": lambda: b"import a.b\n" + b"( a.b\n" * 40_000,
    "words without parentheses": lambda: b"a.b\n" * 100_000,
    "a source of 3 MB with a tree of a gigabyte": lambda: b"import a.b\n" + b"a,b,\n" * 600_000,
}
ENVIRONMENTS: dict[str, Made] = {
    "a FIFO as a record": lambda: _lines((b"fifo conda-meta/x.json", b"")),
    "a FIFO as a source": lambda: _lines((b"fifo " + SITE.encode() + b"/a/y.py", b"")),
    "a source of 20 GB": lambda: _lines((b"sparse " + SITE.encode() + b"/a/y.py", b"import a")),
    "a library of 20 GB": lambda: _lines((b"sparse lib/liby.so", b"\x7fELF\x02\x01")),
    "a RECORD of 20 GB": lambda: _lines(
        (b"sparse " + SITE.encode() + b"/z-1.dist-info/RECORD", b"")
    ),
    "a record of 20 GB": lambda: _lines((b"sparse conda-meta/z.json", b"{")),
    "entry points of 20 GB": lambda: _lines(
        (b"sparse " + SITE.encode() + b"/z-1.dist-info/entry_points.txt", b"[x]")
    ),
    "folders 300 deep": lambda: _lines((b"file " + b"d/" * 300 + b"x.py", b"")),
    "rows of RECORD that are no CSV": lambda: _lines(
        (b"file " + SITE.encode() + b"/z-1.dist-info/RECORD", b'"a\rb"\rc,,\n"' + b"x" * 200_000)
    ),
    "entry points of spaces": lambda: _lines(
        (b"file " + SITE.encode() + b"/z-1.dist-info/entry_points.txt", b"[x]\n" + b" " * 300_000)
    ),
}


def _cases(target: str, cases: dict[str, Made]) -> list[object]:
    return [pytest.param(target, made, id=f"{target}: {name}") for name, made in cases.items()]


@pytest.mark.parametrize(
    ("target", "made"),
    [
        *_cases("tar", ARCHIVES),
        *_cases("zip", ZIPS),
        *_cases("python", SOURCES),
        *_cases("environment", ENVIRONMENTS),
        pytest.param("binary", lambda: b"\xca\xfe\xba\xbe", id="binary: nothing but its magic"),
        pytest.param(
            "path-list",
            lambda: b"path\tkind\tsize\towner\n" + b"a/" * 400_000 + b"x\tf\t1\t-\n",
            id="path-list: a path of 800 kB",
        ),
        pytest.param(
            "path-list",
            lambda: b"path\tkind\tsize\towner\na\tf\t" + b"9" * 5000 + b"\t-\n",
            id="path-list: a size of 5000 digits",
        ),
    ],
)
def test_it_is_read_or_refused_within_its_cost(target: str, made: Made) -> None:
    data = made()
    assert len(data) <= 4 << 20
    assert replay(find_target(target), data) == ""
