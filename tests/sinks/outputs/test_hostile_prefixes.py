"""Lists of prefixes that lie: neither they nor the files they name cost more than they are long."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from condaprune.errors import SinkError
from condaprune.model import FileMode, PrefixFile, Record
from condaprune.sinks.outputs.placeholders import packaged, place_at, unlisted_prefix_files
from condaprune.sources.prefix import PrefixSource
from tests.trees import SITE, make_prefix, record

from .helpers import pack


def listed(mode: FileMode, placeholder: str, sha256: str = "x") -> PrefixFile:
    return PrefixFile("share/x", placeholder, mode, sha256, "share/x")


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 36)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda info: os.mkfifo(info / "paths.json"), id="a FIFO"),
        pytest.param(lambda info: os.mkfifo(info / "has_prefix"), id="a FIFO as the old list"),
        pytest.param(lambda info: sparse(info / "paths.json"), id="64 GiB"),
        pytest.param(lambda info: sparse(info / "has_prefix"), id="64 GiB as the old list"),
        pytest.param(
            lambda info: (info / "paths.json").symlink_to("/dev/zero"), id="a link to a device"
        ),
        pytest.param(
            lambda info: (info / "paths.json").write_text('{"prefix_placeholder":' + "[" * 200_000),
            id="JSON that is nested too deeply",
        ),
    ],
)
def test_a_package_cache_is_input(make: Callable[[Path], object], tmp_path: Path) -> None:
    info = tmp_path / "cache" / "info"
    info.mkdir(parents=True)
    make(info)
    root = make_prefix(tmp_path / "env", {"bin/x": b""}, packages={"p": ["bin/x"]})
    made = Record("p", "1", "0", "conda-meta/p.json", link_source=str(tmp_path / "cache"))
    assert unlisted_prefix_files(made, PrefixSource(str(root)).inventory()) is None


def test_an_editable_mark_that_is_nested_too_deeply_is_no_mark(tmp_path: Path) -> None:
    info = f"{SITE}/d-1.dist-info"
    files = {f"{info}/METADATA": b"Name: d\n\n", f"{info}/direct_url.json": b"[" * 200_000}
    pack(make_prefix(tmp_path / "env", files), tmp_path / "out.tar")


def test_a_long_placeholder_in_many_places_takes_no_memory() -> None:
    data = b"/e " * 100_000
    assert packaged(data, listed("text", "/" + "p" * 1_000_000), b"/e") is None


def test_a_short_placeholder_in_many_places_is_refused() -> None:
    with pytest.raises(SinkError, match="would grow by more than"):
        place_at("/" + "d" * 200, "share/x", b"/" * 1_000_000, "/", "text")


def test_a_binary_of_prefixes_without_an_end_takes_no_time() -> None:
    data = b"/env/p\0\0\0\0" + b"/env" * 500_000 + b"x"
    began = time.process_time()
    assert packaged(data, listed("binary", "/hold/"), b"/env") is not None
    assert place_at("/d", "lib/x.so", data, "/env", "binary") == (
        b"/d/p\0\0\0\0\0\0" + b"/env" * 500_000 + b"x"
    )
    assert time.process_time() - began < 5


def test_a_script_whose_interpreter_is_not_text_is_packed(tmp_path: Path) -> None:
    text = b"#!/hold/bin/\xff\n"
    row = {
        "_path": "bin/x",
        "prefix_placeholder": "/hold",
        "file_mode": "text",
        "sha256": hashlib.sha256(text).hexdigest(),
    }
    files = {
        "bin/x": text,
        "conda-meta/q.json": record("q", ["bin/x"], paths_data={"paths": [row]}),
    }
    pack(make_prefix(tmp_path / "env", files), tmp_path / "out.tar")
