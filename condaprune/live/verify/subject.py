"""One of the two environments that are compared: a prefix, or an archive unpacked for it."""

from __future__ import annotations

import ast
import os
import platform
import shutil
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from condaprune.errors import SourceError
from condaprune.live.verify.listing import Listing
from condaprune.paths import from_bytes, parent

if TYPE_CHECKING:
    from condaprune.live.sandbox import Sandbox

PROBES = ("probe_imports.py", "probe_metadata.py")
_MACHINES = {
    3: "i686",
    20: "ppc",
    21: "ppc64le",
    22: "s390x",
    40: "armv7l",
    62: "x86_64",
    183: "aarch64",
    243: "riscv64",
}
_SAME = {"amd64": "x86_64", "arm64": "aarch64", "ppc64": "ppc64le", "i386": "i686"}
# Read in the environment: where it imports from, what its extension modules are called.
_DESCRIBE = (
    "import sys, os, importlib.machinery as m; os.write(1, (ascii((list(sys.version_info[:3]),"
    " sys.path, m.EXTENSION_SUFFIXES, os.path.dirname(os.__file__))) + chr(10)).encode('ascii'))"
)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The Python of an environment, as it describes itself; paths are relative to the prefix."""

    path: str
    version: tuple[int, int, int]
    search: tuple[str, ...]
    stdlib: str
    suffixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """An environment ready to be checked.

    `interpreter` is None where it has none that runs here; `why_not` then says why (empty: the
    environment has no Python). `foreign` is the machine it was built for where that is another.
    """

    label: str
    listing: Listing
    sandbox: Sandbox
    interpreter: Interpreter | None
    why_not: str = ""
    foreign: str = ""

    def python(self, probe: str, *arguments: str) -> list[str]:
        """The command line that runs a probe with the environment's own Python, isolated."""
        assert self.interpreter is not None
        script = f"{self.sandbox.scratch}/probes/{probe}"
        cache = self.sandbox.bytecode
        option = ["-X", f"pycache_prefix={cache}"] if cache else ["-B"]
        return [self.listing.absolute(self.interpreter.path), "-I", *option, script, *arguments]


def copy_probes(scratch: str) -> None:
    """Put the probes where processes of either environment can read them."""
    os.makedirs(f"{scratch}/probes", exist_ok=True)
    for probe in PROBES:
        shutil.copy(os.path.join(os.path.dirname(__file__), probe), f"{scratch}/probes/{probe}")


def check_prefix(path: str) -> str:
    """The real absolute path of a prefix. Errors: `SourceError` where it is none."""
    remedy = "Give the root folder of an environment (it holds bin/ and lib/) or an archive of one"
    if not os.path.isdir(path):
        what = "is no folder" if os.path.lexists(path) else "does not exist"
        raise SourceError(what, where=path, remedy=remedy)
    real = from_bytes(os.path.realpath(os.fsencode(path)))
    if real == "/" or not any(os.path.isdir(f"{real}/{d}") for d in ("bin", "lib", "conda-meta")):
        raise SourceError("is no environment", where=path, remedy=remedy)
    return real


def describe(label: str, listing: Listing, sandbox: Sandbox, timeout: float) -> Subject:
    """The subject that a listing is, its Python asked to describe itself (this runs it)."""
    python = find_python(listing)
    foreign = _foreign(listing, python)
    if foreign:
        why = f"it is built for {foreign}, this machine is {platform.machine()}"
        return Subject(label, listing, sandbox, None, why, foreign)
    if not python:
        return Subject(label, listing, sandbox, None)
    done = sandbox.run([listing.absolute(python), "-I", "-B", "-c", _DESCRIBE], timeout)
    if done.code != 0:
        last = done.err.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no message"]
        how = "did not end in time" if done.code is None else f"ended with {done.code}"
        return Subject(label, listing, sandbox, None, f"{python} {how}: {last[0]}")
    version, search, suffixes, stdlib = ast.literal_eval(done.out.decode("ascii"))
    within = [listing.inside(_real(path)) for path in search]
    interpreter = Interpreter(
        python,
        (version[0], version[1], version[2]),
        tuple(dict.fromkeys(path for path in within if path)),
        listing.inside(_real(stdlib)) or "",
        tuple(suffixes),
    )
    return Subject(label, listing, sandbox, interpreter)


def _real(path: str) -> str:
    return from_bytes(os.path.realpath(os.fsencode(path)))


def find_python(listing: Listing) -> str:
    """The path of the interpreter, or an empty string where there is none."""
    numbered = sorted(
        path
        for path in listing
        if path.startswith("bin/python3.") and path[len("bin/python3.") :].rstrip("t").isdigit()
    )
    candidates = ["bin/python", "bin/python3", *numbered, "bin/pypy3", "bin/python2.7"]
    return next((path for path in candidates if _leads_to_program(listing, path)), "")


def _leads_to_program(listing: Listing, path: str) -> bool:
    found = listing.resolve(path)
    entry = listing.entries.get(found) if found else None
    # A link that leads out of the prefix (a virtual environment) resolves to itself.
    return entry is not None and entry.kind in ("file", "link") and path in listing


def _foreign(listing: Listing, python: str) -> str:
    paths = [python] if python else []
    paths += [p for p in listing if parent(p) == "bin" and listing.entries[p].kind == "file"]
    for path in paths:
        machine = machine_of(listing.read(path, 64))
        if machine:
            here = platform.machine().lower()
            return "" if machine == _SAME.get(here, here) else machine
    return ""


def machine_of(head: bytes) -> str:
    """The machine that an ELF file was built for, by its first bytes; empty for other files."""
    if len(head) < 20 or head[:4] != b"\x7fELF":
        return ""
    (number,) = struct.unpack_from("<H" if head[5] == 1 else ">H", head, 18)
    return _MACHINES.get(number, f"machine {number}")
