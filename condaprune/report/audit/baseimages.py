"""Which base images an environment fits, and why; the images are in ``data/base-images.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from condaprune.report.audit.runtime import Needs, Outside, Version
from condaprune.report.resources import table


@dataclass(frozen=True, slots=True)
class Base:
    """A base image: its glibc (None: musl), whether it has a shell and env, certificates, zones.

    `libraries` are those it has besides glibc's; `installs` says whether packages can be installed.
    """

    name: str
    glibc: Version | None = None
    shell: bool = False
    certificates: bool = False
    zones: bool = False
    libraries: frozenset[str] = frozenset()
    installs: bool = False


@dataclass(frozen=True, slots=True)
class BaseImages:
    """All base images, the preferred one first, as they were on a day (``2026-11-21``).

    `glibc` are the libraries that come with glibc, `packages` the Debian packages of others.
    """

    as_of: str
    images: tuple[Base, ...]
    glibc: frozenset[str]
    packages: Mapping[str, str]


@cache
def base_images() -> BaseImages:
    """The table of base images, read when it is first asked for."""
    data = table("base-images.toml")
    images = []
    for row in data["image"]:
        parts = [int(part) for part in row.pop("glibc", "").split(".") if part]
        libraries = frozenset(row.pop("libraries", "").split())
        glibc = (parts[0], parts[1], 0) if parts else None
        images.append(Base(glibc=glibc, libraries=libraries, **row))
    glibc_libraries = frozenset(data["glibc"].split())
    return BaseImages(str(data["as_of"]), tuple(images), glibc_libraries, data["packages"])


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether an environment fits a base image: `reasons` against it, or `installs` and `notes`.

    `installs` are the packages of the distribution to add.
    """

    name: str
    fits: bool
    reasons: tuple[str, ...] = ()
    installs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def fits(needs: Needs) -> tuple[Fit, ...]:
    """How the environment fits each base image, the preferred ones first, ``scratch`` last."""
    bases = base_images()
    if needs.platform != "linux":
        why = f"the environment is for {needs.platform}, images run Linux"
        return tuple(
            Fit(name, False, (why,)) for name in (*(b.name for b in bases.images), "scratch")
        )
    return (*(_fit(needs, base, bases) for base in bases.images), _scratch(needs, bases))


def _outside_glibc(needs: Needs, bases: BaseImages) -> tuple[Outside, ...]:
    """The libraries taken from outside that do not come with glibc."""
    return tuple(x for x in needs.outside if x.name.rpartition("/")[2] not in bases.glibc)


def _fit(needs: Needs, base: Base, bases: BaseImages) -> Fit:
    reasons, installs, notes = [], [], []
    if base.glibc is None:
        if needs.binaries:
            reasons.append(f"it has musl, and {needs.binaries:,} binaries are built for glibc")
    elif needs.glibc and needs.glibc > base.glibc:
        newer = f"{needs.glibc_user} needs {shown(needs.glibc)}"
        reasons.append(f"it has glibc {shown(base.glibc)}, and {newer}")
    for library in _outside_glibc(needs, bases):
        name = library.name
        package = bases.packages.get(name, "")
        if name in base.libraries:
            continue
        if not (base.installs and base.glibc):
            notes.append(f"it lacks {name}, which {library.users[0]} asks for")
        elif package:
            installs.append(package)
        else:
            notes.append(f"condaprune knows no package with {name}; optional code may ask for it")
    if not base.shell:
        if needs.shells:
            example = needs.shells[0].path
            notes.append(f"{len(needs.shells)} scripts need a shell, such as {example}")
        if needs.env_scripts:
            notes.append(
                f"{needs.env_scripts} scripts start with /usr/bin/env, which it lacks: start "
                "them as `python -m MODULE`"
            )
    if base.installs:
        installs += [] if needs.certificates or base.certificates else ["ca-certificates"]
        installs += [] if needs.zones or base.zones else ["tzdata"]
    unique = tuple(dict.fromkeys(installs))
    return Fit(base.name, not reasons, tuple(reasons), unique, tuple(notes))


def _scratch(needs: Needs, bases: BaseImages) -> Fit:
    notes = []
    missing = _outside_glibc(needs, bases)
    if missing:
        example = missing[0].name
        notes.append(
            f"{len(missing)} libraries besides glibc are taken from outside, such as {example}"
        )
    if needs.outside:
        parts = ", ".join((*needs.loaders, *(library.name for library in needs.outside)))
        notes.append(f"copy these from an image with glibc {shown(needs.glibc)} or newer: {parts}")
    if not needs.certificates:
        notes.append("copy /etc/ssl/certs/ca-certificates.crt too: the environment has none")
    notes.append("add /tmp and an /etc/passwd with the user")
    if needs.scripts or needs.env_scripts:
        notes.append("scripts that need /usr/bin/env or a shell do not start")
    return Fit("scratch", True, (), (), tuple(notes))


def shown(version: Version | None) -> str:
    """A version of glibc as people write it."""
    if version is None:
        return "of any version"
    return ".".join(map(str, version if version[2] else version[:2]))
