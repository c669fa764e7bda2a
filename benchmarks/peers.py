"""condaprune against everything that is used instead: bytes, time, memory, and what breaks.

Usage: python -m benchmarks.peers [--env PREFIX]... [--size small] [--only NAME]... [--rounds 3]

Every contestant works on a copy of its own of the same environment (lab/envs where none is
named), in turn, round after round; times are medians, ratios are of runs of the same round. What
is left is held against the untouched environment by `condaprune verify`, by a workload that no
trace has seen, and by those checks of the wheel set that passed before.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks import recipes
from benchmarks.contestants import RUNTIME, US, Peer, contestants
from benchmarks.figures import Section, Table, markdown, mb
from benchmarks.losses import Losses, Reference, files, size
from benchmarks.paired import Measured, Run, ratio, run
from lab.envs.build import shared_environment
from lab.envs.cache import cache_root


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


def hold(
    label: str,
    prefix: Path,
    *,
    rounds: int = 3,
    only: Sequence[str] = (),
    linked: bool = False,
) -> Contest:
    """Let all contestants work on copies of one environment.

    *linked* copies are hard links, as conda installs from its package cache.
    """
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
                with _copy(prefix, folder, linked and not peer.edits) as (copy, out):
                    try:
                        runs[peer.name].append(run(peer.command(copy, out)))
                    except RuntimeError as error:
                        why = contest.reference.told(str(error).strip().splitlines()[-1], copy)
                        contest.missing.append(f"{peer.name}: {why}")
                        continue
                    if number == 0:
                        ends[peer.name] = _examine(contest.reference, peer, copy, out)
        for name, row in ends.items():
            if len(runs[name]) == rounds:
                contest.rows.append(replace(row, runs=Measured(name, tuple(runs[name]))))
    return contest


@contextmanager
def _copy(prefix: Path, folder: Path, linked: bool) -> Iterator[tuple[Path, Path]]:
    """A copy of an environment and an empty folder, both deleted afterwards."""
    copy, out = folder / "env", folder / "out"
    subprocess.run(["cp", "-al" if linked else "-a", prefix, copy], check=True)
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
        unpack(out / peer.archive, after)
        place = [after / "bin/python", after / "bin/conda-unpack"]
        if place[1].exists():
            subprocess.run(place, check=False, capture_output=True)
    listing = files(after)
    return Row(
        peer,
        Measured(peer.name, ()),
        len(listing),
        size(listing),
        compressed(after),
        reference.losses(after),
        tuple(reference.beyond(listing)),
    )


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a .tar.zst with GNU tar."""
    import zstandard

    tar = subprocess.Popen(["tar", "-C", folder, "-xf", "-"], stdin=subprocess.PIPE)
    assert tar.stdin is not None
    with tar, open(archive, "rb") as stream:
        zstandard.ZstdDecompressor().copy_stream(stream, tar.stdin)
    if tar.returncode:
        raise RuntimeError(f"{archive.name} cannot be unpacked")


def compressed(folder: Path) -> int:
    """The bytes of a folder as a tar, sorted by name, at level 3 of zstandard."""
    import zstandard

    total = 0
    packer = zstandard.ZstdCompressor(level=3, threads=2).compressobj()
    command = ["tar", "-C", str(folder), "--sort=name", "-cf", "-", "."]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as tar:
        assert tar.stdout is not None
        while data := tar.stdout.read(1 << 20):
            total += len(packer.compress(data))
    return total + len(packer.flush())


def measure(
    sizes: Sequence[str], prefixes: Sequence[str], *, rounds: int = 3, only: Sequence[str] = ()
) -> Section:
    """The section on test environments of these *sizes* and on the *prefixes* of a user."""
    named = [(name, shared_environment(name).prefix, True) for name in sizes]
    named += [(Path(p).absolute().name, Path(p).absolute(), False) for p in prefixes]
    return section(
        [
            hold(name, prefix, rounds=rounds, only=only, linked=linked)
            for name, prefix, linked in named
        ]
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
conda-pack gets the guide's deletions as `--exclude`. "Files opened only" deletes what no run of
the first workload opened under strace, the bare idea; slim (docker-slim) keeps what was looked at
too.

All are held against the same measure, announced losses included; only a module or command whose
own file was deleted counts as lost for nobody. Where the library of the interpreter is gone, none
of this machine's may stand in. The unseen workload is one that no trace has recorded; checks are
those of `python -m lab.wheelset` that passed before. Test environments are copied by hard links,
as conda installs from its package cache, but for what writes into files."""


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
        end = "; what that breaks is listed below"
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
        rows.append((row.peer.name, first, failed[0] if failed else ""))
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
    found = measure(sizes, options.env, rounds=options.rounds, only=options.only)
    for table in found.tables:
        print("\n".join(markdown(table)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
