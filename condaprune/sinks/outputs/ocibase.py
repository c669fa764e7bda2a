"""Reads a local OCI image layout that layers are appended to."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from condaprune.errors import SourceError
from condaprune.sources.base import CHUNK

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MAX_JSON = 4 << 20


class OciBase:
    """The image for one architecture in the layout *path*, a folder or a tar of one.

    `layers` are the descriptors of its layers, `config` its configuration. Errors: `SourceError`
    for anything else.
    """

    def __init__(self, path: str, architecture: str) -> None:
        self._path = path
        self.layers: list[dict[str, Any]] = []
        index = self._json("index.json")
        manifest = self._manifest(index, architecture, 0)
        self.config = self._blob_json(_mapping(manifest.get("config")))
        layers = manifest.get("layers")
        rootfs = self.config.get("rootfs")
        diffs = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
        if not isinstance(layers, list) or not isinstance(diffs, list) or len(layers) != len(diffs):
            raise self._broken("its layers and its configuration do not match")
        self.layers = [self._checked(_mapping(layer)) for layer in layers]

    def copy_layers(self, blobs: str) -> None:
        """Copy the layers to the folder *blobs*. Errors: `SourceError` for a wrong digest."""
        for layer in self.layers:
            name = layer["digest"].partition(":")[2]
            target = os.path.join(blobs, name)
            if os.path.exists(target):
                continue
            digest = hashlib.sha256()
            with self._open(f"blobs/sha256/{name}") as source, open(target, "xb") as copy:
                while piece := source.read(CHUNK):
                    digest.update(piece)
                    copy.write(piece)
            if digest.hexdigest() != name:
                raise self._broken(f"the layer {name[:12]} does not match its digest")

    def _manifest(self, index: dict[str, Any], architecture: str, depth: int) -> dict[str, Any]:
        rows = [_mapping(row) for row in index.get("manifests") or ()]
        suitable = [
            row
            for row in rows
            if _mapping(row.get("platform")).get("architecture", architecture) == architecture
        ]
        if not suitable or depth > 2:
            raise self._broken(f"there is no image for {architecture} in it")
        manifest = self._blob_json(suitable[0])
        media = manifest.get("mediaType", suitable[0].get("mediaType"))
        if media == INDEX or "manifests" in manifest:
            return self._manifest(manifest, architecture, depth + 1)
        return manifest

    def _blob_json(self, descriptor: dict[str, Any]) -> dict[str, Any]:
        name = self._checked(descriptor)["digest"].partition(":")[2]
        return self._json(f"blobs/sha256/{name}", name)

    def _checked(self, descriptor: dict[str, Any]) -> dict[str, Any]:
        digest = descriptor.get("digest")
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise self._broken(f"it names the blob {digest!r}")
        return descriptor

    def _json(self, name: str, digest: str = "") -> dict[str, Any]:
        with self._open(name) as file:
            data = file.read(_MAX_JSON)
        if digest and hashlib.sha256(data).hexdigest() != digest:
            raise self._broken(f"{name} does not match its digest")
        try:
            value: object = json.loads(data)
        except ValueError as error:
            raise self._broken(f"{name} is not JSON") from error
        return _mapping(value)

    @contextmanager
    def _open(self, name: str) -> Iterator[BinaryIO]:
        try:
            if os.path.isdir(self._path):
                with open(os.path.join(self._path, name), "rb") as file:
                    yield file
                return
            with tarfile.open(self._path, "r:") as archive:
                try:
                    member = archive.extractfile(name)
                except KeyError:
                    member = archive.extractfile(f"./{name}")
                if member is None:
                    raise self._broken(f"{name} is not a file")
                yield member  # type: ignore[misc]
        except (OSError, KeyError, tarfile.TarError) as error:
            raise self._broken(f"{name} cannot be read") from error

    def _broken(self, why: str) -> SourceError:
        return SourceError(
            f"not a usable OCI image layout: {why}",
            where=self._path,
            remedy="Make one with: skopeo copy docker://IMAGE oci:FOLDER",
        )


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
