"""A local conda channel for a set of PyPI requirements: every package built, linked, indexed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from packaging.requirements import Requirement

from .. import rattler
from ..cache import CHANNELS, STORE, cache_root, code_digest, digest, locked, new_folder
from ..interpreter import Interpreter, conda_subdir
from ..model import BASE_REQUIREMENTS
from . import debian, misc, prefixdemo, python, synthetic, wheels
from .archive import PackageMeta
from .download import download
from .toolchain import c_compiler

_CODE = {
    "packages/channel",
    *debian.CODE,
    *misc.CODE,
    *prefixdemo.CODE,
    *python.CODE,
    *synthetic.CODE,
    *wheels.CODE,
}


@dataclass(frozen=True, slots=True)
class Channel:
    """An indexed channel folder, and what to ask it for."""

    path: Path
    specs: tuple[str, ...]
    """The conda specs that stand for the requirements, python and prefixdemo."""

    @property
    def key(self) -> str:
        """Tells this channel from every other."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class _Job:
    """A package that is to be in the channel, and how to build it if it is not in the store."""

    meta: PackageMeta
    build: Callable[[Path], Path]
    legacy: bool

    @property
    def file(self) -> Path:
        return Path(self.meta.subdir) / (self.meta.stem + (".tar.bz2" if self.legacy else ".conda"))


def ensure_channel(
    interpreter: Interpreter, requirements: Iterable[str], *, legacy: bool = False
) -> Channel:
    """The channel for these requirements, built if need be.

    Packages are kept in one store for all channels: a channel holds hard links to its own.
    """
    wanted = sorted({*requirements, *BASE_REQUIREMENTS})
    files = download(interpreter, wanted)
    key = digest(
        code_digest(*_CODE), interpreter.build, interpreter.base_prefix, debian.debian_state(),
        c_compiler(), legacy, wanted, [path.name for path in files],
    )  # fmt: skip
    folder = cache_root() / CHANNELS / key
    if not folder.is_dir():
        with locked("build"):  # one builder at a time: it uses all processors anyway
            if not folder.is_dir():  # another may have been waited for
                with new_folder(folder) as work:
                    _fill(work, interpreter, wanted, files, legacy=legacy)
    content = json.loads((folder / "channel.json").read_text("utf-8"))
    return Channel(folder, tuple(content["specs"]))


def _fill(
    folder: Path,
    interpreter: Interpreter,
    requirements: list[str],
    files: list[Path],
    *,
    legacy: bool,
) -> None:
    read = [wheels.read_wheel(path) for path in files]
    by_name = {wheel.name: wheel for wheel in read}
    specs = wheels.conda_specs((Requirement(text) for text in requirements), by_name, interpreter)
    jobs = [*_system_jobs(interpreter, legacy), *_wheel_jobs(by_name, interpreter, legacy)]
    store = cache_root() / STORE
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for job in pool.map(partial(_build_missing, store), jobs):
            (folder / job.file).parent.mkdir(exist_ok=True)
            os.link(store / job.file, folder / job.file)
    for subdir in ("noarch", conda_subdir()):
        (folder / subdir).mkdir(exist_ok=True)
    rattler.index(folder)
    content = {"requirements": requirements, "specs": ["python", "prefixdemo", *specs]}
    (folder / "channel.json").write_text(json.dumps(content, indent=2), "utf-8")


def _build_missing(store: Path, job: _Job) -> _Job:
    if not (store / job.file).is_file():
        job.build(store)
    return job


def _system_jobs(interpreter: Interpreter, legacy: bool) -> Iterator[_Job]:
    libraries = debian.library_metas()
    others = misc.misc_metas(interpreter)
    needs = [name for name in debian.PYTHON_NEEDS if name in libraries]
    abi = f"python_abi {interpreter.short}.* *_cp{interpreter.compact}"
    needs += ["ca-certificates", abi, "tzdata"]
    own = python.python_meta(interpreter, tuple(sorted(needs)))
    demo = prefixdemo.prefixdemo()
    yield _Job(own, partial(python.build_python, interpreter, own, legacy=legacy), legacy)
    for meta in libraries.values():
        yield _Job(meta, partial(debian.build_library, meta, legacy=legacy), legacy)
    for meta in others.values():
        yield _Job(meta, partial(misc.build_misc, meta, legacy=legacy), legacy)
    demo_meta = synthetic.synthetic_meta(demo, interpreter)
    yield _Job(demo_meta, partial(synthetic.build_synthetic, demo, interpreter), demo.legacy)


def _wheel_jobs(
    by_name: dict[str, wheels.Wheel], interpreter: Interpreter, legacy: bool
) -> Iterator[_Job]:
    libraries = debian.library_metas()
    # the largest first, so that no processor is left with it at the end
    for wheel in sorted(by_name.values(), key=lambda wheel: -wheel.path.stat().st_size):
        meta = wheels.wheel_meta(wheel, by_name, interpreter, libraries)
        yield _Job(
            meta, partial(wheels.build_wheel, wheel, meta, interpreter, legacy=legacy), legacy
        )
