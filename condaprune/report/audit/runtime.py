"""What an environment needs of the image it runs in: libraries, glibc, interpreters, variables."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from condaprune.formats.elf import Reader, read_elf
from condaprune.live.activation import activation_files, declared_variables
from condaprune.model import Entry, Inventory
from condaprune.paths import to_bytes
from condaprune.report.audit.elfversions import Version, glibc_version
from condaprune.report.audit.subject import Environment

_MACHINES = {3: "x86", 40: "arm", 62: "x86_64", 183: "aarch64", 21: "ppc64le", 22: "s390x"}
_EXPORT = re.compile(
    r"^\s*(?:export\s+)([A-Za-z_][A-Za-z0-9_]*)=(\"[^\"\n]*\"|'[^'\n]*'|[^\s;#\"']*)", re.MULTILINE
)
_CERTIFICATES = ("cacert.pem", "cert.pem", "ca-certificates.crt")
_NO_PROGRAMS = (".py", ".pyc", ".h", ".txt", ".json", ".a", ".md", ".rst", ".html", ".js", ".csv")


@dataclass(frozen=True, slots=True)
class Outside:
    """A library that no file of the environment provides, and some files that need it."""

    name: str
    users: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Script:
    """A script whose interpreter the environment does not bring; `line` is its first line."""

    path: str
    line: str
    interpreter: str


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that activation sets; `value` may hold ``$CONDA_PREFIX``. `source` is the script.

    `computed` says that a static look could not tell the value.
    """

    name: str
    value: str
    source: str
    computed: bool = False


@dataclass(frozen=True, slots=True)
class Needs:
    """What an environment needs of its image.

    `glibc` is the lowest version that all binaries run with and `glibc_user` the first file that
    needs it. `loaders` are the program interpreters that binaries name. `env_scripts` counts the
    scripts that start with ``#!/usr/bin/env``. `certificates` and `zones` are the entries that
    bring them, empty where the image has to.
    """

    label: str
    prefix: str
    platform: str
    machines: tuple[str, ...]
    binaries: int
    outside: tuple[Outside, ...]
    glibc: Version | None
    glibc_user: str
    loaders: tuple[str, ...]
    scripts: tuple[Script, ...]
    env_scripts: int
    prefix_scripts: int
    variables: tuple[Variable, ...]
    activation: tuple[str, ...]
    certificates: tuple[str, ...]
    zones: tuple[str, ...]
    python: str

    @property
    def shells(self) -> tuple[Script, ...]:
        """The scripts that need a shell of the image."""
        names = ("sh", "bash", "dash", "zsh", "ksh", "csh", "tcsh")
        return tuple(s for s in self.scripts if s.interpreter.rpartition("/")[2] in names)


def runtime_needs(
    subject: Environment, inventory: Inventory, removed: Collection[str] = ()
) -> Needs:
    """The needs of what stays of an environment once *removed* is gone. Errors: `SourceError`."""
    entries = [e for p, e in inventory.entries.items() if p not in removed]
    names = {e.path.rpartition("/")[2] for e in entries if e.kind in ("file", "link")}
    sonames: set[str] = set()
    users: dict[str, list[str]] = {}
    loaders: dict[str, None] = {}
    machines: dict[str, None] = {}
    glibc: Version | None = None
    glibc_user, binaries = "", 0
    wanted = [entry for entry in entries if _may_be_binary(entry)]
    for path, read in _readers(subject, wanted):
        facts = read_elf(read)
        if facts is None:
            continue
        binaries += 1
        machines.setdefault(_MACHINES.get(facts.machine, f"machine {facts.machine}"))
        sonames.add(facts.soname)
        if facts.interpreter:
            loaders.setdefault(facts.interpreter)
        for name in facts.needed:
            users.setdefault(name, []).append(path)
        version = glibc_version(read)
        if version and (glibc is None or version > glibc):
            glibc, glibc_user = version, path
    outside = [
        Outside(name, tuple(held[:3]), len(held))
        for name, held in sorted(users.items())
        if name.rpartition("/")[2] not in names and name not in sonames
    ]
    scripts, env_scripts, prefix_scripts = _scripts(subject, inventory, entries)
    activation = tuple(
        e.path for e in entries if e.path.startswith("etc/conda/activate.d/") and e.kind == "file"
    )
    files = activation_files(e.path for e in entries if e.kind != "folder")
    texts = dict(subject.source.read_many(files))
    declared = declared_variables((path, texts[path]) for path in files if path in texts)
    variables = [
        Variable(name, value.replace(inventory.prefix or "\0", "$CONDA_PREFIX"), path)
        for name, (value, path) in declared.items()
    ]
    for path in files:
        if path.endswith(".sh") and path in texts:
            text = texts[path].decode("utf-8", "replace")
            variables += exported(path, text, inventory.prefix)
    return Needs(
        label=inventory.label,
        prefix=inventory.prefix,
        platform=inventory.layout.platform,
        machines=tuple(machines),
        binaries=binaries,
        outside=tuple(outside),
        glibc=glibc,
        glibc_user=glibc_user,
        loaders=tuple(loaders),
        scripts=scripts,
        env_scripts=env_scripts,
        prefix_scripts=prefix_scripts,
        variables=tuple(variables),
        activation=activation,
        certificates=_named(
            entries, _CERTIFICATES, ("ssl/", "certifi/", "etc/ssl/", "Library/ssl/")
        ),
        zones=_zones(entries),
        python=next((p for p in _PYTHONS if p in inventory.entries and p not in removed), ""),
    )


_PYTHONS = ("bin/python", "bin/python3", "python.exe")


def exported(source: str, text: str, prefix: str) -> Iterator[Variable]:
    """The variables that an activation script exports, as far as its text tells.

    The environment's own folder stands as ``$CONDA_PREFIX``.
    """
    for match in _EXPORT.finditer(text):
        name, raw = match[1], match[2]
        value = raw[1:-1] if raw[:1] in ("'", '"') else raw
        if prefix:
            value = value.replace(prefix, "$CONDA_PREFIX")
        value = value.replace("${CONDA_PREFIX}", "$CONDA_PREFIX")
        rest = value.replace("$CONDA_PREFIX", "") if raw[:1] != "'" else ""
        if name.startswith(("_CONDA_", "CONDA_BACKUP_")):
            continue  # what deactivation gives back
        yield Variable(name, value, source, "$" in rest or "`" in rest)


def _may_be_binary(entry: Entry) -> bool:
    if entry.kind != "file" or entry.size < 64:
        return False
    name = entry.path.rpartition("/")[2]
    return ".so" in name or (bool(entry.mode & 0o111) and not name.endswith(_NO_PROGRAMS))


def _readers(subject: Environment, entries: Collection[Entry]) -> Iterator[tuple[str, Reader]]:
    if subject.prefix:
        for entry in entries:
            try:
                handle = os.open(
                    to_bytes(f"{subject.prefix}/{entry.path}"),
                    os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC,
                )
            except OSError:
                continue
            try:
                yield entry.path, _at(handle)
            finally:
                os.close(handle)
        return
    for path, data in subject.source.read_many([entry.path for entry in entries]):
        yield path, _within(data)


def _at(handle: int) -> Reader:
    return lambda offset, length: os.pread(handle, length, offset)


def _within(data: bytes) -> Reader:
    return lambda offset, length: data[offset : offset + length]


def _scripts(
    subject: Environment, inventory: Inventory, entries: Collection[Entry]
) -> tuple[tuple[Script, ...], int, int]:
    """Scripts of the bin folders that name an interpreter outside, and counts of the others:
    those of ``/usr/bin/env``, those of the environment's own interpreters."""
    folders = tuple(f"{folder}/" for folder in inventory.layout.roots.get("bin", ()))
    wanted = [e for e in entries if e.kind == "file" and e.path.startswith(folders) and e.size]
    found: list[Script] = []
    by_env = own = 0
    for path, read in _readers(subject, wanted) if folders else ():
        head = read(0, 512)
        if head[:2] != b"#!":
            continue
        line = head.split(b"\n", 1)[0][2:].strip().decode("utf-8", "replace")
        interpreter, _, rest = line.partition(" ")
        if interpreter.endswith("/env"):
            by_env += 1
            inner = rest.replace("-S ", "").strip().partition(" ")[0]
            if f"bin/{inner}" not in inventory.entries:
                found.append(Script(path, line, inner))
        elif inventory.prefix and interpreter.startswith(inventory.prefix + "/"):
            own += 1
        elif interpreter.startswith(("/bin/", "/usr/", "/sbin/", "/opt/", "/usr/local/")):
            found.append(Script(path, line, interpreter))
        else:
            own += 1
    return tuple(found), by_env, own


def _named(
    entries: Collection[Entry], names: Collection[str], folders: tuple[str, ...]
) -> tuple[str, ...]:
    return tuple(
        e.path
        for e in entries
        if e.path.rpartition("/")[2] in names
        and e.kind in ("file", "link")
        and any(f"/{folder}" in f"/{e.path}" for folder in folders)
    )


def _zones(entries: Collection[Entry]) -> tuple[str, ...]:
    """The folders that bring time zones; the standard library's module of that name has none."""
    return tuple(
        entry.path
        for entry in entries
        if entry.kind == "folder"
        and entry.path.rpartition("/")[2] == "zoneinfo"
        and not re.fullmatch(r"lib/python[\d.]+t?/zoneinfo|Lib/zoneinfo", entry.path)
    )
