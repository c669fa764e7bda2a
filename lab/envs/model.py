"""The vocabulary: sizes, variants, synthetic packages, and what a build hands back."""

from __future__ import annotations

import enum
import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from .errors import BuildError
from .interpreter import Interpreter, clean_environ

#: The build prefix baked into packages. conda-build pads its own to 255 characters, so that a
#: binary can be patched in place for every shorter install prefix; so do we.
PLACEHOLDER = (
    "/home/conda/feedstock_root/build_artifacts/testbed_1700000000000/_h_env_" + "placehold_" * 40
)[:255]

#: What each size asks PyPI for, beside `BASE_REQUIREMENTS`.
SIZES: Mapping[str, tuple[str, ...]] = {
    "tiny": ("click",),
    "small": ("numpy", "pandas", "click", "uvicorn"),
    "big": ("scikit-learn", "scipy", "fastapi", "uvicorn", "lightgbm", "numpy", "pandas", "click"),
}

#: Every conda-forge python brings these along.
BASE_REQUIREMENTS = ("pip", "setuptools<81", "wheel")

NoArch = Literal["python", "generic"]


class Variant(str, enum.Enum):
    """A way in which an environment may differ from a plain, freshly installed one."""

    NO_BYTECODE = "no-bytecode"
    """`noarch: python` packages are left uncompiled, as pixi leaves them."""
    NO_CACHE = "no-cache"
    """The package cache is gone after the install (`conda clean --packages`)."""
    COPIED = "copied"
    """Files are copied from the package cache, as across file systems."""
    LEGACY = "tar-bz2"
    """Every package comes from a `.tar.bz2`."""
    CONDA_RECORDS = "conda-records"
    """`conda-meta` as conda writes it: `paths_data` of noarch packages holds unlinked paths."""
    BARE_RECORDS = "bare-records"
    """`conda-meta` without `paths_data`, as base installs of old have it."""
    PIP = "pip"
    """pip added a distribution of its own and installed its click over conda's."""
    EDITABLE = "editable"
    """A project is installed with `pip install --editable`."""

    def __str__(self) -> str:
        return self.value


def parse_variants(value: Variant | str | Iterable[Variant | str]) -> frozenset[Variant]:
    """Read one variant, several, or a comma-separated text; "plain" and "" mean none."""
    items = value.split(",") if isinstance(value, str) else list(value)
    names = {str(item).strip() for item in items} - {"", "plain"}
    known = {variant.value for variant in Variant}
    if unknown := sorted(names - known):
        raise BuildError(
            f"unknown variant {', '.join(unknown)}",
            fix=f"choose from: plain, {', '.join(sorted(known))}",
        )
    return frozenset(Variant(name) for name in names)


@dataclass(frozen=True, slots=True)
class SyntheticPackage:
    """A small conda package whose contents a test spells out.

    `files` maps paths to contents. A path may start with `{site}`, which stands for the
    site-packages folder as this kind of package names it. `PLACEHOLDER` inside a content becomes
    a genuine prefix placeholder: text, or binary where the content holds a NUL byte.
    """

    name: str
    version: str = "1.0"
    files: Mapping[str, bytes | str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    """Symbolic links: path to target."""
    executables: Iterable[str] = ()
    """Paths to make executable; everything in `bin/` and `python-scripts/` is anyway."""
    noarch: NoArch | None = None
    entry_points: Iterable[str] = ()
    """Console scripts, each `"name = module:function"`."""
    depends: Iterable[str] = ()
    dist_info: bool = False
    """Add a `.dist-info` folder with METADATA, RECORD, INSTALLER, WHEEL, top_level.txt."""
    bytecode: bool = False
    """Ship bytecode inside the package, as conda-build does for packages that are not noarch."""
    legacy: bool = False
    """Write a `.tar.bz2` instead of a `.conda`."""
    license: str = "MIT"


@dataclass(frozen=True, slots=True)
class BuiltEnvironment:
    """A conda environment that this package installed, and where its parts came from."""

    prefix: Path
    size: str
    interpreter: Interpreter
    variants: frozenset[Variant]
    channel: Path
    package_cache: Path
    requested: tuple[str, ...]
    """The conda specs that were asked for; all else is a dependency."""

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.prefix / "bin" / "python"

    @property
    def stdlib(self) -> Path:
        """`lib/pythonX.Y`."""
        return self.prefix / "lib" / f"python{self.interpreter.short}"

    @property
    def site_packages(self) -> Path:
        """`lib/pythonX.Y/site-packages`."""
        return self.stdlib / "site-packages"

    def records(self) -> dict[str, dict[str, Any]]:
        """The parsed `conda-meta/*.json`, by package name."""
        found = {}
        for path in sorted((self.prefix / "conda-meta").glob("*.json")):
            record = json.loads(path.read_text("utf-8"))
            found[str(record["name"])] = record
        return found

    def run(
        self, program: str, *args: str, check: bool = True, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment's `bin/`, with none of the caller's Python settings.

        No bytecode is written, so that looking at a shared environment does not change it.
        """
        return run_in_prefix(self.prefix, program, *args, check=check, env=env)


@dataclass(frozen=True, slots=True)
class PackedEnvironment:
    """A conda-pack archive and the environment it was made of."""

    archive: Path
    format: str
    source: BuiltEnvironment


def run_in_prefix(
    prefix: Path, program: str, *args: str, check: bool = True, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `bin/program` of any prefix as an activated shell would, and capture its output."""
    environ = clean_environ()
    environ["PATH"] = os.pathsep.join((str(prefix / "bin"), environ.get("PATH", os.defpath)))
    environ["PYTHONDONTWRITEBYTECODE"] = "1"
    environ.update(env or {})
    command = [str(prefix / "bin" / program), *args]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    if check and done.returncode:
        said = done.stdout + done.stderr
        raise BuildError(
            f"{program} {' '.join(args)} ended with status {done.returncode}:\n{said}", where=prefix
        )
    return done
