"""What an environment needs of the image it runs in: libraries, glibc, interpreters, variables."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from condaprune.errors import SourceError
from condaprune.formats.elf import BinaryFacts, Reader, read_elf, read_versions
from condaprune.live.activation import activate, activation_files, declared_variables
from condaprune.live.sandbox import open_sandbox
from condaprune.model import Entry, Inventory
from condaprune.report.audit.contents import may_be_elf, readers
from condaprune.sources.base import Source

Version = tuple[int, int, int]

_MACHINES = {3: "x86", 40: "arm", 62: "x86_64", 183: "aarch64", 21: "ppc64le", 22: "s390x"}
_EXPORT = re.compile(
    r"^[ \t]*export[ \t]+([A-Za-z_][A-Za-z0-9_]*)=(\"[^\"\n]*\"|'[^'\n]*'|[^\s;#\"']*)",
    re.MULTILINE,
)
_GLIBC = re.compile(r"GLIBC_(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?")
_CERTIFICATES = ("/cacert.pem", "/cert.pem", "/ca-certificates.crt")
_ZONES = re.compile(r"(?!(?:lib/python[\d.]+t?|Lib)/zoneinfo$)(?:.*/)?zoneinfo")
"""Folders of time zones; the module of that name in the standard library holds none."""
_PYTHONS = ("bin/python", "bin/python3", "python.exe")
_SECONDS = 30.0
_OF_SHELLS = frozenset({"CONDA_PREFIX", "PATH", "HOME", "PS1"})
_OUTSIDE = ("/bin/", "/usr/", "/sbin/", "/opt/")


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

    `computed` says that the value cannot be read from the script's text.
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


def runtime_needs(source: Source, removed: Collection[str] = ()) -> Needs:
    """The needs of what stays of an environment once *removed* is gone. Errors: `SourceError`."""
    inventory = source.inventory()
    entries = [e for p, e in inventory.entries.items() if p not in removed]
    files = [e for e in entries if e.kind in ("file", "link")]
    provided = {e.path.rpartition("/")[2] for e in files}
    users: dict[str, list[str]] = {}
    binaries: list[BinaryFacts] = []
    versions: list[tuple[Version, str]] = []
    for path, read in readers(source, [entry.path for entry in entries if may_be_elf(entry)]):
        facts = read_elf(read)
        if facts is None:
            continue
        binaries.append(facts)
        for name in facts.needed:
            users.setdefault(name, []).append(path)
        version = glibc_version(read)
        if version is not None:
            versions.append((version, path))
    provided.update(facts.soname for facts in binaries)
    machines = (_MACHINES.get(facts.machine, f"machine {facts.machine}") for facts in binaries)
    glibc, glibc_user = max(versions, key=lambda found: found[0], default=(None, ""))
    scripts, env_scripts, prefix_scripts = _scripts(source, inventory, entries)
    activation = tuple(
        e.path for e in entries if e.path.startswith("etc/conda/activate.d/") and e.kind == "file"
    )
    return Needs(
        label=inventory.label,
        prefix=inventory.prefix,
        platform=inventory.layout.platform,
        machines=tuple(dict.fromkeys(machines)),
        binaries=len(binaries),
        outside=tuple(
            Outside(name, tuple(paths[:3]), len(paths))
            for name, paths in sorted(users.items())
            if name not in provided and name.rpartition("/")[2] not in provided
        ),
        glibc=glibc,
        glibc_user=glibc_user,
        loaders=tuple(dict.fromkeys(f.interpreter for f in binaries if f.interpreter)),
        scripts=scripts,
        env_scripts=env_scripts,
        prefix_scripts=prefix_scripts,
        variables=_variables(source, inventory, files),
        activation=activation,
        certificates=tuple(e.path for e in files if _is_certificates(e.path)),
        zones=tuple(e.path for e in entries if e.kind == "folder" and _ZONES.fullmatch(e.path)),
        python=next((p for p in _PYTHONS if p in inventory.entries and p not in removed), ""),
    )


def _is_certificates(path: str) -> bool:
    """Whether a file is named like the certificates of OpenSSL or certifi."""
    return path.endswith(_CERTIFICATES) and not {"ssl", "certifi"}.isdisjoint(path.split("/")[:-1])


def glibc_version(read: Reader) -> Version | None:
    """The newest version of glibc that a file asks for; None where it asks for none."""
    matches = filter(None, map(_GLIBC.fullmatch, read_versions(read)))
    return max(((int(m[1]), int(m[2]), int(m[3] or 0)) for m in matches), default=None)


def _variables(
    source: Source, inventory: Inventory, files: Collection[Entry]
) -> tuple[Variable, ...]:
    """The variables that conda declares, then those that activation scripts export."""
    paths = activation_files(entry.path for entry in files)
    texts = dict(source.read_many(paths))
    declared = declared_variables((path, texts[path]) for path in paths if path in texts)
    variables = [
        Variable(name, value.replace(inventory.prefix or "\0", "$CONDA_PREFIX"), path)
        for name, (value, path) in declared.items()
    ]
    for path in paths:
        if path.endswith(".sh") and path in texts:
            text = texts[path].decode("utf-8", "replace")
            variables += exported(path, text, inventory.prefix)
    return tuple(variables)


def exported(source: str, text: str, prefix: str) -> Iterator[Variable]:
    """The variables that an activation script exports, as far as its text shows.

    The environment's own folder is written as ``$CONDA_PREFIX``.
    """
    for match in _EXPORT.finditer(text):
        name, raw = match[1], match[2]
        value = raw[1:-1] if raw[:1] in ("'", '"') else raw
        if prefix:
            value = value.replace(prefix, "$CONDA_PREFIX")
        value = value.replace("${CONDA_PREFIX}", "$CONDA_PREFIX")
        rest = value.replace("$CONDA_PREFIX", "") if raw[:1] != "'" else ""
        if name.startswith(("_CONDA_", "CONDA_BACKUP_")):
            continue  # deactivation restores these
        yield Variable(name, value, source, "$" in rest or "`" in rest)


def _scripts(
    source: Source, inventory: Inventory, entries: Collection[Entry]
) -> tuple[tuple[Script, ...], int, int]:
    """Scripts of the bin folders that name an interpreter outside, and counts of the others:
    those of ``/usr/bin/env``, those of the environment's own interpreters."""
    folders = tuple(f"{folder}/" for folder in inventory.layout.roots.get("bin", ()))
    paths = [e.path for e in entries if e.kind == "file" and e.size and e.path.startswith(folders)]
    scripts: list[Script] = []
    by_env = inside = 0
    for path, read in readers(source, paths) if folders else ():
        head = read(0, 512)
        if head[:2] != b"#!":
            continue
        line = head.split(b"\n", 1)[0][2:].strip().decode("utf-8", "replace")
        interpreter, _, rest = line.partition(" ")
        if interpreter.endswith("/env"):
            by_env += 1
            program = rest.replace("-S ", "").strip().partition(" ")[0]
            if f"bin/{program}" not in inventory.entries:
                scripts.append(Script(path, line, program))
        elif interpreter.startswith(_OUTSIDE) and not (
            inventory.prefix and interpreter.startswith(inventory.prefix + "/")
        ):
            scripts.append(Script(path, line, interpreter))
        else:
            inside += 1
    return tuple(scripts), by_env, inside


def run_activation(prefix: str, scripts: Sequence[str]) -> tuple[Variable, ...]:
    """The variables that activation of *prefix* by *scripts* (paths below it) sets or changes,
    without those that only a shell needs. It executes code of the environment.

    Errors: `SourceError` where a script fails, or does not end within half a minute.
    """
    with tempfile.TemporaryDirectory(prefix="condaprune-activation-") as scratch:
        sandbox = open_sandbox(prefix, scratch)
        activation = activate(sandbox, _SECONDS, scripts)
    if activation.failure:
        raise SourceError(
            f"the activation script failed: {activation.failure}",
            where=prefix,
            remedy="Leave out --run-activation: the scripts are then read, not run",
        )
    return tuple(
        Variable(name, variable.value.replace(prefix, "$CONDA_PREFIX"), variable.source)
        for name, variable in activation.variables.items()
        if name not in _OF_SHELLS and not name.startswith("_CONDA_")
    )
