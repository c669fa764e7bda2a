"""The two environments that are compared: each is a prefix, or an archive unpacked for it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import struct
import tempfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from condaprune.errors import ArchiveError, SourceError
from condaprune.formats.unpack_list import UNPACK
from condaprune.live.activation import activate
from condaprune.live.sandbox import Sandbox, open_sandbox
from condaprune.live.verify import answers
from condaprune.live.verify.listing import Listing, list_prefix
from condaprune.live.verify.removals import Removals
from condaprune.live.verify.results import Finding
from condaprune.live.verify.scope import EVERYTHING, Scope
from condaprune.model import Progress, no_progress
from condaprune.paths import from_bytes, parent, to_bytes
from condaprune.targets import open_folder

if TYPE_CHECKING:
    from condaprune.sinks.outputs.folder import FolderWriter
    from condaprune.sources.archive import ArchiveSource

_PYTHON = re.compile(r"bin/(?:python(?:2\.7|3(?:\.\d+t?)?)?|pypy3)")
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
# Run in the environment: where it imports from, and the names of extension modules.
_DESCRIBE = (
    "import sys, os, importlib.machinery as m; os.write(1, (ascii((list(sys.version_info[:3]),"
    " sys.path, m.EXTENSION_SUFFIXES, os.path.dirname(os.__file__))) + chr(10)).encode('ascii'))"
)


@dataclass(frozen=True, slots=True)
class Effort:
    """How to check: `jobs` processes at a time, `timeout` seconds for one import or command."""

    jobs: int = 2
    timeout: float = 60.0
    progress: Progress = no_progress


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

    `interpreter` is None where none runs here; `why_not` then says why (empty: the environment
    has no Python). `foreign` is the machine that it was built for, where that is another one.
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


@dataclass(frozen=True, slots=True)
class Pair:
    """The two environments, the files that went between them, what of them is run, and how."""

    before: Subject
    after: Subject
    removals: Removals
    effort: Effort
    scope: Scope = EVERYTHING

    @property
    def timeout(self) -> float:
        """The seconds that one command or script may take."""
        return self.effort.timeout

    def loss(
        self, check: str, kind: str, name: str, before: str, after: str, evidence: str, *paths: str
    ) -> Finding:
        """A finding that is explained by those of *paths* that are gone."""
        return Finding(check, kind, name, before, after, evidence, self.removals.culprits(*paths))


def copy_probes(scratch: str) -> None:
    """Put the probes where the processes of both environments can read them."""
    os.makedirs(f"{scratch}/probes", exist_ok=True)
    for probe in ("probe_imports.py", "probe_metadata.py"):
        shutil.copy(os.path.join(os.path.dirname(__file__), probe), f"{scratch}/probes/{probe}")


def check_prefix(path: str) -> str:
    """The real absolute path of a prefix. Errors: `SourceError` where it is not one."""
    remedy = "Give the root folder of an environment (it holds bin/ and lib/) or an archive of one"
    if not os.path.isdir(path):
        what = "is not a folder" if os.path.lexists(path) else "does not exist"
        raise SourceError(what, where=path, remedy=remedy)
    real = real_path(path)
    if real == "/" or not any(os.path.isdir(f"{real}/{d}") for d in ("bin", "lib", "conda-meta")):
        raise SourceError("is not an environment", where=path, remedy=remedy)
    return real


def open_environment(path: str, folder: str, scratch: str, timeout: float) -> Listing:
    """The listing of the prefix at *path*, or of the archive there, unpacked to the new *folder*.

    If the archive has a conda-unpack, it is run with the archive's own Python. Errors:
    `SourceError`, `ArchiveError`.
    """
    if not os.path.isfile(path):
        return list_prefix(check_prefix(path))
    _unpack(path, folder)
    root = real_path(folder)
    listing = list_prefix(root)
    python = find_python(listing)
    if UNPACK not in listing or not python or _foreign(listing, python):
        return listing
    # It writes into the environment, so it runs outside the read-only sandbox.
    command = [listing.absolute(python), "-B", listing.absolute(UNPACK)]
    done = Sandbox(root, scratch).run(command, timeout)
    if done.code != 0:
        raise ArchiveError(
            f"its conda-unpack {done.ending}: {done.last_line}",
            where=path,
            remedy="The archive cannot be used where it is unpacked; pack it again",
        )
    return list_prefix(root)


def _unpack(path: str, folder: str) -> None:
    from condaprune.sinks.outputs.folder import FolderWriter
    from condaprune.sources.archive import ArchiveSource

    source = ArchiveSource(path)
    try:
        os.mkdir(folder, 0o755)
        with open_folder(to_bytes(folder)) as root:
            _write(source, FolderWriter(root))
    except OSError as error:
        raise SourceError(
            f"the archive cannot be unpacked: {error.strerror}",
            where=path,
            remedy="Set TMPDIR to a folder with room for the whole environment",
        ) from error


def _write(source: ArchiveSource, writer: FolderWriter) -> None:
    for entry, member, body in source.stream():
        cut = len(member.path) - len(entry.path)  # the archive's root folder
        mode = member.mode | (0o700 if member.kind == "folder" else 0o600)
        writer.add(replace(member, path=entry.path, linked=member.linked[cut:], mode=mode), body)
    writer.finish()


def describe(
    label: str, listing: Listing, scratch: str, timeout: float, covered: str = ""
) -> Subject:
    """The subject of a listing; this runs its activation scripts and its Python.

    Its processes see the variables that activation sets. *covered* is as for `open_sandbox`.
    """
    sandbox = open_sandbox(listing.root, scratch, covered)
    sandbox = replace(sandbox, variables=activate(sandbox, timeout).values)
    python = find_python(listing)
    foreign = _foreign(listing, python)
    if foreign:
        why = f"it is built for {foreign}, this machine is {platform.machine()}"
        return Subject(label, listing, sandbox, None, why, foreign)
    if not python:
        return Subject(label, listing, sandbox, None)
    done = sandbox.run([listing.absolute(python), "-I", "-B", "-c", _DESCRIBE], timeout)
    if done.code != 0:
        why = f"{python} {done.ending}: {done.last_line}"
        return Subject(label, listing, sandbox, None, why)
    try:
        interpreter = _interpreter(python, listing, done.out)
    except ValueError as error:
        return Subject(label, listing, sandbox, None, f"{python} describes itself by {error}")
    if interpreter.version >= (3, 8) and not any("/__pycache__/" in path for path in listing):
        # Compile once, not once a process. Never where the environment has bytecode: the cache
        # would hide it, and with it any error in it.
        cache = tempfile.mkdtemp(prefix="bytecode-", dir=scratch)
        sandbox = replace(sandbox, bytecode=cache)
    return Subject(label, listing, sandbox, interpreter)


def _interpreter(python: str, listing: Listing, answer: bytes) -> Interpreter:
    version, search, suffixes, stdlib = answers.parse_answer(answer.strip(), 4)
    if not answers.is_list(version):
        raise ValueError("an answer that is no list")
    major, minor, micro = (number for number in version if isinstance(number, int))
    within = [listing.inside(real_path(path)) for path in answers.texts(search)]
    return Interpreter(
        python,
        (major, minor, micro),
        tuple(dict.fromkeys(path for path in within if path)),
        listing.inside(real_path(answers.text(stdlib))) or "",
        answers.texts(suffixes),
    )


def real_path(path: str) -> str:
    """A path of this machine with all links followed."""
    return from_bytes(os.path.realpath(os.fsencode(path)))


def find_python(listing: Listing) -> str:
    """The path of the interpreter; empty where there is none."""
    names = sorted((p for p in listing if _PYTHON.fullmatch(p)), key=lambda p: ("pypy" in p, p))
    targets = ((path, listing.target(path)) for path in names)
    return next((path for path, entry in targets if entry and entry.kind != "folder"), "")


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
    """The machine that an ELF file was built for, from its first bytes; empty for other files."""
    if len(head) < 20 or head[:4] != b"\x7fELF":
        return ""
    (number,) = struct.unpack_from("<H" if head[5] == 1 else ">H", head, 18)
    return _MACHINES.get(number, f"machine {number}")
