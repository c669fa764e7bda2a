"""Writing a conda package, `.conda` or `.tar.bz2`, from a folder that holds its files."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import platform
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard

from ..cache import new_file
from ..interpreter import conda_subdir
from ..model import PLACEHOLDER, NoArch
from .staging import walk

#: The build time that every package claims, in seconds: packages made twice are made alike.
TIMESTAMP = 1_700_000_000

_LEVEL = 3  # of zstandard: built once and read from the local disk, so speed counts for more


@dataclass(frozen=True, slots=True)
class PackageMeta:
    """What a package says about itself."""

    name: str
    version: str
    build: str
    depends: tuple[str, ...] = ()
    noarch: NoArch | None = None
    entry_points: tuple[str, ...] = ()
    license: str = ""
    summary: str = ""

    @property
    def subdir(self) -> str:
        """The channel folder that the package belongs in."""
        return "noarch" if self.noarch else conda_subdir()

    @property
    def stem(self) -> str:
        """`name-version-build`."""
        return f"{self.name}-{self.version}-{self.build}"

    def index(self) -> dict[str, Any]:
        """`info/index.json`, which becomes the package's row in the repodata."""
        index: dict[str, Any] = {
            "arch": None if self.noarch else platform.machine(),
            "build": self.build,
            "build_number": 0,
            "depends": list(self.depends),
            "license": self.license,
            "name": self.name,
            "platform": None if self.noarch else "linux",
            "subdir": self.subdir,
            "timestamp": TIMESTAMP * 1000,
            "version": self.version,
        }
        if self.noarch:
            index["noarch"] = self.noarch
        return index


def write_package(stage: Path, meta: PackageMeta, folder: Path, *, legacy: bool = False) -> Path:
    """Pack everything under `stage` into `folder/<subdir>/<stem>.conda` (or `.tar.bz2`)."""
    paths = list(_describe(stage))
    info = _info_files(meta, paths)
    target = folder / meta.subdir / (meta.stem + (".tar.bz2" if legacy else ".conda"))
    with new_file(target) as work:
        if legacy:
            with tarfile.open(work, "w:bz2", compresslevel=1) as tar:
                _add_info(tar, info)
                _add_paths(tar, stage, paths)
        else:
            _write_conda(work, meta.stem, stage, info, paths)
    return target


def _describe(stage: Path) -> Iterator[dict[str, Any]]:
    """One entry of `paths.json` for each file and link."""
    placeholder = PLACEHOLDER.encode()
    for path in walk(stage):
        entry: dict[str, Any] = {"_path": path.relative_to(stage).as_posix()}
        if path.is_symlink():
            # conda-build hashes what a link leads to, or nothing where it leads nowhere
            data = path.read_bytes() if path.is_file() else b""
            entry["path_type"] = "softlink"
        else:
            data = path.read_bytes()
            entry["path_type"] = "hardlink"
            # bytecode is left alone, as conda-build does: Python corrects its paths at import
            if placeholder in data and path.suffix != ".pyc":
                entry["prefix_placeholder"] = PLACEHOLDER
                entry["file_mode"] = "binary" if b"\0" in data else "text"
        entry["sha256"] = hashlib.sha256(data).hexdigest()
        entry["size_in_bytes"] = len(data)
        yield entry


def _info_files(meta: PackageMeta, paths: list[dict[str, Any]]) -> dict[str, bytes]:
    documents: dict[str, Any] = {
        "about.json": {"license": meta.license, "summary": meta.summary},
        "hash_input.json": {},
        "index.json": meta.index(),
        "paths.json": {"paths": paths, "paths_version": 1},
    }
    if meta.noarch == "python":
        documents["link.json"] = {
            "noarch": {"entry_points": list(meta.entry_points), "type": "python"},
            "package_metadata_version": 1,
        }
    files = {
        f"info/{name}": json.dumps(value, indent=2).encode() for name, value in documents.items()
    }
    files["info/files"] = "".join(f"{entry['_path']}\n" for entry in paths).encode()
    prefixed = [entry for entry in paths if "prefix_placeholder" in entry]
    if prefixed:
        lines = (f"{PLACEHOLDER} {entry['file_mode']} {entry['_path']}\n" for entry in prefixed)
        files["info/has_prefix"] = "".join(lines).encode()
    return files


def _write_conda(
    target: Path, stem: str, stage: Path, info: dict[str, bytes], paths: list[dict[str, Any]]
) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        version = zipfile.ZipInfo("metadata.json")
        archive.writestr(version, json.dumps({"conda_pkg_format_version": 2}))
        with _zstd_tar(archive, f"pkg-{stem}.tar.zst") as tar:
            _add_paths(tar, stage, paths)
        with _zstd_tar(archive, f"info-{stem}.tar.zst") as tar:
            _add_info(tar, info)


@contextlib.contextmanager
def _zstd_tar(archive: zipfile.ZipFile, name: str) -> Iterator[tarfile.TarFile]:
    """A compressed tar stream that becomes a member of the archive."""
    compressor = zstandard.ZstdCompressor(level=_LEVEL, threads=-1)
    with (
        archive.open(name, "w", force_zip64=True) as member,
        compressor.stream_writer(member, closefd=False) as compressed,
        tarfile.open(fileobj=compressed, mode="w|") as tar,
    ):
        yield tar


def _add_info(tar: tarfile.TarFile, info: dict[str, bytes]) -> None:
    for name, data in sorted(info.items()):
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = len(data), TIMESTAMP, 0o644
        tar.addfile(member, io.BytesIO(data))


def _add_paths(tar: tarfile.TarFile, stage: Path, paths: Iterable[dict[str, Any]]) -> None:
    for entry in paths:
        tar.add(stage / entry["_path"], entry["_path"], recursive=False, filter=_anonymous)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
