"""Packages whose contents are spelled out: `SyntheticPackage` made into a conda package."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from ..cache import code_digest, digest
from ..errors import BuildError
from ..interpreter import Interpreter
from ..model import PLACEHOLDER, SyntheticPackage
from .archive import PackageMeta, write_package
from .staging import compile_tree, link, staging_folder, walk, write

CODE = ("packages/archive", "packages/staging", "packages/synthetic")


def synthetic_meta(package: SyntheticPackage, interpreter: Interpreter) -> PackageMeta:
    """Name, version, build string and dependencies; the build string tells contents apart."""
    contents = sorted((path, _bytes(content)) for path, content in package.files.items())
    links = sorted(package.links.items())
    depends, points = tuple(package.depends), tuple(package.entry_points)
    build = digest(
        code_digest(*CODE), contents, links, sorted(package.executables), depends, points,
        package.noarch, package.dist_info, package.bytecode, interpreter.short,
    )[:7]  # fmt: skip
    prefix = {"python": "pyh", "generic": "h", None: f"py{interpreter.compact}h"}[package.noarch]
    return PackageMeta(
        name=package.name,
        version=package.version,
        build=f"{prefix}{build}_0",
        depends=depends,
        noarch=package.noarch,
        entry_points=points if package.noarch == "python" else (),
        license=package.license,
        summary=f"{package.name}, made for a test",
    )


def build_synthetic(package: SyntheticPackage, interpreter: Interpreter, folder: Path) -> Path:
    """Write the package under `folder`."""
    site = site_folder(interpreter, noarch=package.noarch == "python")
    executables = {_place(path, site) for path in package.executables}
    with staging_folder() as stage:
        for path, content in package.files.items():
            place = _place(path, site)
            runs = place in executables or place.split("/")[0] in ("bin", "python-scripts")
            write(stage / place, content, executable=runs)
        for path, target in package.links.items():
            link(stage / _place(path, site), target)
        if package.noarch != "python":
            for point in package.entry_points:
                write_entry_point(stage, point, interpreter)
        if package.bytecode:
            compile_tree(interpreter, stage, stage)
        if package.dist_info:
            _write_dist_info(package, stage, stage / site)
        return write_package(
            stage, synthetic_meta(package, interpreter), folder, legacy=package.legacy
        )


def site_folder(interpreter: Interpreter, *, noarch: bool) -> str:
    """Where a package keeps its modules: `noarch: python` leaves the folder to the install."""
    return "site-packages" if noarch else f"lib/python{interpreter.short}/site-packages"


def write_entry_point(stage: Path, point: str, interpreter: Interpreter) -> None:
    """Write the script for `name = module:function` into `bin/`, as conda-build does."""
    name, _, goal = (part.strip() for part in point.partition("="))
    module, _, function = goal.partition(":")
    if not (name and module and function):
        raise BuildError(
            f"not an entry point: {point!r}", fix='write it as "name = module:function"'
        )
    lines = (
        f"#!{PLACEHOLDER}/bin/python{interpreter.short}",
        "import sys",
        "",
        f"from {module.strip()} import {function.split('.')[0].strip()}",
        "",
        "if __name__ == '__main__':",
        f"    sys.exit({function.strip()}())",
    )
    write(stage / "bin" / name, "\n".join(lines) + "\n", executable=True)


def write_record(stage: Path, site: Path, dist_info: Path) -> None:
    """Write RECORD for everything in `stage`, with paths relative to site-packages, as pip does."""
    record = dist_info / "RECORD"
    write(record, "")
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows(_record_rows(stage, site, record))
    write(record, table.getvalue())


def _record_rows(stage: Path, site: Path, record: Path) -> Iterator[tuple[str, str, str]]:
    for path in walk(stage):
        name = os.path.relpath(path, site)
        if path == record or path.suffix == ".pyc":
            yield name, "", ""
        elif not path.is_symlink():
            data = path.read_bytes()
            hashed = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            yield name, f"sha256={hashed}", str(len(data))


def _write_dist_info(package: SyntheticPackage, stage: Path, site: Path) -> None:
    name = package.name.replace("-", "_")
    folder = site / f"{name}-{package.version}.dist-info"
    header = (
        f"Metadata-Version: 2.1\nName: {package.name}\nVersion: {package.version}\n",
        "Summary: test\n",
    )
    files: dict[str, str] = {
        "INSTALLER": "conda\n",
        "METADATA": "".join(header),
        "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "top_level.txt": "".join(f"{module}\n" for module in _top_level(site)),
    }
    if points := list(package.entry_points):
        files["entry_points.txt"] = "[console_scripts]\n" + "".join(
            f"{point}\n" for point in points
        )
    for file, content in files.items():
        if not (folder / file).exists():  # the test's own version wins
            write(folder / file, content)
    write_record(stage, site, folder)


def _top_level(site: Path) -> Iterable[str]:
    for path in sorted(site.iterdir()):
        if path.is_dir() and not path.name.endswith(".dist-info") and path.name != "__pycache__":
            yield path.name
        elif path.suffix == ".py":
            yield path.stem


def _place(path: str, site: str) -> str:
    place = PurePosixPath(path.replace("{site}", site))
    if place.is_absolute() or ".." in place.parts:
        raise BuildError(
            f"a package path must stay inside the prefix: {path!r}", fix="make it relative"
        )
    return place.as_posix()


def _bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content
