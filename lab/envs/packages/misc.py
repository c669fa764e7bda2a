"""Small packages that every conda environment has: tzdata, ca-certificates, python_abi."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from ..cache import code_digest, digest
from ..interpreter import Interpreter
from .archive import PackageMeta, write_package
from .debian import debian_state, installed
from .staging import drop_dangling_links, link, staging_folder

CODE = ("packages/archive", "packages/debian", "packages/misc", "packages/staging")

_ZONES = Path("/usr/share/zoneinfo")
_CERTIFICATES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),  # Debian
    Path("/etc/pki/tls/certs/ca-bundle.crt"),  # Fedora
)


def misc_metas(interpreter: Interpreter) -> dict[str, PackageMeta]:
    """The packages of this module."""
    build = digest(code_digest(*CODE), debian_state())[:7]
    zones = next((package.upstream for package in installed() if package.name == "tzdata"), "0")
    abi = f"cp{interpreter.compact}"
    return {
        "ca-certificates": PackageMeta("ca-certificates", "2026.1.1", f"h{build}_0", license="ISC"),
        # a package without a single file, as on conda-forge
        "python_abi": PackageMeta("python_abi", interpreter.short, f"0_{abi}", noarch="generic"),
        "tzdata": PackageMeta(
            "tzdata", zones, f"h{build}_0", noarch="generic", license="LicenseRef-Public-Domain"
        ),
    }


def build_misc(meta: PackageMeta, folder: Path, *, legacy: bool = False) -> Path:
    """Write one of these packages under `folder`."""
    with staging_folder() as stage:
        _STAGES[meta.name](stage)
        return write_package(stage, meta, folder, legacy=legacy)


def _stage_zones(stage: Path) -> None:
    if _ZONES.is_dir():
        shutil.copytree(_ZONES, stage / "share" / "zoneinfo", symlinks=True)
        drop_dangling_links(stage)  # `localtime` leads to the machine's setting


def _stage_certificates(stage: Path) -> None:
    for bundle in _CERTIFICATES:
        if bundle.is_file():
            (stage / "ssl").mkdir()
            shutil.copyfile(bundle, stage / "ssl" / "cacert.pem")
            link(stage / "ssl" / "cert.pem", "cacert.pem")
            return


def _stage_nothing(stage: Path) -> None:
    """python_abi has no files."""


_STAGES: dict[str, Callable[[Path], None]] = {
    "ca-certificates": _stage_certificates,
    "python_abi": _stage_nothing,
    "tzdata": _stage_zones,
}
