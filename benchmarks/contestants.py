"""Who takes part in the contest of `benchmarks.peers`, and the command of each."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import recipes, workloads
from benchmarks.losses import Reference
from condaprune.paths import to_bytes
from condaprune.traces.format import write_trace
from condaprune.traces.trace import Trace, TraceKind

HERE = Path(__file__).resolve().parent
US = "condaprune"
RUNTIME = "condaprune runtime"
OPENED: frozenset[TraceKind] = frozenset({"open", "exec"})
LOOKED_AT: frozenset[TraceKind] = OPENED | {"stat", "readlink"}


@dataclass(frozen=True, slots=True)
class Peer:
    """A contestant: the command that works on a copy, given the copy and a folder for output.

    One with an `archive` leaves the copy alone and writes that file into the folder; one that
    `edits` writes into files, which must not be linked to the original's then.
    """

    name: str
    command: Callable[[Path, Path], list[str]]
    archive: str = ""
    edits: bool = False


def contestants(reference: Reference, folder: Path) -> tuple[list[Peer], list[str]]:
    """Who takes part, and why others do not. Records the traces, which is not timed."""
    stdlib = reference.plans["runtime"].inventory.layout.stdlib
    python = stdlib[0].rpartition("/")[2] if stdlib else "python3"
    found, missing = [], []
    for recipe in recipes.RECIPES:
        absent = [tool for tool in recipe.tools if not shutil.which(tool)]
        if absent:
            missing.append(f"{recipe.name}: there is no {absent[0]} here")
            continue
        edits = "strip" in recipe.tools
        found.append(Peer(recipe.name, _in_copy(recipe.script(python)), edits=edits))
    found.append(_conda_pack())
    found.append(_empack(folder))
    found += [Peer(f"{US} {name}", _ours("--profile", name)) for name in ("safe", "runtime")]
    found.append(Peer(f"{RUNTIME} --strip", _ours("--strip")))
    found.append(Peer(f"{RUNTIME}, to an archive", _ours(output="out.tar.zst"), "out.tar.zst"))
    found.append(Peer(f"{US} minimal", _ours("--profile", "minimal")))
    if not workloads.starts(reference.prefix):
        return found, [*missing, "traces: the environment's Python does not run here"]
    trace = os.fspath(folder / "app.trace")
    write_trace(workloads.traces(reference.prefix, "auto"), trace)
    traced = ("--profile", "minimal", "--trace", trace)
    found.append(Peer(f"{US} minimal --trace", _ours(*traced)))
    found.append(Peer(f"{US} minimal --only-traced", _ours(*traced, "--only-traced")))
    if shutil.which("strace"):
        seen = workloads.traces(reference.prefix, "strace")
        for name, kinds in (("opened", OPENED), ("opened or looked at", LOOKED_AT)):
            kept = folder / name.replace(" ", "-")
            paths = sorted(_touched(seen, reference.prefix, kinds))
            kept.write_bytes(b"".join(to_bytes(path) + b"\n" for path in paths))
            script = (
                "find . \\( -type f -o -type l \\) -printf '%P\\0' | "
                f"grep -zvxFf '{kept}' | xargs -0 rm -f"
            )
            found.append(Peer(f"files {name} only (strace)", _in_copy(script)))
    else:
        missing.append("opened files only: there is no strace here")
    return found, missing


def _in_copy(script: str) -> Callable[[Path, Path], list[str]]:
    return lambda copy, _: ["sh", "-c", f"cd '{copy}'\n{script}"]


def _ours(*options: str, output: str = "") -> Callable[[Path, Path], list[str]]:
    base = [sys.executable, "-m", "condaprune"]

    def command(copy: Path, out: Path) -> list[str]:
        target = ["-o", str(out / output)] if output else ["--yes"]
        return [*base, str(copy), "-q", "--isolated", *options, *target]

    return command


def _conda_pack() -> Peer:
    program = os.path.join(os.path.dirname(sys.executable), "conda-pack")
    excludes = [word for pattern in recipes.FILTERS for word in ("--exclude", pattern)]
    return Peer(
        "conda-pack, the guide as filters",
        lambda copy, out: [
            *[program, "-q", "-p", str(copy), "-o", str(out / "out.tar.zst"), "-j", "-1"],
            *["--compress-level", "3", *excludes],
        ],
        "out.tar.zst",
    )


def _empack(folder: Path) -> Peer:
    """empack's patterns as condaprune's only rule, without guards, with slim records like its."""
    from condaprune.ruleset import load_builtin

    ids = ", ".join(f'"{rule.id}"' for rule in load_builtin())
    config = folder / "empack-alone.toml"
    config.write_text(f'profile = "alone"\n[profiles.alone]\nextends = "safe"\nignore = [{ids}]\n')
    options = ["--rules", str(HERE / "empack.toml"), "--no-guard", "all"]
    options += ["--keep-conda-meta", "slim", "--config", str(config)]
    return Peer(
        "empack's default patterns",
        lambda copy, _: [sys.executable, "-m", "condaprune", str(copy), "--yes", "-q", *options],
    )


def _touched(trace: Trace, prefix: Path, kinds: frozenset[TraceKind]) -> set[str]:
    """What was touched in one of these ways, and the links that lead there."""
    root = os.path.realpath(prefix)
    found = set()
    for path, entry in trace.entries.items():
        if not entry.kinds & kinds:
            continue
        at = os.path.join(root, path)
        while at.startswith(root + "/") and at[len(root) + 1 :] not in found:
            found.add(at[len(root) + 1 :])
            if not os.path.islink(at):
                break
            at = os.path.normpath(os.path.join(os.path.dirname(at), os.readlink(at)))
        real = os.path.realpath(os.path.join(root, path))
        if real.startswith(root + "/"):
            found.add(real[len(root) + 1 :])
    return found
