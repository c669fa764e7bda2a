"""Small synthetic prefixes for unit tests, made in milliseconds."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SITE = "lib/python3.11/site-packages"
PYTHON = {
    "bin/python3.11": b"\x7fELF not really",
    "lib/python3.11/os.py": b"# landmark\n",
    "lib/python3.11/lib-dynload/_ssl.so": b"",
    f"{SITE}/README.txt": b"",
    "conda-meta/history": b"==> 2026-01-01 <==\n",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link to *target*."""

    target: str


Content = bytes | Link


def make_tree(root: Path, files: Mapping[str, Content]) -> Path:
    """Write *files* below *root*; a path that ends with ``/`` is an empty folder."""
    for name, content in files.items():
        path = os.path.join(os.fsencode(root), os.fsencode(name))
        if name.endswith("/"):
            os.makedirs(path, exist_ok=True)
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if isinstance(content, Link):
            os.symlink(content.target, path)
        else:
            with open(path, "wb") as handle:
                handle.write(content)
    return root


def record(name: str, files: Sequence[str], version: str = "1.0", **more: object) -> bytes:
    """The JSON of a conda-meta record that claims *files*."""
    return json.dumps(
        {
            "name": name,
            "version": version,
            "build": "0",
            "subdir": "linux-64",
            "files": list(files),
            **more,
        }
    ).encode()


def make_prefix(
    root: Path,
    files: Mapping[str, Content],
    *,
    packages: Mapping[str, Sequence[str]] | None = None,
    python: bool = True,
) -> Path:
    """A prefix with a token Python, *files*, and a conda record for each of *packages*."""
    tree: dict[str, Content] = {**(PYTHON if python else {"conda-meta/history": b""}), **files}
    for name, owned in (packages or {}).items():
        tree[f"conda-meta/{name}-1.0-0.json"] = record(name, owned)
    return make_tree(root, tree)


def distribution(
    name: str, files: Mapping[str, Content], version: str = "1.0"
) -> dict[str, Content]:
    """The files of a distribution in site-packages with its dist-info and RECORD."""
    info = f"{name}-{version}.dist-info"
    tree: dict[str, Content] = {f"{SITE}/{path}": data for path, data in files.items()}
    tree[f"{SITE}/{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nText.\n".encode()
    )
    rows = [f"{path},sha256=x,1" for path in files] + [f"{info}/METADATA,,", f"{info}/RECORD,,"]
    tree[f"{SITE}/{info}/RECORD"] = ("\n".join(rows) + "\n").encode()
    return tree


def listing(root: Path) -> dict[str, tuple[str, int, bytes]]:
    """What a tree holds, for comparing before with after: kind, mode and content of each path."""
    found: dict[str, tuple[str, int, bytes]] = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            info = os.lstat(path)
            if os.path.islink(path):
                found[os.path.relpath(path, root)] = ("link", 0, os.fsencode(os.readlink(path)))
            elif os.path.isdir(path):
                found[os.path.relpath(path, root)] = ("folder", info.st_mode, b"")
            else:
                with open(path, "rb") as handle:
                    found[os.path.relpath(path, root)] = ("file", info.st_mode, handle.read())
    return found
