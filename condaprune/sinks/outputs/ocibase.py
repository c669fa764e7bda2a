"""Reads a local OCI image layout that layers are appended to. All of it is input."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

from condaprune.errors import SourceError
from condaprune.files import open_regular
from condaprune.parse import parse_json
from condaprune.sinks.outputs.held import new_file_in
from condaprune.sources.base import CHUNK
from condaprune.sources.tarstream import BLOCK, ZEROS, BadHeader, parse_header, parse_pax

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
Descriptor = dict[str, object]
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MAX_JSON = 4 << 20
_MAX_PAX = 1 << 20
_MAX_MEMBERS = 100_000
_MAX_DEPTH = 32
_MAX_INDEXES = 3


class OciBase:
    """The image for one architecture in the layout *path*, a folder or a tar of one.

    `layers` are the descriptors of its layers and `diffs` the digests of what they unpack to;
    `run` is what it says of running it, but for the variables `env`; `history` is its own.
    Errors: `SourceError` for anything else.
    """

    def __init__(self, path: str, architecture: str) -> None:
        self._path = path
        self._real = os.path.realpath(path)
        self._members = None if os.path.isdir(self._real) else self._list_tar()
        manifest = self._manifest(self._json("index.json"), architecture)
        config = self._blob_json(manifest.get("config"))
        self.architecture = self._text(config, "architecture", architecture)
        self.os = self._text(config, "os", "linux")
        self.run = self._mapping(config.get("config") or {}, "its configuration")
        self.env = self._texts(self.run.pop("Env", None), "Env")
        for name in ("User", "WorkingDir", "StopSignal"):
            self._text(self.run, name, "")
        for name in ("Entrypoint", "Cmd"):
            self._texts(self.run.get(name), name)
        history = config.get("history") or []
        if not isinstance(history, list):
            raise self._broken("its history is not a list")
        self.history = [self._mapping(row, "its history") for row in history]
        rootfs = self._mapping(config.get("rootfs") or {}, "its rootfs")
        self.diffs = [self._digest(text) for text in self._texts(rootfs.get("diff_ids"), "layers")]
        layers = manifest.get("layers")
        if not isinstance(layers, list) or len(layers) != len(self.diffs):
            raise self._broken("its layers and its configuration do not match")
        self.layers = [self._layer(layer) for layer in layers]

    def copy_layers(self, blobs: int) -> None:
        """Copy the layers to the open folder *blobs*. Errors: `SourceError` for a wrong digest."""
        for layer in self.layers:
            name = str(layer["digest"]).partition(":")[2]
            try:
                copy = new_file_in(blobs, name)
            except FileExistsError:  # it is there twice
                continue
            digest = hashlib.sha256()
            with copy, self._open(f"blobs/sha256/{name}") as (source, size):
                if size != layer["size"]:
                    raise self._broken(f"the layer {name[:12]} has {size:,} bytes")
                while size and (piece := source.read(min(size, CHUNK))):
                    digest.update(piece)
                    copy.write(piece)
                    size -= len(piece)
            if digest.hexdigest() != name:
                raise self._broken(f"the layer {name[:12]} does not match its digest")

    def _manifest(self, index: Descriptor, architecture: str) -> Descriptor:
        """The manifest for an architecture, through indexes of indexes."""
        for _ in range(_MAX_INDEXES):
            rows = index.get("manifests")
            if not isinstance(rows, list):
                raise self._broken("its index lists no manifests")
            for value in rows:
                row = self._mapping(value, "its index")
                platform = self._mapping(row.get("platform") or {}, "its index")
                if platform.get("architecture", architecture) == architecture:
                    break
            else:
                break
            index = self._blob_json(row)
            if index.get("mediaType", row.get("mediaType")) != INDEX and "manifests" not in index:
                return index
        raise self._broken(f"there is no image for {architecture} in it")

    def _layer(self, value: object) -> Descriptor:
        """The descriptor of a layer, without what is not known."""
        row = self._mapping(value, "its list of layers")
        size, media = row.get("size"), row.get("mediaType")
        if type(size) is not int or size < 0:
            raise self._broken(f"it has a layer of {_shown(size)} bytes")
        if not isinstance(media, str):
            raise self._broken(f"it has a layer of the type {_shown(media)}")
        return {"mediaType": media, "digest": self._digest(row.get("digest")), "size": size}

    def _blob_json(self, descriptor: object) -> Descriptor:
        row = self._mapping(descriptor, "its manifest")
        name = self._digest(row.get("digest")).partition(":")[2]
        return self._json(f"blobs/sha256/{name}", name)

    def _digest(self, value: object) -> str:
        if not isinstance(value, str) or not _DIGEST.fullmatch(value):
            raise self._broken(f"it names the blob {_shown(value)}")
        return value

    def _json(self, name: str, digest: str = "") -> Descriptor:
        with self._open(name) as (file, size):
            if size > _MAX_JSON:
                raise self._broken(f"{name} is larger than {_MAX_JSON:,} bytes")
            data = file.read(size)
        if digest and hashlib.sha256(data).hexdigest() != digest:
            raise self._broken(f"{name} does not match its digest")
        try:
            value = parse_json(data)
        except ValueError as error:
            raise self._broken(f"{name} is not JSON") from error
        if not _is_shallow(value, _MAX_DEPTH):
            raise self._broken(f"{name} is nested more than {_MAX_DEPTH} levels deep")
        return self._mapping(value, name)

    def _mapping(self, value: object, what: str) -> Descriptor:
        if not isinstance(value, dict):
            raise self._broken(f"{what} holds {_shown(value)}, not an object")
        return value

    def _text(self, holder: Mapping[str, object], name: str, default: str) -> str:
        value = holder.get(name)
        if value is not None and not isinstance(value, str):
            raise self._broken(f"its {name} is {_shown(value)}, not a text")
        return default if value is None else value

    def _texts(self, value: object, name: str) -> list[str]:
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise self._broken(f"its {name} is not a list of texts")
        return value

    @contextmanager
    def _open(self, name: str) -> Iterator[tuple[BinaryIO, int]]:
        """A file of the layout, at its start, and its size; links to it may lead anywhere."""
        path, start, size = self._real, 0, 0
        if self._members is None:
            path = os.path.realpath(os.path.join(path, name))
        elif name in self._members:
            start, size = self._members[name]
        else:
            raise self._broken(f"it has no {name}")
        try:
            file = open(open_regular(path), "rb")  # noqa: SIM115 - closed below
        except OSError as error:
            raise self._unreadable(name, error) from error
        with file:
            if self._members is None:
                size = os.fstat(file.fileno()).st_size
            file.seek(start)
            yield file, size

    def _list_tar(self) -> dict[str, tuple[int, int]]:
        """Where the content of each file of the tar begins, and its size."""
        found: dict[str, tuple[int, int]] = {}
        pax: dict[bytes, bytes] = {}
        at = 0
        try:
            with open(open_regular(self._real), "rb") as file:
                end = os.fstat(file.fileno()).st_size
                for _ in range(_MAX_MEMBERS):
                    file.seek(at)
                    block = file.read(BLOCK)
                    if block in (b"", ZEROS):
                        return found
                    if len(block) < BLOCK:
                        raise BadHeader("half a header")
                    header = parse_header(block)
                    plain = header.type == b"x" or b"size" not in pax
                    size = header.size if plain else int(pax[b"size"])
                    at += BLOCK
                    if not 0 <= size <= end - at:
                        raise BadHeader("a member that is cut off")
                    if header.type == b"x" and size <= _MAX_PAX:
                        pax = parse_pax(file.read(size))
                    else:
                        if header.type in b"07\0":
                            raw = pax.get(b"path", header.name)
                            found[raw.decode("utf-8", "replace").removeprefix("./")] = at, size
                        pax = {}
                    at += size + -size % BLOCK
        except (ValueError, LookupError) as error:
            raise self._broken("it is neither a folder nor a tar") from error
        except OSError as error:
            raise self._unreadable(os.path.basename(self._path), error) from error
        raise self._broken(f"it has more than {_MAX_MEMBERS:,} members")

    def _unreadable(self, name: str, error: OSError) -> SourceError:
        return self._broken(f"{name} cannot be read: {error.strerror or error}")

    def _broken(self, why: str) -> SourceError:
        return SourceError(
            f"not a usable OCI image layout: {why}",
            where=self._path,
            remedy="Make one with: skopeo copy docker://IMAGE oci:FOLDER",
        )


def _shown(value: object) -> str:
    """A value of the layout for a message, in a few words."""
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return ascii(value[:100]) if isinstance(value, str) else f"{value:,}"[:100]
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return str(value).lower()


def _is_shallow(value: object, levels: int) -> bool:
    """Whether JSON is nested no deeper than that."""
    if not isinstance(value, (dict, list)):
        return True
    inner: Iterable[object] = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_shallow(item, levels - 1) for item in inner)
