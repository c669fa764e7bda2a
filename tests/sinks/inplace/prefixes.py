"""A small prefix with everything that a run in place meets, a plan for it, and exact snapshots."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from condaprune.edit import Edit, Patch
from condaprune.model import Decision, Plan
from condaprune.paths import parent, to_bytes
from condaprune.planning.edits.sbom import SBOM
from condaprune.sources.prefix import PrefixSource

SITE = "lib/python3.11/site-packages"
BYTECODE = f"{SITE}/pkg/__pycache__/__init__.cpython-311.pyc"
LIBRARY = "lib/libstripped.so"
ELF = b"\x7fELF" + b"n" * 60
REMOVED = {
    "bin/tool",
    "bin/alias",
    "include/zlib.h",
    "lib/libdemo.a",
    "lib/liblink.so",
    f"{SITE}/pkg/tests/__init__.py",
    f"{SITE}/pkg/tests/test_a.py",
    f"{SITE}/pkg/tests/__pycache__/__init__.cpython-311.pyc",
    f"{SITE}/pkg/tests/__pycache__/test_a.cpython-311.pyc",
    f"{SITE}/pkg/twin_a.bin",
    f"{SITE}/pkg/twin_b.bin",
    f"{SITE}/pkg/shared.bin",
    f"{SITE}/pkg/h\udce9.txt",
    f"{SITE}/pkg/empty",
    "conda-meta/pkg-1.0-0.json",
}
FOLDERS = (f"{SITE}/pkg/tests/__pycache__", f"{SITE}/pkg/tests", f"{SITE}/pkg/empty", "include")
_FILES = {
    "bin/tool": (b"#!/bin/sh\necho tool\n", 0o755),
    "bin/python": (b"#!/bin/sh\n", 0o755),
    "include/zlib.h": (b"/* header */\n", 0o444),
    "lib/libdemo.a": (b"!<arch>\n", 0o644),
    "lib/libdemo.so.1": (b"library", 0o755),
    f"{SITE}/pkg/__init__.py": (b"x = 1\n", 0o644),
    BYTECODE: (b"magc\0\0\0\0timesize and code", 0o640),
    LIBRARY: (b"\x7fELF" + b"o" * 60 + b"loaded code....." + b"symbols" * 20, 0o755),
    f"{SITE}/pkg/tests/__init__.py": (b"", 0o644),
    f"{SITE}/pkg/tests/test_a.py": (b"def test(): pass\n", 0o600),
    f"{SITE}/pkg/tests/__pycache__/__init__.cpython-311.pyc": (b"pyc1", 0o644),
    f"{SITE}/pkg/tests/__pycache__/test_a.cpython-311.pyc": (b"pyc2", 0o644),
    f"{SITE}/pkg/twin_a.bin": (b"twin" * 20, 0o644),
    f"{SITE}/pkg/h\udce9.txt": (b"name without UTF-8", 0o644),
    f"{SITE}/pkg-1.0.dist-info/METADATA": (b"Name: pkg\nVersion: 1.0\n\n", 0o644),
    f"{SITE}/pkg-1.0.dist-info/RECORD": (b"pkg/__init__.py,,\npkg/tests/test_a.py,,\n", 0o644),
    "conda-meta/history": (b"==> 2026 <==\n", 0o644),
    "conda-meta/pkg-1.0-0.json": (b'{"name": "pkg", "version": "1.0"}', 0o644),
}
_EPOCH = 1_600_000_000_123_456_789


def build(where: Path) -> Path:
    """The prefix `where/env`, with a neighbour `where/cache` that shares two files with it."""
    root = where / "env"
    for number, (path, (data, mode)) in enumerate(_FILES.items()):
        file = os.path.join(os.fsencode(root), to_bytes(path))
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as stream:
            stream.write(data)
        os.chmod(file, mode)
        os.utime(file, ns=(_EPOCH, _EPOCH + number * 1_000_000_007))
    site = root / SITE
    os.link(site / "pkg/twin_a.bin", site / "pkg/twin_b.bin")
    cache = where / "cache"
    cache.mkdir()
    (cache / "shared.bin").write_bytes(b"shared with a neighbour")
    os.utime(cache / "shared.bin", ns=(_EPOCH, _EPOCH))
    os.link(cache / "shared.bin", site / "pkg/shared.bin")
    os.link(site / "pkg-1.0.dist-info/RECORD", cache / "RECORD")
    os.link(site / "pkg/__pycache__/__init__.cpython-311.pyc", cache / "__init__.pyc")
    (root / "lib/liblink.so").symlink_to("libdemo.so.1")
    (root / "bin/alias").symlink_to("tool")
    (site / "pkg/empty").mkdir(mode=0o750)
    folders = []
    for folder, below, names in os.walk(os.fsencode(where)):
        folders += [os.path.join(folder, name) for name in below]
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                os.utime(path, ns=(_EPOCH, _EPOCH + 5), follow_symlinks=False)
    for number, path in enumerate(sorted(folders, reverse=True)):
        os.utime(path, ns=(_EPOCH, _EPOCH + number * 3_000_000_001))
    return root


def make_plan(root: Path, *, more: tuple[str, ...] = ()) -> Plan:
    """A plan that removes, rewrites, empties and makes; *more* paths go too."""
    inventory = PrefixSource(str(root)).inventory()
    decisions = {p: Decision(True, "rule", "demo.rule") for p in (*REMOVED, *more)}
    decisions |= {p: Decision(True, "emptied", "demo.rule") for p in FOLDERS}
    decisions = {p: d for p, d in decisions.items() if p in inventory.entries}
    edits = (
        Edit(f"{SITE}/pkg-1.0.dist-info/RECORD", b"pkg/__init__.py,,\n", 0o644, "shorter", True),
        Edit("conda-meta/history", b"", 0o644, "emptied", True),
        Edit(SBOM, b"{}\n", 0o644, "new", False),
        Edit(
            BYTECODE,
            b"",
            0o640,
            "another head",
            True,
            Patch(b"magc\1\0\0\0" + b"h" * 8),
            _digest(BYTECODE),
        ),
        Edit(
            LIBRARY, b"", 0o755, "another end", True, Patch(ELF, 80, b"new end"), _digest(LIBRARY)
        ),
    )
    return Plan(inventory, decisions, edits, "runtime", (), ())


def _digest(path: str) -> bytes:
    return hashlib.sha256(_FILES[path][0]).digest()


def snapshot(root: Path) -> dict[str, tuple[object, ...]]:
    """All there is to know of a tree but access and change times: kind, mode, owner, size, time,
    content, target, and which paths are hard links to one file."""
    found: dict[str, tuple[object, ...]] = {}
    start = os.fsencode(root)
    first: dict[int, str] = {}
    pending = [start]
    while pending:
        path = pending.pop()
        info = os.lstat(path)
        name = os.path.relpath(path, start).decode("utf-8", "surrogateescape")
        content = ""
        if stat.S_ISDIR(info.st_mode):
            pending.extend(sorted((e.path for e in os.scandir(path)), reverse=True))
        elif stat.S_ISLNK(info.st_mode):
            content = os.fsdecode(os.readlink(path))
        else:
            with open(path, "rb") as stream:
                content = hashlib.sha256(stream.read()).hexdigest()
        folder = stat.S_ISDIR(info.st_mode)
        found[name] = (
            info.st_mode,
            info.st_uid,
            info.st_gid,
            0 if folder else info.st_size,
            info.st_mtime_ns,
            0 if folder else info.st_nlink,
            "" if folder else first.setdefault(info.st_ino, name),
            content,
        )
    return found


def inodes(root: Path) -> dict[str, int]:
    """The inode of each file: what a restored original has in common with the one removed."""
    return {
        os.path.relpath(os.path.join(folder, name), root): os.lstat(
            os.path.join(folder, name)
        ).st_ino
        for folder, _, names in os.walk(root)
        for name in names
    }


def difference(
    one: dict[str, tuple[object, ...]], other: dict[str, tuple[object, ...]]
) -> list[str]:
    """The paths at which two snapshots differ, with both sides."""
    return [
        f"{path}: {one.get(path)} != {other.get(path)}"
        for path in sorted({*one, *other})
        if one.get(path) != other.get(path)
    ]


def is_below(path: str, folder: str) -> bool:
    """Whether a path lies in a folder, however deep."""
    while path:
        path = parent(path)
        if path == folder:
            return True
    return False
