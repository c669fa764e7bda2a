"""Writes an OCI image layout: layers by package, a configuration, and what a base image brings."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from condaprune.errors import UsageProblem
from condaprune.files import open_regular
from condaprune.model import Buffer, Inventory, Plan, Record
from condaprune.paths import to_bytes
from condaprune.sinks.outputs.compress import Codec, check_level, open_compressor
from condaprune.sinks.outputs.format import Format, Job, Writer
from condaprune.sinks.outputs.held import folder_in, made_folder, new_file_in
from condaprune.sinks.outputs.members import EARLIEST, Modes, common_time
from condaprune.sinks.outputs.ocibase import INDEX, MANIFEST, OciBase
from condaprune.sinks.outputs.options import OutputOptions
from condaprune.sinks.outputs.places import Place, new_folder
from condaprune.sinks.outputs.tar import TarWriter, WithFolders
from condaprune.sources.base import CHUNK, Body, Member
from condaprune.targets import open_folder, part_name

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
_TAG = "latest"
_BLOBS = "blobs/sha256"
_TOP = ("index.json", "oci-layout")
_HOME = "/opt/env"
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


def _check(options: OutputOptions) -> None:
    check_level(options.image.codec, options.level)
    if options.arcroot is not None:
        raise UsageProblem(
            "an image has no folder around its members",
            where="--arcroot",
            remedy="Say where the environment lies with --dest-prefix",
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
            label = homes.get(first.setdefault(entry.identity, path), label)
        homes[path] = label
        sizes[label] = sizes.get(label, 0) + entry.size
    sizes.pop("", None)
    biggest = sorted(sizes, key=lambda label: (-sizes[label], label))[: layers - 1]
    numbers = {label: number for number, label in enumerate(sorted(biggest))}
    last = len(numbers)
    return lambda path: numbers.get(homes.get(path, ""), last)


class _Layer(WithFolders):
    """A layer being written to the file *name* in the open folder *blobs*.

    It names the folders it needs, with the same modes and times everywhere.
    """

    def __init__(
        self, blobs: int, name: str, options: OutputOptions, folders: dict[str, Member]
    ) -> None:
        mode = Modes(options.mode).of("folder", 0o755)
        super().__init__(self._feed, options.owner, folders, mode)
        self._blobs, self._name, self._codec = blobs, name, options.image.codec
        self._file = new_file_in(blobs, name)
        self._plain, self._packed = hashlib.sha256(), hashlib.sha256()
        self._compressor = open_compressor(
            self._codec, self._write_packed, options.level, options.threads
        )
        self.compressor = self._compressor.name

    def close(self) -> tuple[dict[str, Any], str]:
        """Name the layer by its digest; returns its descriptor, and the digest of the tar."""
        self.finish()
        self._compressor.close()
        size = self._file.tell()
        self._file.close()
        digest, blobs = self._packed.hexdigest(), self._blobs
        os.replace(self._name, digest, src_dir_fd=blobs, dst_dir_fd=blobs)
        media = LAYER + _SUFFIX[self._codec]
        row = {"mediaType": media, "digest": f"sha256:{digest}", "size": size}
        return row, f"sha256:{self._plain.hexdigest()}"

    def abort(self) -> None:
        self._compressor.abort()
        self._file.close()

    def _feed(self, data: Buffer) -> None:
        self._plain.update(data)
        self._compressor.write(data)

    def _write_packed(self, data: Buffer) -> None:
        self._packed.update(data)
        self._file.write(data)


class _OciWriter(Writer):
    """Writes a layout into an empty folder; members go into the layers of their packages."""

    holds = TarWriter.holds

    def __init__(self, place: Place, job: Job) -> None:
        self._root, self._options, self._image = place.folder, job.options, job.options.image
        inventory = job.plan.inventory
        self.layer_of = self._layer_of = group_by_package(inventory, self._image.layers)
        self._inside = len(job.root) + 1
        self._streamed = job.streamed
        self._open: dict[int, _Layer] = {}
        self._done: dict[int, tuple[dict[str, Any], str]] = {}
        self._folders: dict[str, Member] = {}
        self._where: dict[str, int] = {}
        self._architecture = architecture_of(inventory)
        base = self._image.base
        self._base = OciBase(base, self._architecture) if base else None
        if _compiles_always(job.plan, self._image.env):
            note = (
                "without bytecode and with PYTHONDONTWRITEBYTECODE every start compiles what it "
                "imports: --bytecode keep, or leave the variable out"
            )
            self.notes = (note,)
        for folder in ("blobs", _BLOBS):
            os.mkdir(folder, dir_fd=self._root)
        self._handles = contextlib.ExitStack()
        self._blobs = self._handles.enter_context(folder_in(_BLOBS, self._root))

    def add(self, member: Member, body: Body) -> None:
        if member.linked:
            number = self._where[member.linked]
        else:
            number = self._layer_of(member.path[self._inside :])
        if member.kind == "file":
            self._where[member.path] = number
        self._layer(number).add(member, body)

    def finish(self) -> None:
        if not self._open and not self._done:
            self._layer(0)
        self._close_all()
        layers = [self._done[number] for number in sorted(self._done)]
        base = self._base
        if base is not None:
            base.copy_layers(self._blobs)
        config = self._config([diff for _, diff in layers])
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._blob(CONFIG, config),
            "layers": [*(base.layers if base is not None else ()), *(row for row, _ in layers)],
        }
        descriptor = self._blob(MANIFEST, manifest)
        descriptor["platform"] = {"architecture": config["architecture"], "os": config["os"]}
        descriptor["annotations"] = {"org.opencontainers.image.ref.name": _TAG}
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor]}
        for name, value in zip(_TOP, (index, {"imageLayoutVersion": "1.0.0"}), strict=True):
            with new_file_in(self._root, name) as file:
                file.write(_json(value))
        self._handles.close()

    def abort(self) -> None:
        for layer in self._open.values():
            layer.abort()
        self._handles.close()

    def _layer(self, number: int) -> _Layer:
        layer = self._open.get(number)
        if layer is None:
            if not self._streamed:  # the layers come one after the other
                self._close_all()
            name = f"layer-{number}"
            layer = _Layer(self._blobs, name, self._options, self._folders)
            self._open[number] = layer
            self.compressor = layer.compressor
        return layer

    def _close_all(self) -> None:
        for number in sorted(self._open):
            self._done[number] = self._open.pop(number).close()

    def _config(self, diffs: list[str]) -> dict[str, Any]:
        base, image, home = self._base, self._image, self._options.dest_prefix
        run: dict[str, Any] = dict(base.run) if base is not None else {}
        variables = dict(v.partition("=")[::2] for v in base.env) if base is not None else {}
        path = variables.get("PATH", _PATH)
        variables["PATH"] = f"{home}/bin:{path}"
        variables["CONDA_PREFIX"] = str(home)
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
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(common_time()))
        history: list[dict[str, Any]] = list(base.history) if base is not None else []
        history += [{"created": created, "created_by": "condaprune"} for _ in diffs]
        return {
            "architecture": base.architecture if base is not None else self._architecture,
            "os": base.os if base is not None else "linux",
            "created": created,
            "config": run,
            "rootfs": {"type": "layers", "diff_ids": [*(base.diffs if base else ()), *diffs]},
            "history": history,
        }

    def _blob(self, media: str, value: object) -> dict[str, Any]:
        data = _json(value)
        digest = hashlib.sha256(data).hexdigest()
        if digest not in os.listdir(self._blobs):
            with new_file_in(self._blobs, digest) as file:
                file.write(data)
        return {"mediaType": media, "digest": f"sha256:{digest}", "size": len(data)}


class _PackedWriter(_OciWriter):
    """Writes a layout beside the output, then a tar of it: the same bytes for the same layout."""

    def __init__(self, place: Place, job: Job) -> None:
        import shutil

        self._file = place.file
        around, name = os.path.split(to_bytes(place.path))
        name = part_name(name)
        self._scratch = contextlib.ExitStack()
        try:
            folder = self._scratch.enter_context(open_folder(around))
            self._scratch.callback(shutil.rmtree, os.path.join(around, name), ignore_errors=True)
            scratch = self._scratch.enter_context(made_folder(name, folder))
            super().__init__(Place(place.path, folder=scratch), job)
        except BaseException:
            self._scratch.close()
            raise

    def finish(self) -> None:
        super().finish()
        writer = TarWriter(self._file.write)
        with folder_in(_BLOBS, self._root) as blobs:
            names = [f"{_BLOBS}/{name}" for name in os.listdir(blobs)]
        for name in sorted([*names, *_TOP]):
            with open(open_regular(name, folder=self._root), "rb", buffering=0) as blob:
                size = os.fstat(blob.fileno()).st_size
                member = Member(name, "file", size, 0o644, EARLIEST)
                writer.add(member, iter(functools.partial(blob.read, CHUNK), b""))
        writer.finish()
        self._scratch.close()

    def abort(self) -> None:
        super().abort()
        self._scratch.close()


def _compiles_always(plan: Plan, variables: Iterable[str]) -> bool:
    """Whether bytecode goes from an image whose Python is told to write none."""
    name = "PYTHONDONTWRITEBYTECODE="
    forbidden = any(variable.startswith(name) and variable != name for variable in variables)
    return forbidden and any(entry.path.endswith(".pyc") for entry in plan.removed())


def architecture_of(inventory: Inventory) -> str:
    """The architecture of an environment as OCI names it; amd64 where no record says."""
    for record in inventory.records:
        if record.subdir in _ARCHITECTURES:
            return _ARCHITECTURES[record.subdir]
    return "amd64"


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


FORMATS = (
    Format("oci", (".oci",), _OciWriter, _check, new_folder, home=_HOME),
    Format("oci.tar", (".oci.tar",), _PackedWriter, _check, home=_HOME),
)
