"""Small native files for tests: shared libraries, programs and archives, made by the C compiler."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..errors import BuildError
from ..interpreter import clean_environ
from .staging import staging_folder, write


@functools.cache
def c_compiler() -> str | None:
    """The C compiler, or None where there is none."""
    return shutil.which("gcc") or shutil.which("cc")


def compile_c(
    source: str,
    name: str,
    *,
    libraries: Mapping[str, bytes] | None = None,
    flags: Iterable[str] = (),
) -> bytes:
    """Compile C source into the file that `name` asks for, and return its contents.

    `name` decides what is made: `libx.so.1` a shared library with that soname, `libx.a` a static
    library, `x.o` an object file, anything else a program. `libraries` (file name to contents)
    are linked with, and are then needed at run time under their soname.
    """
    compiler = c_compiler()
    if compiler is None:
        raise BuildError(f"no C compiler to make {name} with", fix="install gcc")
    with staging_folder() as folder:
        code = folder / "source.c"
        write(code, source)
        for library, content in (libraries or {}).items():
            write(folder / library, content)
        target = folder / name
        # no temporary path in the debug information: the same source makes the same file
        flags = (*flags, f"-ffile-prefix-map={folder}=.")
        linked = [str(folder / library) for library in libraries or {}]
        if name.endswith((".a", ".o")):
            compiled = target if name.endswith(".o") else folder / "source.o"
            _run(compiler, "-fPIC", "-g", "-c", str(code), "-o", str(compiled), *flags)
            if name.endswith(".a"):
                _run(shutil.which("ar") or "ar", "rcsD", str(target), str(compiled))
        elif ".so" in name:
            soname = f"-Wl,-soname,{name}"
            _run(
                compiler,
                "-fPIC",
                "-g",
                "-shared",
                soname,
                str(code),
                "-o",
                str(target),
                *linked,
                *flags,
            )
        else:
            _run(compiler, "-g", str(code), "-o", str(target), *linked, *flags)
        return target.read_bytes()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environ(), check=False)
    if done.returncode:
        raise BuildError(f"{Path(command[0]).name} failed:\n{done.stderr}", fix="see its message")
