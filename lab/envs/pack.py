"""conda-pack archives of environments, and unpacking them."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import zstandard

from .cache import PACKED, cache_root, locked, new_file
from .errors import BuildError
from .interpreter import clean_environ
from .model import BuiltEnvironment, PackedEnvironment, run_in_prefix

FORMATS = ("tar.gz", "tar.zst", "zip")

# conda-pack has no __main__: this is what its console script does
_CONDA_PACK = "import sys; from conda_pack.cli import main; sys.exit(main())"


def pack_prefix(prefix: Path, archive: Path, *arguments: str) -> Path:
    """Run conda-pack on a prefix; the archive's name decides the format."""
    options = ["--quiet", "--force", "--prefix", str(prefix), "--n-threads", "-1", *arguments]
    if archive.name.endswith(".zip"):
        options.append(
            "--zip-symlinks"
        )  # copying fails at links that lead nowhere, and environments have some
    with new_file(archive.absolute()) as work:
        done = subprocess.run(
            [sys.executable, "-c", _CONDA_PACK, *options, "--output", str(work)],
            capture_output=True,
            text=True,
            env=clean_environ(),
            check=False,
        )
        if done.returncode or not work.is_file():
            raise BuildError(
                f"conda-pack failed ({done.returncode}):\n{done.stdout}{done.stderr}",
                where=prefix,
                fix="pip install conda-pack zstandard, or see its message",
            )
    return archive


def packed_environment(environment: BuiltEnvironment, form: str = "tar.gz") -> PackedEnvironment:
    """The conda-pack archive of a shared environment, packed once and kept."""
    if form not in FORMATS:
        raise BuildError(f"unknown format {form!r}", fix=f"choose from: {', '.join(FORMATS)}")
    home = environment.prefix.parent.name
    archive = cache_root() / PACKED / home / f"env.{form}"
    with locked(f"pack-{home}-{form}"):
        if (
            not archive.is_file()
            or archive.stat().st_mtime < (environment.prefix / "conda-meta").stat().st_mtime
        ):
            pack_prefix(environment.prefix, archive)
    return PackedEnvironment(archive, form, environment)


def unpack_archive(archive: Path, prefix: Path, *, conda_unpack: bool = False) -> Path:
    """Unpack a conda-pack archive into `prefix`, and run its conda-unpack if asked to."""
    prefix.mkdir(parents=True)
    if archive.name.endswith(".zip"):
        _unzip(archive, prefix)
    elif archive.name.endswith(".zst"):
        with (
            archive.open("rb") as raw,
            zstandard.ZstdDecompressor().stream_reader(raw) as stream,
            tarfile.open(fileobj=stream, mode="r|") as tar,
        ):
            _extract(tar, prefix)
    else:
        with tarfile.open(archive) as tar:
            _extract(tar, prefix)
    if conda_unpack:
        run_conda_unpack(prefix)
    return prefix


def run_conda_unpack(prefix: Path) -> None:
    """Run the conda-unpack of an unpacked archive, which puts the prefix into its files."""
    run_in_prefix(prefix, "python", str(prefix / "bin" / "conda-unpack"))


def _extract(tar: tarfile.TarFile, prefix: Path) -> None:
    if hasattr(tarfile, "fully_trusted_filter"):
        tar.extractall(prefix, filter="fully_trusted")  # our own archive, with links of every kind
    else:
        tar.extractall(prefix)


def _unzip(archive: Path, prefix: Path) -> None:
    """zipfile knows neither links nor modes: conda-pack keeps both in the external attributes."""
    with zipfile.ZipFile(archive) as members:
        for member in members.infolist():
            target = prefix / member.filename
            mode = member.external_attr >> 16
            if member.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if stat.S_ISLNK(mode):
                os.symlink(members.read(member).decode(), target)
                continue
            with members.open(member) as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy)
            target.chmod(stat.S_IMODE(mode) or 0o644)
