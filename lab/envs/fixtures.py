"""pytest fixtures: real environments to look at, to destroy, and to make up.

Loaded by `pytest_plugins = ["lab.envs.fixtures"]`. Shared environments come from the cache and
are read only; a test that changes one makes the session end with an error that names the file.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from .build import Variants, build_environment, shared_damage, shared_environment
from .cache import cache_root
from .errors import BuildError
from .model import BuiltEnvironment, PackedEnvironment, SyntheticPackage
from .pack import packed_environment, unpack_archive

Packer = Callable[[str], PackedEnvironment]
"""Packs the shared environment in a format: "tar.gz", "tar.zst" or "zip"."""


class MakeEnvironment(Protocol):
    """`build_environment` without a prefix: the fixture chooses one, and clears it away."""

    def __call__(
        self,
        size: str = "tiny",
        *,
        python: str | None = None,
        requirements: Sequence[str] = (),
        packages: Sequence[SyntheticPackage] = (),
        pip: Sequence[str] = (),
        variant: Variants = (),
    ) -> BuiltEnvironment:
        """Build an environment of its own for one test."""
        ...


class Unpack(Protocol):
    """Unpacks an archive into a folder of its own for one test."""

    def __call__(self, packed: PackedEnvironment | Path, *, conda_unpack: bool = False) -> Path:
        """Unpack, run conda-unpack if asked to, and return the prefix."""
        ...


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the big environment as slow, before anyone selects by mark."""
    for item in items:
        if "big_env" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")


@pytest.fixture(scope="session")
def tiny_env(_work_root: Path) -> Iterator[BuiltEnvironment]:
    """Python, click, pip, prefixdemo. Shared by all tests: READ ONLY."""
    yield from _shared("tiny")


@pytest.fixture(scope="session")
def small_env(_work_root: Path) -> Iterator[BuiltEnvironment]:
    """tiny with numpy, pandas and uvicorn. Shared by all tests: READ ONLY."""
    yield from _shared("small")


@pytest.fixture(scope="session")
def big_env(_work_root: Path) -> Iterator[BuiltEnvironment]:
    """small with scikit-learn, scipy, fastapi, lightgbm. Shared by all tests: READ ONLY; slow."""
    yield from _shared("big")


@pytest.fixture
def workspace(_work_root: Path) -> Iterator[Path]:
    """An empty folder for one test, on the file system of the package cache.

    pytest's `tmp_path` may lie on another one, where nothing can be hard-linked.
    """
    folder = _work_root / str(next(_numbers))
    folder.mkdir()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)  # a test may have left it in any state


@pytest.fixture
def make_environment(workspace: Path) -> MakeEnvironment:
    """A factory of environments, each a new install, hard-linked from the warm package cache."""
    numbers = itertools.count()

    def make(
        size: str = "tiny",
        *,
        python: str | None = None,
        requirements: Sequence[str] = (),
        packages: Sequence[SyntheticPackage] = (),
        pip: Sequence[str] = (),
        variant: Variants = (),
    ) -> BuiltEnvironment:
        return build_environment(
            workspace / f"env{next(numbers)}",
            size,
            python=python,
            requirements=requirements,
            packages=packages,
            pip=pip,
            variant=variant,
        )

    return make


@pytest.fixture
def fresh_tiny(make_environment: MakeEnvironment) -> BuiltEnvironment:
    """A tiny environment that the test may destroy."""
    return make_environment("tiny")


@pytest.fixture
def fresh_small(make_environment: MakeEnvironment) -> BuiltEnvironment:
    """A small environment that the test may destroy."""
    return make_environment("small")


@pytest.fixture(scope="session")
def packed_tiny(tiny_env: BuiltEnvironment) -> Packer:
    """conda-pack archives of the tiny environment, by format. Shared by all tests: READ ONLY."""
    return lambda form: packed_environment(tiny_env, form)


@pytest.fixture(scope="session")
def packed_small(small_env: BuiltEnvironment) -> Packer:
    """conda-pack archives of the small environment, by format. Shared by all tests: READ ONLY."""
    return lambda form: packed_environment(small_env, form)


@pytest.fixture
def unpack(workspace: Path) -> Unpack:
    """A factory of unpacked archives, before or after conda-unpack."""
    numbers = itertools.count()

    def unpacked(packed: PackedEnvironment | Path, *, conda_unpack: bool = False) -> Path:
        archive = packed.archive if isinstance(packed, PackedEnvironment) else packed
        return unpack_archive(
            archive, workspace / f"unpacked{next(numbers)}", conda_unpack=conda_unpack
        )

    return unpacked


@pytest.fixture(scope="session")
def _work_root() -> Iterator[Path]:
    """The folder for this process's throw-away environments; those of dead processes go."""
    _require_tools()
    root = cache_root() / "work"
    root.mkdir(parents=True, exist_ok=True)
    for left in root.iterdir():
        if left.name.isdigit() and not _alive(int(left.name)):
            shutil.rmtree(left, ignore_errors=True)
    own = root / str(os.getpid())
    own.mkdir(exist_ok=True)
    yield own
    shutil.rmtree(own, ignore_errors=True)


_numbers = itertools.count()


def _shared(size: str) -> Iterator[BuiltEnvironment]:
    environment = shared_environment(size)
    yield environment
    if damage := shared_damage(environment.prefix):
        more = f"\n  ... and {len(damage) - 10} more" if len(damage) > 10 else ""
        lines = "\n  ".join(damage[:10]) + more
        raise BuildError(
            f"a test changed the shared environment:\n  {lines}",
            where=environment.prefix,
            fix=f"let that test use fresh_{size} or make_environment; the next session rebuilds it",
        )


def _require_tools() -> None:
    """Skip where py-rattler is not installed; but never in CI, where that would hide everything."""
    if importlib.util.find_spec("rattler") is None:
        message = "real environments need py-rattler: pip install py-rattler"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)


def _alive(process: int) -> bool:
    with contextlib.suppress(PermissionError):  # someone else's, then, but there
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
    return True
