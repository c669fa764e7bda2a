"""Which base images an environment fits, and why."""

from __future__ import annotations

from dataclasses import dataclass

from condaprune.report.audit.elfversions import Version
from condaprune.report.audit.runtime import Needs

GLIBC = frozenset(
    ("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1")
    + ("libresolv.so.2", "libnsl.so.1", "libanl.so.1", "libBrokenLocale.so.1", "libmvec.so.1")
    + ("libthread_db.so.1", "libcrypt.so.1")
    + ("ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "ld64.so.2", "ld-linux.so.2")
)
"""Libraries that come with glibc (libcrypt with Debian's base system)."""

_DEBIAN = {
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXft.so.2": "libxft2",
    "libXrender.so.1": "libxrender1",
    "libXss.so.1": "libxss1",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libxcb.so.1": "libxcb1",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libGLX.so.0": "libglx0",
    "libOpenGL.so.0": "libopengl0",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libgomp.so.1": "libgomp1",
    "libstdc++.so.6": "libstdc++6",
    "libgcc_s.so.1": "libgcc-s1",
    "libz.so.1": "zlib1g",
    "libasound.so.2": "libasound2",
    "libdbus-1.so.3": "libdbus-1-3",
    "libudev.so.1": "libudev1",
    "libnss3.so": "libnss3",
    "libcups.so.2": "libcups2",
    "libnsl.so.2": "libnsl2",
    "libtirpc.so.3": "libtirpc3",
}
"""The Debian packages of libraries that binaries of conda packages and wheels take from outside."""

_CC = frozenset(("libgcc_s.so.1", "libstdc++.so.6", "libgomp.so.1"))


@dataclass(frozen=True, slots=True)
class Base:
    """A base image: its glibc (None: musl), whether it has a shell and env, certificates, zones.

    `libraries` are those it has beside glibc's; `installs` whether more can be installed.
    """

    name: str
    glibc: Version | None
    shell: bool
    certificates: bool
    zones: bool
    libraries: frozenset[str] = frozenset()
    installs: bool = False


BASES = (
    Base("gcr.io/distroless/base-debian12", (2, 36, 0), False, True, True),
    Base("gcr.io/distroless/cc-debian12", (2, 36, 0), False, True, True, _CC),
    Base("debian:12-slim", (2, 36, 0), True, False, True, _CC - {"libgomp.so.1"}, True),
    Base("debian:13-slim", (2, 41, 0), True, False, True, _CC - {"libgomp.so.1"}, True),
    Base("ubuntu:24.04", (2, 39, 0), True, False, False, _CC - {"libgomp.so.1"}, True),
    Base("debian:11-slim", (2, 31, 0), True, False, True, _CC - {"libgomp.so.1"}, True),
    Base("alpine", None, True, True, False, frozenset(), True),
)
"""In the order of preference: the first that fits is proposed."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether an environment fits a base image: `reasons` against it, or `installs` and `notes`.

    `installs` are the distribution's packages to add.
    """

    name: str
    fits: bool
    reasons: tuple[str, ...] = ()
    installs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def fits(needs: Needs) -> tuple[Fit, ...]:
    """How each base image fits, the preferred ones first, ``scratch`` last."""
    if needs.platform != "linux":
        why = f"the environment is for {needs.platform}, images run Linux"
        return tuple(Fit(base.name, False, (why,)) for base in BASES) + (
            Fit("scratch", False, (why,)),
        )
    return (*(_fit(needs, base) for base in BASES), _scratch(needs))


def outside_glibc(needs: Needs) -> tuple[str, ...]:
    """The libraries taken from outside that do not come with glibc."""
    return tuple(o.name for o in needs.outside if o.name.rpartition("/")[2] not in GLIBC)


def _fit(needs: Needs, base: Base) -> Fit:
    reasons, installs, notes = [], [], []
    if base.glibc is None:
        if needs.binaries:
            reasons.append(f"it has musl, and {needs.binaries:,} binaries are built for glibc")
    elif needs.glibc and needs.glibc > base.glibc:
        reasons.append(
            f"it has glibc {shown(base.glibc)}, and {needs.glibc_user} needs {shown(needs.glibc)}"
        )
    for name in outside_glibc(needs):
        if name in base.libraries:
            continue
        package = _DEBIAN.get(name, "")
        if base.installs and package and base.glibc:
            installs.append(package)
        elif base.installs and base.glibc:
            notes.append(f"{name} is in no package that condaprune knows; optional code may ask")
        else:
            user = next(o for o in needs.outside if o.name == name)
            notes.append(f"it lacks {name}, which {user.users[0]} asks for")
    if not base.shell:
        if needs.shells:
            notes.append(
                f"{len(needs.shells)} scripts need a shell, such as {needs.shells[0].path}"
            )
        if needs.env_scripts:
            notes.append(
                f"{needs.env_scripts} scripts start with /usr/bin/env, which it lacks: start "
                "them as `python -m MODULE`"
            )
    if not needs.certificates and not base.certificates:
        installs += ["ca-certificates"] if base.installs else []
    if not needs.zones and not base.zones:
        installs += ["tzdata"] if base.installs else []
    unique = tuple(dict.fromkeys(installs))
    return Fit(base.name, not reasons, tuple(reasons), unique, tuple(notes))


def _scratch(needs: Needs) -> Fit:
    libraries = [o.name for o in needs.outside]
    missing = outside_glibc(needs)
    notes = []
    if libraries:
        parts = ", ".join((*needs.loaders, *libraries))
        notes.append(f"copy these from an image with glibc {shown(needs.glibc)} or newer: {parts}")
    if not needs.certificates:
        notes.append("copy /etc/ssl/certs/ca-certificates.crt too: the environment has none")
    notes.append("add /tmp and an /etc/passwd with the user")
    if needs.scripts or needs.env_scripts:
        notes.append("scripts that need /usr/bin/env or a shell do not start")
    if missing:
        why = f"{len(missing)} libraries beside glibc are taken from outside, such as {missing[0]}"
        notes.insert(0, why)
    return Fit("scratch", True, (), (), tuple(notes))


def shown(version: Version | None) -> str:
    """A version of glibc as people write it."""
    if version is None:
        return "of any version"
    return ".".join(map(str, version if version[2] else version[:2]))
