"""Where built things are kept: names, locks, and files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_HERE = Path(__file__).parent

#: Parts of the cache, as folders under its root.
WHEELS, STORE, CHANNELS, PACKAGES, ENVIRONMENTS, PACKED, BYTECODE, LOCKS = (
    "wheels",
    "store",
    "channels",
    "pkgs",
    "envs",
    "packed",
    "bytecode",
    "locks",
)


def cache_root() -> Path:
    """`$CONDAPRUNE_TEST_CACHE`, or condaprune-tests in the user's cache folder; absolute.

    py-rattler writes the package cache into the records as it is given, so it has to be absolute.
    """
    named = os.environ.get("CONDAPRUNE_TEST_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "condaprune-tests"


def digest(*parts: object) -> str:
    """Twelve hexadecimal digits that stand for all the parts."""
    mixed = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        mixed.update(len(data).to_bytes(8, "big") + data)
    return mixed.hexdigest()[:12]


@functools.cache
def code_digest(*modules: str) -> str:
    """A digest of the source of some modules of this package, such as "packages/wheels".

    What is built depends on the code that builds it, and on no other: touching the fixtures or
    the README rebuilds nothing.
    """
    return digest(*((_HERE / f"{module}.py").read_bytes() for module in sorted(modules)))


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock of that name against every other process that uses this cache."""
    folder = cache_root() / LOCKS
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # let go when the file is closed, also by a crash
        yield


@contextlib.contextmanager
def new_folder(final: Path) -> Iterator[Path]:
    """Yield a temporary folder that takes its final name only when the block succeeds."""
    final.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=final.parent))
    work.chmod(0o755)
    try:
        yield work
        remove_tree(final)
        work.rename(final)
    except BaseException:
        remove_tree(work)
        raise


@contextlib.contextmanager
def new_file(final: Path) -> Iterator[Path]:
    """Yield a path beside `final`; what the block writes there becomes `final` on success."""
    final.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new.", dir=final.parent) as folder:
        work = Path(folder) / final.name  # the same name, for writers that look at the extension
        yield work
        work.replace(final)


def remove_tree(path: Path) -> None:
    """Remove a folder if it is there."""
    if path.exists():
        shutil.rmtree(path)
