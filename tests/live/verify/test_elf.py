"""The check `elf`: libraries that kept binaries had within the prefix."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from condaprune.live.verify.proof import compare
from condaprune.live.verify.results import Verification
from lab.envs import BuiltEnvironment
from tests.guards.elves import make_macho
from tests.live.verify.conftest import Environments, MakePair, remove
from tests.live.verify.elf import AARCH64, I686, X86_64, make_elf
from tests.trees import Content, Link

BINARIES: dict[str, Content] = {
    "bin/tool": make_elf(["libone.so.1", "libc.so.6"], rpath="$ORIGIN/../lib"),
    "lib/libone.so.1": Link("libone.so.1.0"),
    "lib/libone.so.1.0": make_elf(["libtwo.so"], runpath="$ORIGIN/deep"),
    "lib/deep/libtwo.so": make_elf(),
    "lib/copy/libtwo.so": make_elf(),
    "lib/plugins/orphan.so": make_elf(["libabsent.so"]),
}


def elf(pair: Environments) -> Verification:
    return compare(*pair, checks=["elf"])


@pytest.mark.parametrize(
    ("gone", "lost"),
    [
        pytest.param((), set(), id="an exact copy loses nothing"),
        pytest.param(("lib/plugins/orphan.so",), set(), id="a library nobody needs may go"),
        pytest.param(("lib/copy/libtwo.so",), set(), id="a copy that is not searched may go"),
        pytest.param(
            ("bin/tool", "lib/libone.so.1", "lib/libone.so.1.0", "lib/deep/libtwo.so"),
            set(),
            id="a library may go with all that need it",
        ),
        pytest.param(("lib/libone.so.1.0",), {"libone.so.1"}, id="a library that a program needs"),
        pytest.param(("lib/libone.so.1",), {"libone.so.1"}, id="the link that its name is"),
        pytest.param(
            ("lib/deep/libtwo.so",),
            {"libtwo.so"},
            id="a library found by RUNPATH, a copy elsewhere",
        ),
        pytest.param(
            ("lib/deep/libtwo.so", "lib/copy/libtwo.so"), {"libtwo.so"}, id="all copies of one"
        ),
    ],
)
@pytest.mark.parametrize(
    "machine",
    [
        pytest.param(X86_64, id="x86_64"),
        pytest.param(AARCH64, id="aarch64"),
        pytest.param(I686, id="32 bits"),
    ],
)
def test_needed_libraries(
    make_pair: MakePair, gone: tuple[str, ...], lost: set[str], machine: int
) -> None:
    files = {
        path: content if isinstance(content, Link) else _for(path, machine)
        for path, content in BINARIES.items()
    }
    before, after = make_pair(files)
    remove(after, *gone)
    found = elf((before, after))
    assert {finding.name for finding in found.lost} == lost
    if not gone:
        assert found.counts["elf"].compared == 2
    if lost:
        assert found.lost[0].removed[0].path in gone


def _for(path: str, machine: int) -> bytes:
    needs = {
        "bin/tool": make_elf(["libone.so.1", "libc.so.6"], rpath="$ORIGIN/../lib", machine=machine),
        "lib/libone.so.1.0": make_elf(["libtwo.so"], runpath="$ORIGIN/deep", machine=machine),
        "lib/plugins/orphan.so": make_elf(["libabsent.so"], machine=machine),
    }
    return needs.get(path, make_elf(machine=machine))


def test_a_search_path_that_names_the_original_counts_in_a_copy(
    make_pair: MakePair, tmp_path: Path
) -> None:
    tool = make_elf(["libx.so"], rpath=f"{tmp_path}/before/private")
    before, after = make_pair({"bin/tool": tool, "private/libx.so": make_elf()})
    assert elf((before, after)).ok
    remove(after, "private/libx.so")
    assert [f.name for f in elf((before, after)).lost] == ["libx.so"]


@pytest.mark.parametrize(
    ("gone", "lost"),
    [
        pytest.param("lib/libx.1.dylib", ["libx.1.dylib"], id="the name that is loaded"),
        pytest.param("lib/libx.dylib", [], id="the name that it is linked by at build time"),
    ],
)
def test_libraries_of_macos(make_pair: MakePair, gone: str, lost: list[str]) -> None:
    before, after = make_pair(
        {
            "lib/a.so": make_macho(("@rpath/libx.1.dylib", "/usr/lib/libSystem.B.dylib")),
            "lib/libx.dylib": Link("libx.1.dylib"),
            "lib/libx.1.dylib": make_macho(name="@rpath/libx.1.dylib"),
        }
    )
    remove(after, gone)
    assert [finding.name for finding in elf((before, after)).lost] == lost


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(make_elf(["libx.so"])[:150], id="cut off"),
        pytest.param(b"not a binary any more" * 9, id="something else"),
    ],
)
def test_a_binary_that_was_damaged_is_lost(make_pair: MakePair, content: bytes) -> None:
    before, after = make_pair({"lib/liby.so": make_elf(["libx.so"]), "lib/libx.so": make_elf()})
    (after / "lib/liby.so").write_bytes(content)
    assert [(f.kind, f.name) for f in elf((before, after)).lost] == [("binary", "lib/liby.so")]


@pytest.mark.parametrize("big_endian", [False, True], ids=["little endian", "big endian"])
def test_byte_orders(make_pair: MakePair, big_endian: bool) -> None:
    tool = make_elf(["libx.so"], big_endian=big_endian)
    before, after = make_pair({"lib/a.so": tool, "lib/libx.so": make_elf()})
    remove(after, "lib/libx.so")
    assert [f.name for f in elf((before, after)).lost] == ["libx.so"]


def test_agrees_with_pyelftools_on_every_binary_of_a_real_environment(
    tiny_env: BuiltEnvironment,
) -> None:
    from elftools.elf.dynamic import DynamicSegment
    from elftools.elf.elffile import ELFFile

    from condaprune.live.verify.checks.elf import binaries
    from condaprune.live.verify.listing import list_prefix

    listing = list_prefix(str(tiny_env.prefix))
    found = binaries(listing)
    assert len(found) > 50
    for path, dynamic in found.items():
        expected: list[str] = []
        for segment in ELFFile(io.BytesIO(listing.read(path))).iter_segments():
            if isinstance(segment, DynamicSegment):
                expected = [t.needed for t in segment.iter_tags() if t.entry.d_tag == "DT_NEEDED"]
        assert expected == list(dynamic.needed), path
