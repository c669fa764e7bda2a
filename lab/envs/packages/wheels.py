"""Conda packages made of wheels: `noarch: python` for pure ones, of one Python for the others."""

from __future__ import annotations

import configparser
import email
import email.message
import json
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..cache import code_digest, digest
from ..errors import BuildError
from ..interpreter import Interpreter
from ..model import PLACEHOLDER
from .archive import PackageMeta, write_package
from .debian import LIBRARIES
from .staging import compile_tree, staging_folder, write
from .synthetic import site_folder, write_entry_point, write_record

CODE = ("packages/archive", "packages/staging", "packages/synthetic", "packages/wheels")

#: What wheels leave to the system, and conda recipes name.
_ALSO_NEEDS: Mapping[str, tuple[str, ...]] = {"lightgbm": ("libgomp",), "xgboost": ("libgomp",)}

#: Names that mean something else on a conda channel, beside those of the native libraries.
_TAKEN = {"python", "tzdata", "ca-certificates", "python-abi", "prefixdemo"}


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel file and what it says about itself."""

    path: Path
    dist_info: str
    name: str
    version: str
    pure: bool
    requires: tuple[Requirement, ...]
    requires_python: str
    scripts: tuple[str, ...]
    license: str
    summary: str


def read_wheel(path: Path) -> Wheel:
    """Read name, dependencies and scripts from a wheel's metadata."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        metadata = next(
            (name for name in names if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)), None
        )
        if metadata is None:
            raise BuildError("not a wheel: it has no METADATA", where=path, fix="delete the file")
        folder = metadata.partition("/")[0]
        message = _message(archive.read(metadata))
        tags = _message(archive.read(f"{folder}/WHEEL"))
        points = f"{folder}/entry_points.txt"
        scripts = _console_scripts(archive.read(points)) if points in names else ()
    return Wheel(
        path=path,
        dist_info=folder,
        name=canonicalize_name(message["Name"]),
        version=message["Version"],
        pure=tags.get("Root-Is-Purelib", "").lower() == "true"
        and path.name.endswith("-none-any.whl"),
        requires=tuple(Requirement(text) for text in message.get_all("Requires-Dist") or ()),
        requires_python=message.get("Requires-Python", "").replace(" ", ""),
        scripts=scripts,
        license=message.get("License-Expression") or message.get("License", "").split("\n")[0][:60],
        summary=message.get("Summary", ""),
    )


def conda_name(project: str) -> str:
    """The conda package's name for a PyPI project."""
    name = canonicalize_name(project)
    return f"python-{name}" if name in LIBRARIES or name in _TAKEN else name


def conda_specs(
    requirements: Iterable[Requirement],
    wheels: Mapping[str, Wheel],
    interpreter: Interpreter,
    extra: str = "",
) -> list[str]:
    """The requirements as conda specs; what extras ask for is added, as conda has none."""
    specs: dict[str, None] = {}  # an ordered set
    for requirement in requirements:
        if requirement.marker and not requirement.marker.evaluate(
            {**interpreter.markers, "extra": extra}
        ):
            continue
        versions = str(requirement.specifier)
        exact = versions and "===" not in versions  # conda knows every other operator
        specs[f"{conda_name(requirement.name)} {versions if exact else ''}".strip()] = None
        if wheel := wheels.get(canonicalize_name(requirement.name)):
            optional = [r for r in wheel.requires if r.marker and "extra" in str(r.marker)]
            for name in sorted(requirement.extras):
                specs.update(dict.fromkeys(conda_specs(optional, wheels, interpreter, name)))
    return list(specs)


def wheel_meta(
    wheel: Wheel, wheels: Mapping[str, Wheel], interpreter: Interpreter, libraries: Iterable[str]
) -> PackageMeta:
    """Name, version, build string and dependencies of the wheel's package."""
    available = set(libraries)
    depends = conda_specs(wheel.requires, wheels, interpreter)
    if wheel.pure:
        depends.insert(0, f"python {wheel.requires_python}".strip())
    else:
        following = f"3.{int(interpreter.short.split('.')[1]) + 1}.0a0"
        native = ("libgcc", "libstdcxx", *_ALSO_NEEDS.get(wheel.name, ()))
        depends[:0] = [
            f"python >={interpreter.short},<{following}",
            f"python_abi {interpreter.short}.*",
        ]
        depends += [name for name in native if name in available]
    kind = "pyh" if wheel.pure else f"py{interpreter.compact}h"
    about = "" if wheel.pure else interpreter.build
    return PackageMeta(
        name=conda_name(wheel.name),
        version=wheel.version,
        build=f"{kind}{digest(code_digest(*CODE), wheel.path.name, about, *depends)[:7]}_0",
        depends=tuple(depends),
        noarch="python" if wheel.pure else None,
        entry_points=wheel.scripts if wheel.pure else (),
        license=wheel.license,
        summary=wheel.summary,
    )


def build_wheel(
    wheel: Wheel, meta: PackageMeta, interpreter: Interpreter, folder: Path, *, legacy: bool = False
) -> Path:
    """Write the wheel's package under `folder`."""
    with staging_folder() as stage:
        site = stage / site_folder(interpreter, noarch=wheel.pure)
        programs = stage / ("python-scripts" if wheel.pure else "bin")
        headers = stage / "include" / f"python{interpreter.short}" / wheel.name
        schemes = {
            "purelib": site,
            "platlib": site,
            "scripts": programs,
            "data": stage,
            "headers": headers,
        }
        with zipfile.ZipFile(wheel.path) as archive:
            for member in archive.infolist():
                if not member.is_dir():
                    _unpack(archive, member, site, schemes)
        dist_info = site / wheel.dist_info
        write(dist_info / "INSTALLER", "conda\n")
        write(dist_info / "REQUESTED", "")
        # conda-forge's pip installs from the unpacked sources, and leaves this trace of it
        origin = f"file:///home/conda/feedstock_root/build_artifacts/{meta.name}_1700000000000/work"
        write(dist_info / "direct_url.json", json.dumps({"dir_info": {}, "url": origin}))
        if not wheel.pure:
            for point in wheel.scripts:
                write_entry_point(stage, point, interpreter)
            compile_tree(interpreter, stage, site)
        write_record(stage, site, dist_info)
        return write_package(stage, meta, folder, legacy=legacy)


def _unpack(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, site: Path, schemes: Mapping[str, Path]
) -> None:
    parts = PurePosixPath(member.filename).parts
    content = archive.read(member)
    runs = bool(member.external_attr >> 16 & 0o111)
    target = site.joinpath(*parts)
    if parts[0].endswith(".data"):
        target = schemes[parts[1]].joinpath(*parts[2:])
        if parts[1] == "scripts":
            runs = True
            # the wheel format's mark for "whichever python this is installed for"
            content = re.sub(rb"^#!python\w*", f"#!{PLACEHOLDER}/bin/python".encode(), content)
    write(target, content, executable=runs)


def _console_scripts(content: bytes) -> tuple[str, ...]:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
    parser.read_string(content.decode("utf-8"))
    if not parser.has_section("console_scripts"):
        return ()
    return tuple(
        f"{name} = {goal.partition('[')[0].strip()}"
        for name, goal in parser.items("console_scripts")
    )


def _message(content: bytes) -> email.message.Message:
    return email.message_from_string(content.decode("utf-8"))
