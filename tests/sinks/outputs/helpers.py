"""Plans that keep everything, random trees, and readers of what was written."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from condaprune.app.carry_out import carry_out
from condaprune.edit import Edit
from condaprune.model import Decision, Outcome, Plan
from condaprune.paths import to_bytes
from condaprune.sinks.outputs.options import ImageOptions, OutputOptions, parse_owner
from condaprune.sinks.outputs.sink import OutputSink
from condaprune.sources.archive import ArchiveSource
from condaprune.sources.base import Source
from condaprune.sources.prefix import PrefixSource

ADDED = {
    "bin/activate",
    "bin/deactivate",
    "bin/activate.fish",
    "bin/conda_unpack_progress.py",
    "bin/conda-unpack",
}
GONE = Decision(remove=True, basis="rule", name="test")


def plan_for(source: Source, remove: Iterable[str] = (), edits: tuple[Edit, ...] = ()) -> Plan:
    """A plan that removes the given paths and keeps all else."""
    return Plan(source.inventory(), dict.fromkeys(remove, GONE), edits, "test", (), ())


def pack(source: Source | Path, output: Path, plan: Plan | None = None, **options: Any) -> Outcome:
    """Write a source whole, or as *plan* says."""
    if isinstance(source, Path):
        source = (PrefixSource if source.is_dir() else ArchiveSource)(str(source))
    sink = open_sink(str(output), **options)
    return carry_out(plan or plan_for(source), source, sink).outcome


def open_sink(output: str, prefix: str = "", **options: Any) -> OutputSink:
    """The sink for options of an output and of an image alike."""
    image = {key: options.pop(key) for key in list(options) if hasattr(ImageOptions(), key)}
    if "owner" in options:
        options["owner"] = parse_owner(options["owner"])
    made = ImageOptions(**{k: tuple(v) if isinstance(v, list) else v for k, v in image.items()})
    return OutputSink(OutputOptions(output, image=made, **options), prefix)


@dataclass(frozen=True)
class Node:
    """What a path of a random tree is: content, a link's target, another path's file, a folder."""

    data: bytes | None = None
    target: str | None = None
    same_as: str | None = None
    mode: int = 0o644


NAMES = st.one_of(
    st.text(st.characters(codec="ascii", exclude_characters="/\0"), min_size=1, max_size=12),
    st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12),
    st.integers(90, 240).map(lambda n: "long" + "x" * (n - 4)),
    st.binary(min_size=1, max_size=8).map(
        lambda b: b.replace(b"/", b"_").replace(b"\0", b"_").decode("utf-8", "surrogateescape")
    ),
).filter(lambda name: name not in (".", "..") and len(to_bytes(name)) <= 255)
CONTENTS = st.one_of(
    st.binary(max_size=64),
    st.sampled_from([b"", b"x" * 511, b"y" * 512, b"z" * 513, bytes(70_000), b"ab" * 600_000]),
)
MODES = st.sampled_from([0o644, 0o755, 0o600, 0o700, 0o444])


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Node]:
    """A tree as a map from path to node, folders before what lies in them."""
    tree: dict[str, Node] = {}
    folders = [""]
    for _ in range(draw(st.integers(0, 3))):
        path = os.path.join(draw(st.sampled_from(folders)), "d" + draw(NAMES)[:80])
        if len(to_bytes(path)) < 900 and len(to_bytes(path.rpartition("/")[2])) <= 255:
            tree[path] = Node()
            folders.append(path)
    files: list[str] = []
    for name in draw(st.lists(NAMES, max_size=6, unique=True)):
        path = os.path.join(draw(st.sampled_from(folders)), name)
        if path in tree:
            continue
        kind = draw(st.sampled_from(["file", "file", "link", "hard"]))
        if kind == "hard" and files:
            tree[path] = Node(same_as=draw(st.sampled_from(files)))
        elif kind == "link":
            tree[path] = Node(target=draw(st.sampled_from(["nowhere", "t" * 150, "é", *files[:1]])))
        else:
            tree[path] = Node(data=draw(CONTENTS), mode=draw(MODES))
            files.append(path)
    return tree


def build(root: Path, tree: Mapping[str, Node], *, backwards: bool = False, time: int = 0) -> Path:
    """A prefix with *tree* below ``lib/``; two orders of making give two orders on disk."""
    base = os.fsencode(root)
    os.makedirs(os.path.join(base, b"conda-meta"))
    os.makedirs(os.path.join(base, b"lib"))
    with open(os.path.join(base, b"conda-meta", b"history"), "wb"):
        pass
    rows = [(os.path.join(base, b"lib", to_bytes(p)), n) for p, n in tree.items()]
    for path, node in rows:
        if node == Node():
            os.makedirs(path, exist_ok=True)
    for path, node in reversed(rows) if backwards else rows:
        if node.target is not None:
            os.symlink(to_bytes(node.target), path)
        elif node.data is not None:
            with open(path, "wb") as file:
                file.write(node.data)
            os.chmod(path, node.mode)
            if time:
                os.utime(path, (time, time))
    for path, node in rows:
        if node.same_as is not None:
            os.link(os.path.join(base, b"lib", to_bytes(node.same_as)), path)
    return root


def on_disk(root: bytes) -> dict[bytes, tuple[object, ...]]:
    """Each path with its kind, content, normal mode, and the first of its hard-linked names."""
    found: dict[bytes, tuple[object, ...]] = {}
    inodes: dict[bytes, int] = {}
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(folders + files):
            path = os.path.join(folder, name)
            info = os.lstat(path)
            key = os.path.relpath(path, root)
            if stat.S_ISLNK(info.st_mode):
                found[key] = ("link", os.readlink(path))
            elif stat.S_ISDIR(info.st_mode):
                found[key] = ("folder",)
            else:
                with open(path, "rb") as file:
                    data = file.read()
                mode = 0o755 if info.st_mode & 0o100 else 0o644
                inodes[key] = info.st_ino
                found[key] = ("file", data, mode)
    first: dict[int, bytes] = {}
    for key in sorted(inodes):
        found[key] += (first.setdefault(inodes[key], key),)
    return found


def in_tar(data: bytes) -> dict[bytes, tuple[object, ...]]:
    """The same from a tar, as the standard library reads it."""
    found: dict[bytes, tuple[object, ...]] = {}
    with tarfile.open(fileobj=io.BytesIO(data), encoding="utf-8", errors="surrogateescape") as tar:
        for member in tar:
            key = to_bytes(member.name)
            if member.issym():
                found[key] = ("link", to_bytes(member.linkname))
            elif member.isdir():
                found[key] = ("folder",)
            else:
                content = tar.extractfile(member)
                assert content is not None
                group = to_bytes(member.linkname) if member.islnk() else key
                found[key] = ("file", content.read(), member.mode, group)
    return found


def without_added(found: Mapping[bytes, tuple[object, ...]]) -> dict[bytes, tuple[object, ...]]:
    """Without what conda-pack adds."""
    added = {path.encode() for path in ADDED} | {b"bin"}
    return {path: value for path, value in found.items() if path not in added}
