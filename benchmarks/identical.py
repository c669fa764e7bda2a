"""What an archive would save if files with equal content and mode became hard links.

Usage: python -m benchmarks.identical [PREFIX]

Compared are the tar.zst of what stays as it is written, with programs and libraries left out of
the linking, and with all files linked.
"""

from __future__ import annotations

import hashlib
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from condaprune.formats.elf import MAGIC
from condaprune.sinks.outputs.compress import open_compressor
from condaprune.sinks.outputs.tar import TarWriter
from condaprune.sources.base import NO_BODY, Body, Member


def packed(tar: Path, *, link: bool, libraries: bool) -> tuple[int, int]:
    """Bytes of the tar.zst, and bytes of content that links took the place of."""
    sizes: list[int] = []
    compressor = open_compressor("zstd", lambda data: sizes.append(len(data)), None, 2)
    writer = TarWriter(compressor.write)
    first: dict[tuple[bytes, int], str] = {}
    saved = 0
    with tarfile.open(tar) as source:
        for found in source:
            path, mode, mtime = found.name, found.mode, int(found.mtime)
            body: Body = NO_BODY
            if found.isdir():
                member = Member(path, "folder", 0, mode, mtime)
            elif found.issym():
                member = Member(path, "link", len(found.linkname), mode, mtime, found.linkname)
            elif found.islnk():
                member = Member(path, "file", 0, mode, mtime, "", found.linkname)
            else:
                content = source.extractfile(found)
                assert content is not None
                data = content.read()
                same = path
                if link and data and (libraries or not data.startswith(MAGIC)):
                    same = first.setdefault((hashlib.sha256(data).digest(), mode), path)
                if same == path:
                    member, body = Member(path, "file", len(data), mode, mtime), (data,)
                else:
                    member = Member(path, "file", 0, mode, mtime, "", same)
                    saved += len(data)
            writer.add(member, body)
    writer.finish()
    compressor.close()
    return sum(sizes), saved


def main(arguments: Sequence[str]) -> int:
    """Measure and print. Returns the exit status."""
    if arguments:
        prefix = arguments[0]
    else:
        from lab.envs.build import shared_environment

        prefix = str(shared_environment("big").prefix)
    from condaprune.api import prune

    with tempfile.TemporaryDirectory() as folder:
        tar = Path(folder) / "kept.tar"
        prune(prefix, output=str(tar))
        usual, _ = packed(tar, link=False, libraries=False)
        print(f"as it is written:      {usual / 1e6:6.2f} MB")
        for name, libraries in (("without libraries", False), ("all", True)):
            size, saved = packed(tar, link=True, libraries=libraries)
            print(
                f"{name + ' linked:':<22} {size / 1e6:6.2f} MB, {1 - size / usual:.2%} smaller; "
                f"{saved / 1e6:.2f} MB less when unpacked"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
