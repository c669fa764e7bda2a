"""condaprune against everything that is used instead: bytes, time, memory, and what breaks.

Usage: python -m benchmarks.peers [--env PREFIX]... [--size small] [--only NAME]... [--rounds 3]

Every contestant works on a copy of its own of the same environment (tests/envs where none is
named), in turn, round after round; times are medians, ratios are of runs of the same round. What
is left is held against the untouched environment by `condaprune verify`, by a workload that no
trace has seen, and by those checks of the wheel set that passed before.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks import recipes, workloads
from benchmarks.figures import Section, Table, markdown, mb
from benchmarks.losses import Losses, Reference, files, size
from benchmarks.paired import Measured, Run, ratio, run
from condaprune.model import to_bytes
from condaprune.tracing.format import write_trace
from condaprune.tracing.trace import Trace
from tests.envs.build import shared_environment
from tests.envs.cache import cache_root

HERE = Path(__file__).resolve().parent
US = "condaprune"
RUNTIME = "condaprune runtime"


@dataclass(frozen=True, slots=True)
class Peer:
    """A contestant: the command that works on a copy, given the copy and a folder for output.

    One with an `archive` leaves the copy alone and writes that file into the folder.
    """

    name: str
    command: Callable[[Path, Path], list[str]]
    archive: str = ""
    pasted: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What one contestant came to. `beyond` says what it took that `runtime` keeps."""

    peer: Peer
    runs: Measured
    files: int
    bytes: int
    compressed: int
    losses: Losses
    beyond: tuple[str, ...] = ()


@dataclass
class Contest:
    """One environment, its contestants, and what they came to."""

    label: str
    reference: Reference
    rows: list[Row] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def row(self, name: str) -> Row:
        """The row of a contestant."""
        return next(row for row in self.rows if row.peer.name == name)


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
        found.append(Peer(recipe.name, _in_copy(recipe.script(python)), pasted=True))
    found.append(_conda_pack())
    found.append(_empack(folder))
    found += [Peer(f"{US} {name}", _ours("--profile", name)) for name in ("safe", "runtime")]
    found.append(Peer(f"{RUNTIME}, to an archive", _ours(output="out.tar.zst"), "out.tar.zst"))
    found.append(Peer(f"{US} minimal", _ours("--profile", "minimal")))
    if not workloads.starts(reference.prefix):
        return found, [*missing, "traces: the environment's Python does not run here"]
    seen = folder / "app.trace"
    write_trace(workloads.traces(reference.prefix, "auto"), os.fspath(seen))
    traced = ("--profile", "minimal", "--trace", os.fspath(seen))
    found.append(Peer(f"{US} minimal --trace", _ours(*traced)))
    found.append(Peer(f"{US} minimal --only-traced", _ours(*traced, "--only-traced")))
    if shutil.which("strace"):
        opened = _opened(workloads.traces(reference.prefix, "strace"), reference.prefix)
        kept = folder / "opened"
        kept.write_bytes(b"".join(to_bytes(path) + b"\n" for path in sorted(opened)))
        script = (
            "find . \\( -type f -o -type l \\) -printf '%P\\0' | "
            f"grep -zvxFf '{kept}' | xargs -0 rm -f"
        )
        found.append(Peer("opened files only (strace)", _in_copy(script)))
    else:
        missing.append("opened files only: there is no strace here")
    return found, missing


def _in_copy(script: str) -> Callable[[Path, Path], list[str]]:
    return lambda copy, _: ["sh", "-c", f"cd '{copy}'\n{script}"]


def _ours(*options: str, output: str = "") -> Callable[[Path, Path], list[str]]:
    base = [sys.executable, "-m", "condaprune"]

    def command(copy: Path, out: Path) -> list[str]:
        target = ["-o", str(out / output)] if output else []
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
        lambda copy, _: [sys.executable, "-m", "condaprune", str(copy), "-q", *options],
    )


def _opened(trace: Trace, prefix: Path) -> set[str]:
    """The files that were opened or executed, and the links that lead to them."""
    root = os.path.realpath(prefix)
    found = set()
    for path, entry in trace.entries.items():
        if not entry.kinds & {"open", "exec"}:
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


def hold(label: str, prefix: Path, *, rounds: int = 3, only: Sequence[str] = ()) -> Contest:
    """Let all contestants work on copies of one environment."""
    contest = Contest(label, Reference(prefix))
    with tempfile.TemporaryDirectory(prefix="peers-", dir=cache_root()) as name:
        folder = Path(name)
        peers, contest.missing = contestants(contest.reference, folder)
        peers = [p for p in peers if not only or p.name in only or p.name == RUNTIME]
        runs: dict[str, list[Run]] = {peer.name: [] for peer in peers}
        ends: dict[str, Row] = {}
        for number in range(rounds):
            for peer in peers:
                if len(runs[peer.name]) < number:
                    continue  # it failed before
                say(f"{label}: {peer.name}, round {number + 1} of {rounds}")
                with _copy(prefix, folder) as (copy, out):
                    try:
                        runs[peer.name].append(run(peer.command(copy, out)))
                    except RuntimeError as error:
                        contest.missing.append(f"{peer.name}: {str(error)[-300:]}")
                        continue
                    if number == 0:
                        ends[peer.name] = _examine(contest.reference, peer, copy, out)
        for name, row in ends.items():
            if len(runs[name]) == rounds:
                contest.rows.append(replace(row, runs=Measured(name, tuple(runs[name]))))
    return contest


@contextmanager
def _copy(prefix: Path, folder: Path) -> Iterator[tuple[Path, Path]]:
    """A copy of an environment and an empty folder, both deleted afterwards."""
    copy, out = folder / "env", folder / "out"
    subprocess.run(["cp", "-a", prefix, copy], check=True)
    out.mkdir()
    try:
        yield copy, out
    finally:
        shutil.rmtree(copy)
        shutil.rmtree(out)


def _examine(reference: Reference, peer: Peer, copy: Path, out: Path) -> Row:
    after = copy
    if peer.archive:
        after = out / "env"
        after.mkdir()
        subprocess.run(["tar", "-C", after, "-xf", out / peer.archive], check=True)
        unpack = [after / "bin/python", after / "bin/conda-unpack"]
        if (after / "bin/conda-unpack").exists():
            subprocess.run(unpack, check=False, capture_output=True)
    listing = files(after)
    packed = subprocess.run(
        f"tar -C '{after}' --sort=name -cf - . | zstd -q -3 -T2 -c | wc -c",
        shell=True, check=True, capture_output=True,
    )  # fmt: skip
    return Row(
        peer,
        Measured(peer.name, ()),
        len(listing),
        size(listing),
        int(packed.stdout),
        reference.losses(after),
        tuple(reference.beyond(listing)),
    )


def section(contests: Sequence[Contest]) -> Section:
    """The contests as tables, with the bare figures by ``environment/contestant/figure``."""
    figures: dict[str, float] = {}
    tables: list[Table] = []
    for contest in contests:
        for row in contest.rows:
            start = f"{contest.label}/{row.peer.name}"
            figures[f"{start}/bytes"] = row.bytes
            figures[f"{start}/files"] = row.files
            figures[f"{start}/compressed"] = row.compressed
            figures[f"{start}/nothing lost"] = float(row.losses.nothing)
            for figure in ("wall", "cpu", "peak"):
                figures[f"{start}/{figure}"] = row.runs.median(figure)
        figures[f"{contest.label}/untouched/bytes"] = size(contest.reference.listing)
        tables += [_sizes(contest), _times(contest), _broken(contest)]
    return Section("Peers", INTRO, tuple(tables), figures)


INTRO = f"""Recipes run as they are pasted:
[tips of 2019]({recipes.TIPS.source}),
[guide of 2021]({recipes.GUIDE.source}),
[cheat-sheet of 2021]({recipes.CHEAT_SHEET.source}),
[docker-library/python]({recipes.DOCKER_LIBRARY.source}) (made for a Python before any package),
[serverless slim]({recipes.SERVERLESS.source}) (made for the folder that pip installs into).
The patterns are [empack's]({recipes.EMPACK}), restated as one rule and run without guards.
conda-pack gets the guide's deletions as `--exclude`. "Opened files only" deletes what no run of
the first workload opened under strace, as slim (docker-slim) does.

All are held against the same measure, announced losses included; only a module or command whose
own file was deleted counts as lost for nobody. Where the library of the interpreter is gone, none
of this machine's may stand in. The unseen workload is one that no trace has recorded; checks are
those of `python -m tests.wheelset` that passed before."""


def _sizes(contest: Contest) -> Table:
    whole = size(contest.reference.listing)
    ours = whole - contest.row(RUNTIME).bytes
    rows: list[tuple[str, ...]] = []
    notes: list[str] = []
    for row in contest.rows:
        gone = whole - row.bytes
        mark = ""
        if gone > ours and not row.peer.name.startswith(US):
            notes.append(_more(len(notes) + 1, row, gone - ours))
            mark = f" ({len(notes)})"
        rows.append(
            (
                row.peer.name,
                f"{gone / ours:.2f}{mark}" if ours else f"-{mark}",
                f"{gone / whole:.1%}",
                mb(row.bytes),
                mb(row.compressed),
                f"{row.files:,}",
                row.losses.text(),
                _passed(row.losses.second, contest.reference.work.second),
                _passed(row.losses.checks, contest.reference.work.checks),
            )
        )
    head = (
        "",
        "removed, x runtime's",
        "removed",
        "left, MB",
        "as tar.zst -3, MB",
        "files left",
        "`verify`: lost",
        "unseen workload",
        "checks",
    )
    title = f"{contest.label}: {mb(whole)} MB in {len(contest.reference.listing):,} files"
    absent = [f"Not measured: {line}" for line in contest.missing]
    return Table(title, head, tuple(rows), (*notes, *absent))


def _more(number: int, row: Row, more: int) -> str:
    end = "; it breaks nothing that was checked"
    if not row.losses.nothing:
        end = "; what that breaks stands below"
    why = "; ".join(row.beyond)
    return f"({number}) {row.peer.name}: {mb(more)} MB more than `runtime`. It took {why}{end}."


def _passed(failed: Mapping[str, str], tried: Mapping[str, str]) -> str:
    return f"{len(tried) - len(failed)} / {len(tried)}"


def _times(contest: Contest) -> Table:
    base = contest.row(RUNTIME).runs
    rows = tuple(
        (
            row.peer.name,
            f"{ratio(row.runs, base, 'wall'):.2f}",
            f"{ratio(row.runs, base, 'cpu'):.2f}",
            f"{row.runs.median('wall'):.2f}",
            f"{row.runs.median('cpu'):.2f}",
            f"{row.runs.median('peak') / 1e6:.0f}",
        )
        for row in contest.rows
    )
    head = ("", "wall, x runtime's", "CPU, x runtime's", "wall s", "CPU s", "peak MB")
    return Table(f"{contest.label}: time and memory", head, rows)


def _broken(contest: Contest) -> Table:
    rows = []
    for row in contest.rows:
        if row.losses.nothing:
            continue
        found = row.losses
        failed = [f"{name}: {said}" for name, said in {**found.second, **found.checks}.items()]
        first = found.examples[0] if found.examples else ""
        rows.append((row.peer.name, first, failed[0][:160] if failed else ""))
    head = ("", "`verify`, for example", "workload or check, for example")
    return Table(f"{contest.label}: what broke", head, tuple(rows))


def say(line: str) -> None:
    """What is being done, for whoever waits."""
    print(line, file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Measure and print. Returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--env", action="append", default=[], metavar="PREFIX")
    parser.add_argument("--size", action="append", default=[], choices=("tiny", "small", "big"))
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    sizes = options.size or ([] if options.env else ["small", "big"])
    named = {size: shared_environment(size).prefix for size in sizes}
    named.update({os.path.basename(os.path.normpath(e)): Path(e).absolute() for e in options.env})
    contests = [
        hold(label, prefix, rounds=options.rounds, only=options.only)
        for label, prefix in named.items()
    ]
    for table in section(contests).tables:
        print("\n".join(markdown(table)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
