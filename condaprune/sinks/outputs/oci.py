"""Writes an OCI image layout: layers by package, a configuration, and what a base image brings."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from condaprune.errors import UsageProblem
from condaprune.model import Inventory, Record
from condaprune.paths import parent
from condaprune.sinks.outputs.compress import Codec, Compressor, open_compressor
from condaprune.sinks.outputs.ocibase import INDEX, MANIFEST, OciBase
from condaprune.sinks.outputs.tarwriter import TarWriter
from condaprune.sources.members import NO_BODY, Body, Buffer, Member

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
USUAL_DEST = "/opt/env"
_SUFFIX: dict[Codec, str] = {"none": "", "gzip": "+gzip", "zstd": "+zstd"}
_ARCHITECTURES = {
    "linux-64": "amd64",
    "linux-32": "386",
    "linux-aarch64": "arm64",
    "linux-armv7l": "arm",
    "linux-ppc64le": "ppc64le",
    "linux-s390x": "s390x",
    "linux-riscv64": "riscv64",
}
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Image:
    """What an image is besides its files.

    `layers` is how many layers at most; `env` are variables as ``NAME=VALUE``; `base` the path of
    an image layout that the layers are appended to; `codec` how layers are compressed.
    """

    layers: int = 1
    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    base: str = ""
    tag: str = "latest"
    codec: Codec = "gzip"

    def __post_init__(self) -> None:
        if self.layers < 1 or self.layers > 100:
            raise UsageProblem(
                f"no such number of layers: {self.layers}",
                where="--layers",
                remedy="Take one from 1 to 100",
            )
        for variable in self.env:
            if "=" not in variable or variable.startswith("="):
                raise UsageProblem(
                    f"no variable: {variable!r}", where="--env", remedy="Write it as NAME=VALUE"
                )
        if self.codec not in _SUFFIX:
            raise UsageProblem(
                f"layers cannot be compressed with {self.codec}",
                where="--layer-compression",
                remedy="Take gzip, zstd or none",
            )


def group_by_package(inventory: Inventory, layers: int) -> Callable[[str], int]:
    """The layer of each path: the biggest packages get their own, the rest shares the last one.

    Only the environment itself decides. A hard-linked file goes with its first name.
    """
    if layers == 1:
        return lambda _: 0
    homes: dict[str, str] = {}
    sizes: dict[str, int] = {}
    first: dict[tuple[int, int], str] = {}
    for path, entry in inventory.entries.items():
        if entry.kind == "folder":
            continue
        owners = inventory.owners_of(path)
        owner = next((o for o in owners if isinstance(o, Record)), owners[0] if owners else None)
        label = owner.label if owner is not None else ""
        if entry.links > 1 and entry.kind == "file":
            label = (
                homes[first.setdefault(entry.identity, path)] if entry.identity in first else label
            )
            first.setdefault(entry.identity, path)
        homes[path] = label
        sizes[label] = sizes.get(label, 0) + entry.size
    sizes.pop("", None)
    biggest = sorted(sizes, key=lambda label: (-sizes[label], label))[: layers - 1]
    numbers = {label: number for number, label in enumerate(sorted(biggest))}
    last = len(numbers)
    return lambda path: numbers.get(homes.get(path, ""), last)


@dataclass(slots=True)
class _Layer:
    """A layer being written."""

    file: BinaryIO
    compressor: Compressor
    writer: TarWriter
    plain: Any
    packed: Any
    size: int = 0
    folders: set[str] = field(default_factory=set)


class OciWriter:
    """Writes into the empty folder *root*; members go where *group* puts them."""

    def __init__(
        self,
        root: str,
        image: Image,
        dest: str,
        group: Callable[[str], int],
        *,
        architecture: str,
        level: int | None,
        threads: int,
        owner: tuple[int, int],
        mtime: int,
        folder_mode: int,
        in_order: bool,
    ) -> None:
        self._blobs = os.path.join(root, "blobs", "sha256")
        os.makedirs(self._blobs)
        self._root, self._image, self._dest = root, image, dest
        self._group, self._level, self._threads = group, level, threads
        self._architecture, self._owner, self._mtime = architecture, owner, mtime
        self._in_order, self._folder_mode = in_order, folder_mode
        self._open: dict[int, _Layer] = {}
        self._done: dict[int, tuple[dict[str, Any], str]] = {}
        self._folders: dict[str, Member] = {}
        self._where: dict[str, int] = {}
        self._base = OciBase(image.base, architecture) if image.base else None
        self.name = ""

    def add(self, member: Member, body: Body) -> None:
        """Write one member into its layer."""
        if member.kind == "folder":
            self._folders[member.path] = member
            self._parents(self._layer(self._group(member.path)), member.path)
            return
        number = self._where[member.linked] if member.linked else self._group(member.path)
        if member.kind == "file":
            self._where[member.path] = number
        layer = self._layer(number)
        self._parents(layer, parent(member.path))
        layer.writer.add(member, body)

    def finish(self) -> None:
        """Complete the layers, then write the configuration, the manifest and the index."""
        if not self._open and not self._done:
            self._layer(0)
        for number in sorted(self._open):
            self._close(number)
        layers = [self._done[number] for number in sorted(self._done)]
        base = self._base
        if base is not None:
            base.copy_layers(self._blobs)
        config = self._config([diff for _, diff in layers])
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._blob(CONFIG, config),
            "layers": (base.layers if base is not None else []) + [row for row, _ in layers],
        }
        descriptor = self._blob(MANIFEST, manifest)
        descriptor["platform"] = {"architecture": config["architecture"], "os": config["os"]}
        descriptor["annotations"] = {"org.opencontainers.image.ref.name": self._image.tag}
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor]}
        for name, value in (("index.json", index), ("oci-layout", {"imageLayoutVersion": "1.0.0"})):
            with open(os.path.join(self._root, name), "xb") as file:
                file.write(_json(value))

    def abort(self) -> None:
        """Stop the threads."""
        for layer in self._open.values():
            layer.compressor.abort()
            layer.file.close()

    def _layer(self, number: int) -> _Layer:
        layer = self._open.get(number)
        if layer is not None:
            return layer
        if self._in_order:
            for other in list(self._open):
                self._close(other)
        file = open(os.path.join(self._blobs, f"layer-{number}"), "xb")  # noqa: SIM115
        packed, plain = hashlib.sha256(), hashlib.sha256()

        def write(data: bytes) -> None:
            packed.update(data)
            file.write(data)

        compressor = open_compressor(self._image.codec, write, self._level, self._threads)
        self.name = compressor.name

        def feed(data: Buffer) -> None:
            plain.update(data)
            compressor.write(data)

        writer = TarWriter(feed, "", self._owner)
        layer = _Layer(file, compressor, _Below(writer, self._dest), plain, packed)  # type: ignore[arg-type]
        self._open[number] = layer
        self._parents(layer, "")
        return layer

    def _parents(self, layer: _Layer, folder: str) -> None:
        """Each layer names the folders it needs, with the same modes and times everywhere."""
        if folder in layer.folders:
            return
        if folder:
            self._parents(layer, parent(folder))
        layer.folders.add(folder)
        member = self._folders.get(folder)
        layer.writer.add(
            member or Member(folder, "folder", 0, self._folder_mode, self._mtime), NO_BODY
        )

    def _close(self, number: int) -> None:
        layer = self._open.pop(number)
        layer.writer.finish()
        layer.compressor.close()
        layer.file.close()
        digest = layer.packed.hexdigest()
        path = os.path.join(self._blobs, f"layer-{number}")
        size = os.path.getsize(path)
        os.replace(path, os.path.join(self._blobs, digest))
        media = LAYER + _SUFFIX[self._image.codec]
        row = {"mediaType": media, "digest": f"sha256:{digest}", "size": size}
        self._done[number] = (row, f"sha256:{layer.plain.hexdigest()}")

    def _config(self, diffs: list[str]) -> dict[str, Any]:
        base: Mapping[str, Any] = self._base.config if self._base is not None else {}
        image = self._image
        run: dict[str, Any] = dict(base.get("config") or {})
        variables = dict(v.partition("=")[::2] for v in run.get("Env") or ())
        path = variables.get("PATH", _PATH)
        variables["PATH"] = f"{self._dest}/bin:{path}"
        variables["CONDA_PREFIX"] = self._dest
        variables.update(v.partition("=")[::2] for v in image.env)
        run["Env"] = [f"{name}={value}" for name, value in variables.items()]
        if image.entrypoint:
            run["Entrypoint"] = list(image.entrypoint)
            run.pop("Cmd", None)
        if image.command:
            run["Cmd"] = list(image.command)
        if image.user:
            run["User"] = image.user
        if image.workdir:
            run["WorkingDir"] = image.workdir
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._mtime))
        history = list(base.get("history") or ())
        history += [{"created": created, "created_by": "condaprune"} for _ in diffs]
        before = list((base.get("rootfs") or {}).get("diff_ids") or ())
        return {
            "architecture": base.get("architecture", self._architecture),
            "os": base.get("os", "linux"),
            "created": created,
            "config": run,
            "rootfs": {"type": "layers", "diff_ids": before + diffs},
            "history": history,
        }

    def _blob(self, media: str, value: object) -> dict[str, Any]:
        data = _json(value)
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(self._blobs, digest), "wb") as file:
            file.write(data)
        return {"mediaType": media, "digest": f"sha256:{digest}", "size": len(data)}


class _Below:
    """Writes members below the destination, whose own folders come first."""

    def __init__(self, writer: TarWriter, dest: str) -> None:
        self._writer = writer
        self._parts = dest.strip("/").split("/")

    def add(self, member: Member, body: Body) -> None:
        from dataclasses import replace

        if not member.path:
            for end in range(1, len(self._parts) + 1):
                self._writer.add(replace(member, path="/".join(self._parts[:end])), NO_BODY)
            return
        root = "/".join(self._parts)
        linked = f"{root}/{member.linked}" if member.linked else ""
        self._writer.add(replace(member, path=f"{root}/{member.path}", linked=linked), body)

    def finish(self) -> None:
        self._writer.finish()


def architecture_of(inventory: Inventory) -> str:
    """The architecture of an environment in the words of OCI; amd64 where no record tells."""
    for record in inventory.records:
        if record.subdir in _ARCHITECTURES:
            return _ARCHITECTURES[record.subdir]
    return "amd64"


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
