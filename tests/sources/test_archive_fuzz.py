"""Bytes changed at random never get past the typed errors.

``python -m tests.sources.test_archive_fuzz SECONDS`` runs longer than the tests do.
"""

from __future__ import annotations

import gzip
import os
import sys
import tempfile

import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from condaprune.errors import CondapruneError
from condaprune.sources.archive import ArchiveSource
from condaprune.sources.base import Limits

from .archives import BLOCK, header, member, pax, standard_tar, tar, zipped

PLAIN = tar(
    member(b"lib/a", b"content"),
    pax(path=b"lib/" + b"n" * 120, mtime=b"1.5"),
    member(b"lib/cut", b"more"),
    member(b"@", b"g" * 130 + b"\0", kind=b"L"),
    member(b"x", b"data"),
    header(b"link", b"2", 0, b"lib/a"),
    header(b"hard", b"1", 0, b"lib/a"),
    header(b"d/", b"5"),
)
SEEDS = (
    PLAIN,
    standard_tar(["lib/" + "x" * 150]),
    gzip.compress(PLAIN, mtime=0),
    zstandard.compress(PLAIN),
    zipped([("lib/a", b"content"), ("d/", b"")]),
)
LIMITS = Limits(entries=1000, size=1 << 24, ratio=1000)


def read_all(data: bytes) -> None:
    """Read every member; typed errors are what should happen to damaged ones."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        try:
            for _, _, body in ArchiveSource(file.name, LIMITS).stream():
                for _ in body:
                    pass
        except CondapruneError as error:
            str(error)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
    st.floats(0, 1),
)
def test_changed_bytes(seed: bytes, changes: list[tuple[float, int]], cut: float) -> None:
    data = bytearray(seed)
    for place, value in changes:
        data[int(place * len(data))] = value
    read_all(bytes(data[: int(len(data) * cut)] if cut < 0.5 else data))


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.builds(
            lambda name, kind, size, link, data: (
                header(name, kind, link=link, size_field=size) + data + bytes(-len(data) % BLOCK)
            ),
            st.binary(max_size=100),
            st.binary(min_size=1, max_size=1)
            | st.sampled_from([b"0", b"1", b"2", b"5", b"x", b"L"]),
            st.binary(min_size=12, max_size=12)
            | st.integers(0, 3000).map(lambda n: b"%011o\0" % n),
            st.binary(max_size=100),
            st.binary(max_size=600),
        ),
        max_size=5,
    )
)
def test_headers_of_any_bytes_with_a_right_checksum(parts: list[bytes]) -> None:
    read_all(tar(*parts))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000))
def test_any_pax_records(data: bytes) -> None:
    read_all(tar(member(b"p", data, kind=b"x"), member(b"lib/a")))


def main(seconds: float) -> None:
    """Change bytes until the time is over."""
    import random
    import time

    generator = random.Random(seconds)
    end, runs = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data = bytearray(generator.choice(SEEDS))
        for _ in range(generator.randrange(1, 8)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        if generator.random() < 0.2:
            del data[generator.randrange(len(data)) :]
        try:
            read_all(bytes(data))
        except BaseException:
            with open(os.path.join(tempfile.gettempdir(), "fuzz-failure.bin"), "wb") as out:
                out.write(data)
            raise
        runs += 1
    print(f"{runs:,} archives, no untyped error", file=sys.stderr)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60)
