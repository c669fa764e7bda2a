"""Packages of native libraries, made of the Debian packages that are installed on the machine.

On another system, or where a `-dev` package is missing, packages come out thinner or not at all.
"""

from __future__ import annotations

import functools
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..cache import code_digest, digest
from ..model import PLACEHOLDER
from .archive import PackageMeta, write_package
from .staging import drop_dangling_links, link, point_to_lib, staging_folder, walk, write

CODE = ("packages/archive", "packages/debian", "packages/staging")


@dataclass(frozen=True, slots=True)
class Library:
    """A conda package and the Debian packages that hold its files, as patterns of their names.

    The first pattern gives the version. The `-dev` packages bring what a runtime does not need.
    """

    debian: tuple[str, ...]
    depends: tuple[str, ...] = ()


#: `t64` marks the libraries that Debian renamed for the 64-bit time_t.
LIBRARIES: Mapping[str, Library] = {
    "bzip2": Library(("libbz2-1.0", "libbz2-dev", "bzip2")),
    "fontconfig": Library(("libfontconfig1",), ("freetype", "libexpat", "libuuid")),
    "freetype": Library((r"libfreetype6(t64)?", "libbrotli1"), ("bzip2", "libpng", "zlib")),
    "libexpat": Library((r"libexpat1(t64)?", "libexpat1-dev")),
    "libffi": Library((r"libffi\d+", "libffi-dev")),
    "libgcc": Library(("libgcc-s1",)),
    "libgomp": Library(("libgomp1",), ("libgcc",)),
    "libpng": Library((r"libpng16-16(t64)?",), ("zlib",)),
    "libstdcxx": Library((r"libstdc\+\+6",), ("libgcc",)),
    "libuuid": Library((r"libuuid1(t64)?", "uuid-dev")),
    "libxcrypt": Library(("libcrypt1",)),
    "ncurses": Library(
        ("libncursesw6", "libtinfo6", "libncurses-dev", "ncurses-base", "ncurses-bin")
    ),
    "openssl": Library((r"libssl\d+(t64)?", "libssl-dev", "openssl"), ("ca-certificates",)),
    "readline": Library((r"libreadline\d+(t64)?", "libreadline-dev"), ("ncurses",)),
    "sqlite": Library(("libsqlite3-0", "libsqlite3-dev"), ("zlib",)),
    "tk": Library(
        (r"libtk8\.\d", r"libtcl8\.\d", r"tcl8\.\d-dev", r"tk8\.\d-dev"),
        ("fontconfig", "libxcrypt", "xorg-libx11", "zlib"),
    ),
    "xorg-libx11": Library(
        (
            "libx11-6",
            "libxft2",
            "libxss1",
            "libxext6",
            "libxrender1",
            "libxcb1",
            "libxau6",
            "libxdmcp6",
            "libbsd0",
            "libmd0",
        ),
        ("fontconfig", "freetype"),
    ),
    "xz": Library(("liblzma5", "liblzma-dev", "xz-utils")),
    "zlib": Library(("zlib1g", "zlib1g-dev")),
}

#: What CPython's own extension modules are linked with.
PYTHON_NEEDS = (
    "bzip2", "libexpat", "libffi", "libgcc", "libuuid", "libxcrypt",
    "ncurses", "openssl", "readline", "sqlite", "tk", "xz", "zlib",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DebianPackage:
    """One installed Debian package."""

    name: str
    version: str
    architecture: str

    @property
    def upstream(self) -> str:
        """The version without Debian's epoch and revision, as far as conda can read it."""
        match = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)", self.version)
        return match.group(1) if match else "0"


@functools.cache
def installed() -> tuple[DebianPackage, ...]:
    """The installed packages that `LIBRARIES` names, and tzdata; none where there is no dpkg."""
    if shutil.which("dpkg-query") is None:
        return ()
    layout = "${db:Status-Abbrev}\t${Package}\t${Version}\t${Architecture}\n"
    rows = subprocess.run(
        ["dpkg-query", "--show", f"--showformat={layout}"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    wanted = re.compile(
        "|".join(p for library in LIBRARIES.values() for p in library.debian) + "|tzdata"
    )
    own = _architecture()
    found = []
    for status, name, version, architecture in (row.split("\t") for row in rows):
        if status.startswith("ii") and wanted.fullmatch(name) and architecture in (own, "all"):
            found.append(DebianPackage(name, version, architecture))
    return tuple(sorted(found, key=lambda package: package.name))


@functools.cache
def _architecture() -> str:
    """This machine's name in Debian; a foreign one's libraries may be installed as well."""
    return subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=False
    ).stdout.strip()


def debian_state() -> str:
    """A digest that changes whenever one of the packages does."""
    return digest(*installed())


def library_metas() -> dict[str, PackageMeta]:
    """The libraries that this machine can provide, with what they depend on among themselves."""
    present = {name for name, library in LIBRARIES.items() if _sources(library)}
    metas = {}
    for name in sorted(present):
        library = LIBRARIES[name]
        sources = _sources(library)
        depends = tuple(d for d in library.depends if d in present or d not in LIBRARIES)
        metas[name] = PackageMeta(
            name=name,
            version=sources[0].upstream,
            build=f"h{digest(code_digest(*CODE), *sources, *depends)[:7]}_0",
            depends=depends,
        )
    return metas


def build_library(meta: PackageMeta, folder: Path, *, legacy: bool = False) -> Path:
    """Write the package of one library under `folder`."""
    with staging_folder() as stage:
        for source in _sources(LIBRARIES[meta.name]):
            for path in _files(source):
                _stage(path, stage)
        drop_dangling_links(stage)
        _relocate(stage)
        return write_package(stage, meta, folder, legacy=legacy)


def _sources(library: Library) -> list[DebianPackage]:
    return [
        package
        for pattern in library.debian
        for package in installed()
        if re.fullmatch(pattern, package.name)
    ]


def _files(package: DebianPackage) -> Iterator[Path]:
    name = (
        package.name if package.architecture == "all" else f"{package.name}:{package.architecture}"
    )
    listing = subprocess.run(
        ["dpkg-query", "--listfiles", name], capture_output=True, text=True, check=False
    ).stdout
    for line in listing.splitlines():
        path = Path(line)
        if path.is_file() or path.is_symlink():
            yield path


@functools.cache
def _moves() -> tuple[tuple[str, str], ...]:
    """Debian's folders and the prefix's: the first that fits wins."""
    triplet = f"{platform.machine()}-linux-gnu"
    return (
        (f"/usr/lib/{triplet}/", "lib/"),
        (f"/lib/{triplet}/", "lib/"),
        (f"/usr/include/{triplet}/", "include/"),
        ("/usr/include/", "include/"),
        ("/usr/bin/", "bin/"),
        ("/bin/", "bin/"),
        ("/usr/lib/ssl/", "ssl/"),
        ("/lib/terminfo/", "share/terminfo/"),
        ("/usr/share/tcltk/", "lib/"),
        ("/usr/share/aclocal/", "share/aclocal/"),
        ("/usr/share/doc/", "share/doc/"),
        ("/usr/share/info/", "share/info/"),
        ("/usr/share/man/", "share/man/"),
    )


def _stage(path: Path, stage: Path) -> None:
    for source, target in _moves():
        if str(path).startswith(source):
            destination = stage / target / str(path)[len(source) :]
            break
    else:
        return
    if os.path.lexists(destination) or destination == stage / "ssl" / "cert.pem":
        return  # the certificates are those of ca-certificates
    if not path.is_symlink():
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, destination)
    elif path.is_file():
        goal = os.readlink(path)
        if "/" not in goal or (not goal.startswith("/") and destination.parent != stage / "lib"):
            link(destination, goal)
        elif goal.startswith("/etc/"):
            write(destination, path.read_bytes())  # openssl.cnf: settings of the machine
        else:
            link(destination, os.path.basename(goal))  # libz.so, which Debian points across folders


def _relocate(stage: Path) -> None:
    """Point pkgconfig files to the prefix, and ELF files to its libraries."""
    for path in walk(stage):
        if path.suffix == ".pc" and not path.is_symlink():
            text = re.sub(
                r"/usr/lib/[a-z0-9_]+-linux-gnu", f"{PLACEHOLDER}/lib", path.read_text("utf-8")
            )
            write(path, re.sub(r"(?m)=/usr\b", f"={PLACEHOLDER}", text))
    point_to_lib(stage)
