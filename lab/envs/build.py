"""Building an environment: a channel for what is asked for, an install, a variant of that."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import rattler, variants
from .bytecode import compile_noarch
from .cache import ENVIRONMENTS, PACKAGES, cache_root, code_digest, digest, locked, remove_tree
from .errors import BuildError
from .integrity import Snapshot
from .interpreter import Interpreter, probe
from .model import SIZES, BuiltEnvironment, SyntheticPackage, Variant, parse_variants
from .packages.channel import Channel, ensure_channel
from .packages.synthetic import build_synthetic
from .rattler import PackageCache

_CODE = ("_bytecode_worker", "_rattler_worker", "build", "bytecode", "rattler", *variants.CODE)

#: Written last into the folder of a shared environment: without it the build was cut short.
_DONE = "environment.json"

Variants = Variant | str | Iterable[Variant | str]


@dataclass(frozen=True, slots=True)
class _Plan:
    """All that is asked for, read and checked."""

    size: str
    interpreter: Interpreter
    requirements: tuple[str, ...]
    packages: tuple[SyntheticPackage, ...]
    pip: tuple[str, ...]
    variants: frozenset[Variant]


def build_environment(
    prefix: Path | str,
    size: str = "tiny",
    *,
    python: str | None = None,
    requirements: Sequence[str] = (),
    packages: Sequence[SyntheticPackage] = (),
    pip: Sequence[str] = (),
    variant: Variants = (),
) -> BuiltEnvironment:
    """Install a new environment into `prefix`, which must not exist or be empty.

    `size` is "tiny", "small", "big", or "bare": no python, only `prefixdemo` and what is added.
    `requirements` (PyPI) and `packages` come in as conda packages. `pip` (PyPI) is installed by
    the environment's pip on top, and so belongs to no record. `python` names the interpreter
    whose installation becomes the package python: the running one by default.

    Channel and package cache of `packages` lie beside the prefix, in `<prefix>.channel` and
    `<prefix>.pkgs`; those of everything else in the shared cache.
    """
    plan = _plan(size, python, requirements, packages, pip, variant)
    place = Path(prefix).absolute()
    if place.exists() and any(place.iterdir()):
        raise BuildError("the prefix is not empty", where=place, fix="name a new folder")
    return _install(place, plan, _channel(plan))


def shared_environment(
    size: str = "tiny", *, python: str | None = None, variant: Variants = ()
) -> BuiltEnvironment:
    """An environment that is built once, kept in the cache, and only ever read.

    Where one was changed nevertheless, it and the package cache that it shares files with are
    thrown away and built anew.
    """
    plan = _plan(size, python, (), (), (), variant)
    channel = _channel(plan)
    names = sorted(str(variant) for variant in plan.variants)
    home = (
        cache_root()
        / ENVIRONMENTS
        / f"{size}-cp{plan.interpreter.compact}-{digest(channel.key, code_digest(*_CODE), names)}"
    )
    prefix = home / "env"
    with locked(home.name):
        done = home / _DONE
        # the records hold the path: an environment that was moved along with its cache is stale
        if done.is_file() and json.loads(done.read_text("utf-8"))["prefix"] == str(prefix):
            if not shared_damage(prefix):
                return _describe(prefix, plan, channel)
            done.unlink()
            remove_tree(cache_root() / PACKAGES)
        remove_tree(home)
        environment = _install(prefix, plan, channel)
        Snapshot.take(prefix).save(home / "snapshot.json")
        done.write_text(json.dumps({"prefix": str(prefix)}), "utf-8")
    return environment


def shared_damage(prefix: Path) -> list[str]:
    """What was changed in a shared environment since it was built, one line each.

    A file changed through another environment shows up as well: they share it by hard links.
    """
    kept = prefix.parent / "snapshot.json"
    return (
        Snapshot.load(kept).changes(Snapshot.take(prefix))
        if kept.is_file()
        else ["there is no snapshot"]
    )


def _plan(
    size: str,
    python: str | None,
    requirements: Sequence[str],
    packages: Sequence[SyntheticPackage],
    pip: Sequence[str],
    variant: Variants,
) -> _Plan:
    if size not in (*SIZES, "bare"):
        raise BuildError(f"unknown size {size!r}", fix=f"choose from: bare, {', '.join(SIZES)}")
    interpreter = probe(python or os.environ.get("CONDAPRUNE_TEST_PYTHON") or None)
    chosen = parse_variants(variant)
    if size == "bare" and (requirements or pip or chosen & {Variant.PIP, Variant.EDITABLE}):
        raise BuildError("a bare environment has no python to install for", fix='use "tiny"')
    return _Plan(size, interpreter, tuple(requirements), tuple(packages), tuple(pip), chosen)


def _channel(plan: _Plan) -> Channel:
    wanted = (*SIZES["tiny" if plan.size == "bare" else plan.size], *plan.requirements)
    return ensure_channel(plan.interpreter, wanted, legacy=Variant.LEGACY in plan.variants)


def _install(prefix: Path, plan: _Plan, channel: Channel) -> BuiltEnvironment:
    environment = _describe(prefix, plan, channel)
    shared, own = cache_root() / PACKAGES, variants.side_folder(prefix, "pkgs")
    channels, caches = [channel.path], [PackageCache(shared)]
    if plan.packages:
        extra = variants.side_folder(prefix, "channel")
        (extra / "noarch").mkdir(parents=True)
        for package in plan.packages:
            build_synthetic(package, plan.interpreter, extra)
        channels.insert(0, extra)
        # what a test makes up stays out of the shared cache, where nobody would clear it away
        caches.insert(0, PackageCache(own, tuple(package.name for package in plan.packages)))
    if Variant.NO_CACHE in plan.variants:
        caches = [PackageCache(own)]
    rattler.install(
        prefix,
        channels=channels,
        specs=environment.requested,
        caches=caches,
        link="copy" if Variant.COPIED in plan.variants else "hard",
        unindexed=channels[:-1],
    )
    # py-rattler writes none, and conda takes a prefix without it for no environment
    (prefix / "conda-meta" / "history").touch()
    if plan.size != "bare" and Variant.NO_BYTECODE not in plan.variants:
        compile_noarch(prefix, plan.interpreter, keep=shared)
    if plan.pip:
        variants.pip_install(prefix, plan.interpreter, plan.pip)
    for variant in sorted(plan.variants, key=str):
        variants.apply(variant, prefix, plan.interpreter)
    if Variant.NO_CACHE in plan.variants:
        remove_tree(own)
    return environment


def _describe(prefix: Path, plan: _Plan, channel: Channel) -> BuiltEnvironment:
    base = ("prefixdemo",) if plan.size == "bare" else channel.specs
    added = tuple(package.name for package in plan.packages if package.name not in base)
    gone = Variant.NO_CACHE in plan.variants
    return BuiltEnvironment(
        prefix=prefix,
        size=plan.size,
        interpreter=plan.interpreter,
        variants=plan.variants,
        channel=channel.path,
        package_cache=variants.side_folder(prefix, "pkgs") if gone else cache_root() / PACKAGES,
        requested=(*base, *added),
    )
