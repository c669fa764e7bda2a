"""What must be known about an interpreter before its installation can become a package."""

from __future__ import annotations

import functools
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import BuildError

# Runs inside the interpreter asked for, which may be a venv's: base_* names the installation.
_PROBE = """
import importlib.machinery, json, os, platform, sys, sysconfig
info = sys.implementation.version
print(json.dumps({
    "executable": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
    "base_prefix": sys.base_prefix,
    "stdlib": os.path.dirname(os.__file__),
    "include": sysconfig.get_config_var("INCLUDEPY"),
    "libdir": sysconfig.get_config_var("LIBDIR"),
    "version": platform.python_version(),
    "build": sys.version,
    "cache_tag": sys.implementation.cache_tag,
    "multiarch": sysconfig.get_config_var("MULTIARCH") or "",
    "debian": "deb_system" in sysconfig.get_scheme_names(),
    "markers": {
        "implementation_name": sys.implementation.name,
        "implementation_version": f"{info.major}.{info.minor}.{info.micro}",
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    },
}))
"""

_SUBDIRS = {"x86_64": "linux-64", "i686": "linux-32"}

#: Settings of the caller that would leak into a build: SOURCE_DATE_EPOCH, for one, makes Python
#: write hash-based bytecode, which no conda package has.
_LEAKING = (
    "SOURCE_DATE_EPOCH",
    "VIRTUAL_ENV",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "CFLAGS",
    "LDFLAGS",
)


def clean_environ() -> dict[str, str]:
    """The caller's environment without what would change how an interpreter or compiler works."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "CONDA", "COV_CORE", "COVERAGE")) and name not in _LEAKING
    }


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An installed CPython, as it tells about itself."""

    executable: Path
    base_prefix: Path
    stdlib: Path
    include: Path
    libdir: Path
    version: str
    """The full version, such as 3.11.7."""
    build: str
    """`sys.version`: it names compiler and build date."""
    cache_tag: str
    multiarch: str
    debian: bool
    """Debian's python, whose own packages live in dist-packages."""
    markers: Mapping[str, str]
    """The environment that PEP 508 markers are evaluated in."""

    @property
    def short(self) -> str:
        """The version that folders are named by: 3.11."""
        return ".".join(self.version.split(".")[:2])

    @property
    def compact(self) -> str:
        """The version as build strings and tags spell it: 311."""
        return self.short.replace(".", "")

    @property
    def system_wide(self) -> bool:
        """Whether the installation shares its prefix with the rest of the system."""
        return self.base_prefix in (Path("/usr"), Path("/usr/local"))

    def __hash__(self) -> int:
        return hash((self.executable, self.build))


def conda_subdir() -> str:
    """The channel folder for this machine: linux-64, linux-aarch64, ..."""
    machine = platform.machine()
    return _SUBDIRS.get(machine, f"linux-{machine}")


@functools.cache
def probe(executable: str | None = None) -> Interpreter:
    """Ask an interpreter (the running one if none is named) what it is.

    Raises BuildError when it cannot be run, or is no CPython 3.10 or later.
    """
    asked = executable or sys.executable
    try:
        answer = subprocess.run(
            [asked, "-I", "-c", _PROBE],
            capture_output=True,
            text=True,
            check=True,
            env=clean_environ(),
        ).stdout
    except OSError as error:
        raise BuildError(
            f"cannot run the interpreter: {error.strerror}",
            where=asked,
            fix="name an existing python executable",
        ) from error
    except subprocess.CalledProcessError as error:
        raise BuildError(
            f"the interpreter fails to describe itself:\n{error.stderr}",
            where=asked,
            fix="name a working CPython, 3.10 or later",
        ) from error
    facts: dict[str, Any] = json.loads(answer)
    for name in ("executable", "base_prefix", "stdlib", "include", "libdir"):
        facts[name] = Path(facts[name] or "/nowhere")
    interpreter = Interpreter(**facts)
    _require_supported(interpreter)
    return interpreter


def _require_supported(interpreter: Interpreter) -> None:
    major, minor = (int(part) for part in interpreter.short.split("."))
    if interpreter.markers["implementation_name"] != "cpython" or (major, minor) < (3, 10):
        name = interpreter.markers["platform_python_implementation"]
        raise BuildError(
            f"{name} {interpreter.version} is not supported",
            where=interpreter.executable,
            fix="name a CPython, 3.10 or later",
        )
    if interpreter.markers["platform_system"] != "Linux":
        raise BuildError(
            f"{interpreter.markers['platform_system']} is not supported: only Linux is",
            where=interpreter.executable,
            fix="run these tests on Linux",
        )
