"""The package `python`: an installed CPython, laid out as conda-forge lays it out."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..cache import code_digest, digest
from ..errors import BuildError
from ..interpreter import Interpreter
from ..model import PLACEHOLDER
from .archive import PackageMeta, write_package
from .staging import (
    compile_tree,
    drop_dangling_links,
    insert_placeholder,
    link,
    point_to_lib,
    staging_folder,
    walk,
    write,
)

CODE = ("interpreter", "packages/archive", "packages/python", "packages/staging")

#: conda-forge leaves these out of its python; `test` alone has 30 MB.
_LEFT_OUT = {"site-packages", "dist-packages", "test", "EXTERNALLY-MANAGED"}

_LIBRARY_FOLDER_NOTE = "This directory exists so that 3rd party packages can be installed here.\n"

#: Debian's `site` knows no other folder than dist-packages, outside of virtual environments.
_SITE_PACKAGES = """\
import os
import site
import sys

if sys.prefix == sys.base_prefix:
    site.addsitedir(os.path.join(os.path.dirname(os.__file__), "site-packages"))
"""


def python_meta(interpreter: Interpreter, depends: tuple[str, ...]) -> PackageMeta:
    """Name, version, build string and dependencies of the python package."""
    build = digest(code_digest(*CODE), interpreter.build, interpreter.base_prefix, *depends)[:7]
    return PackageMeta(
        name="python",
        version=interpreter.version,
        build=f"h{build}_0_cpython",
        depends=depends,
        license="Python-2.0",
        summary="General purpose programming language",
    )


def build_python(
    interpreter: Interpreter, meta: PackageMeta, folder: Path, *, legacy: bool = False
) -> Path:
    """Turn the installation into a package under `folder`."""
    with staging_folder() as stage:
        _stage_library(interpreter, stage)
        _stage_programs(interpreter, stage)
        _stage_development(interpreter, stage)
        if interpreter.debian:
            _undo_debian_layout(interpreter, stage)
        insert_placeholder(_build_settings(interpreter, stage), str(interpreter.base_prefix))
        point_to_lib(stage)
        compile_tree(interpreter, stage, stage / "lib" / f"python{interpreter.short}")
        return write_package(stage, meta, folder, legacy=legacy)


def _stage_library(interpreter: Interpreter, stage: Path) -> None:
    source = interpreter.stdlib
    if not (source / "os.py").is_file():
        raise BuildError(
            "the standard library is not there", where=source, fix="name another interpreter"
        )
    target = stage / "lib" / f"python{interpreter.short}"

    def skip(folder: str, names: list[str]) -> set[str]:
        unwanted = {"__pycache__"}
        if Path(folder) == source:
            unwanted |= _LEFT_OUT
        return unwanted.intersection(names)

    shutil.copytree(source, target, symlinks=True, ignore=skip)
    drop_dangling_links(target)  # Debian's library links to /etc and to libpython elsewhere
    write(target / "site-packages" / "README.txt", _LIBRARY_FOLDER_NOTE)
    # conda-forge's, since 3.10: tools of old cut the version after its first decimal
    link(stage / "lib" / "python3.1", f"python{interpreter.short}")
    # ships with a link into a compiler package, dangling unless that one is installed too
    write(
        stage / "compiler_compat" / "README",
        "Compilers find the linker of this environment here.\n",
    )
    link(
        stage / "compiler_compat" / "ld",
        f"../bin/{interpreter.multiarch.split('-')[0]}-conda-linux-gnu-ld",
    )


def _stage_programs(interpreter: Interpreter, stage: Path) -> None:
    short = interpreter.short
    source = interpreter.base_prefix / "bin"
    target = stage / "bin"
    target.mkdir(parents=True)
    shutil.copy2(interpreter.executable, target / f"python{short}")
    for name in (f"python{short}-config", f"pydoc{short}", f"idle{short}", f"2to3-{short}"):
        script = source / name
        # Debian's config is a link to a name with the machine in it
        if script.is_file() and b"\0" not in script.read_bytes():
            shutil.copy2(script, target / name)
    links = {
        "python": f"python{short}",
        "python3": f"python{short}",
        "python3.1": f"python{short}",
        "python3-config": f"python{short}-config",
        "pydoc": f"pydoc{short}",
        "pydoc3": f"pydoc{short}",
        "idle3": f"idle{short}",
        "2to3": f"2to3-{short}",
    }
    for name, goal in links.items():
        if (target / goal).exists():
            link(target / name, goal)


def _stage_development(interpreter: Interpreter, stage: Path) -> None:
    """Libraries to link with, headers, pkgconfig files, man pages: as far as they are installed."""
    short = interpreter.short
    lib = stage / "lib"
    for path in sorted(interpreter.libdir.glob("libpython*")):
        generic = path.name in ("libpython3.so", f"libpython{short}.a")
        if generic or path.name.startswith(f"libpython{short}.so"):
            shutil.copy2(path, lib / path.name, follow_symlinks=False)
    drop_dangling_links(lib)
    if interpreter.include.is_dir():
        shutil.copytree(interpreter.include, stage / "include" / f"python{short}", symlinks=True)
    for path in sorted((interpreter.libdir / "pkgconfig").glob("python*.pc")):
        if path.is_file() and (short in path.name or path.name.startswith("python3")):
            write(lib / "pkgconfig" / path.name, path.read_bytes())
    for path in sorted((interpreter.base_prefix / "share/man/man1").glob("python3*.1*")):
        if path.is_file() and (short in path.name or path.name.startswith("python3.1")):
            write(stage / "share/man/man1" / path.name, path.read_bytes())


def _build_settings(interpreter: Interpreter, stage: Path) -> Iterator[Path]:
    """The text files that hold the prefix because the build wrote it there.

    Not every text file: where the prefix is `/usr`, most mentions of it mean something else.
    """
    library = stage / "lib" / f"python{interpreter.short}"
    if interpreter.base_prefix == Path("/usr"):
        return
    yield from (path for path in walk(stage / "bin"))
    yield from library.glob("_sysconfigdata*.py")
    yield from library.glob("_sysconfig_vars*.json")
    yield from (path for config in library.glob("config-*") for path in walk(config))
    yield from (stage / "lib" / "pkgconfig").glob("*.pc")


def _undo_debian_layout(interpreter: Interpreter, stage: Path) -> None:
    """Make Debian's python look for packages where conda puts them: in site-packages.

    Debian moved them to dist-packages, both in `site`, which is frozen into the program and so
    is corrected from outside, and in `sysconfig`, which tells pip where to install to.
    """
    library = stage / "lib" / f"python{interpreter.short}"
    write(library / "sitecustomize.py", _SITE_PACKAGES)
    for name in ("sysconfig.py", "sysconfig/__init__.py"):
        module = library / name
        if module.is_file():
            text = module.read_text("utf-8")
            write(
                module,
                re.sub(r"(prefix_scheme = )'(posix_local|deb_system)'", r"\1'posix_prefix'", text),
            )
    for module in library.glob("_sysconfigdata*.py"):
        text = module.read_text("utf-8")
        write(module, re.sub(r"(?<=['= ])/usr(?=[/'])", PLACEHOLDER, text))
