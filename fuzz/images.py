"""Base images: the JSON of an OCI layout, and its layers."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence

from condaprune.sinks.outputs.ocibase import INDEX, MANIFEST, OciBase
from condaprune.targets import open_folder
from fuzz.mutate import Mutator
from fuzz.target import Target

_LAYER = b"layer"


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def read_layout(data: bytes, place: str) -> object:
    """Read a layout whose three documents are lines of the input, each named by its digest."""
    shutil.rmtree(place, ignore_errors=True)
    blobs = os.path.join(place, "blobs", "sha256")
    os.makedirs(blobs)
    index, manifest, config = (*data.split(b"\n"), b"", b"", b"")[:3]
    for blob in (config, _LAYER):
        _write(os.path.join(blobs, _digest(blob)[7:]), blob)
    # The digests of what was changed are right again, so that it is read.
    manifest = manifest.replace(_digest(_CONFIG).encode(), _digest(config).encode())
    _write(os.path.join(blobs, _digest(manifest)[7:]), manifest)
    index = index.replace(_digest(_MANIFEST).encode(), _digest(manifest).encode())
    _write(os.path.join(place, "index.json"), index)
    base = OciBase(place, "amd64")
    copies = os.path.join(place, "copies")
    os.makedirs(copies)
    with open_folder(os.fsencode(copies)) as folder:
        base.copy_layers(folder)
    return len(base.layers)


def _write(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


_CONFIG = json.dumps(
    {
        "architecture": "amd64",
        "os": "linux",
        "created": "2026-01-01T00:00:00Z",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"], "User": "0", "Labels": {"a": "b"}},
        "rootfs": {"type": "layers", "diff_ids": [_digest(_LAYER)]},
        "history": [{"created_by": "x", "empty_layer": False}],
    }
).encode()
_MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"digest": _digest(_CONFIG), "size": len(_CONFIG)},
        "layers": [{"digest": _digest(_LAYER), "size": len(_LAYER), "mediaType": "x"}],
    }
).encode()
_INDEX = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            {"digest": _digest(_MANIFEST), "size": 1, "platform": {"architecture": "amd64"}},
            {"digest": _digest(b"x"), "platform": {"architecture": "arm64"}},
        ],
    }
).encode()


def layouts() -> Sequence[bytes]:
    """One layout."""
    return (b"\n".join((_INDEX, _MANIFEST, _CONFIG)),)


def _change(mutator: Mutator, data: bytes) -> bytes:
    lines = data.split(b"\n")
    at = mutator.random.randrange(len(lines))
    lines[at] = mutator.change_json(lines[at]).replace(b"\n", b" ")
    return b"\n".join(lines)


LAYOUT = Target("image", read_layout, layouts, (b"sha256:", b"../"), _change)
