"""Archives against conda-pack, GNU tar with zstd and with pigz, paired in one run.

Usage: python -m benchmarks.archives [PREFIX] [--rounds N] [--no-conda-pack] [--squashfs]
       [--no-warm-up]

Without PREFIX the big test environment is built (lab/envs). All commands run in turn, round by
round, and what is compared are the medians of pairwise ratios. tar packs exactly the files that
condaprune keeps. Wall time on a busy machine says little: the CPU ratios stand beside it. Exit 1
where a target is missed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.paired import Measured, Run, compare, ratio
from condaprune.sinks.outputs.compress import LEVELS

ZSTD = LEVELS["zstd"][2]
GZIP = LEVELS["gzip"][2]

WHOLE, WHOLE_GZ = "condaprune PREFIX -o tar.zst", "condaprune PREFIX -o tar.gz"
SINK = "of it, after the plan"
TAR, PIGZ = f"tar | zstd -{ZSTD} -T2, kept files", f"tar | pigz -{GZIP} -p2, kept files"
PIGZ_6 = "tar | pigz -6 -p2, kept files"
PACK_ZST, PACK_GZ = "conda-pack, tar.zst", "conda-pack, tar.gz"
STREAM, PASS = "condaprune tar.gz -o tar.zst", "its last pass"
PRUNED = "condaprune conda-pack's tar.gz -o tar.zst"
UNPACK, COMPRESS = "decompression of the tar.gz alone", f"zstd -{ZSTD} -T2 of the kept tar alone"
GUNZIP = "gzip -dc of the tar.gz alone"
PASS_ONE, COMPRESS_ONE = f"{PASS}, one thread", f"zstd -{ZSTD} -T1 of the kept tar alone"


@dataclass(frozen=True, slots=True)
class Target:
    """Either *what* takes at most *limit* times *of*, or *of* at least *limit* times *what*."""

    what: str
    of: str
    limit: float
    faster: bool = False

    def check(self, runs: dict[str, Measured]) -> tuple[bool, str]:
        """Whether it is met in wall time, and a line that says so with the CPU ratio."""
        a, b = (self.of, self.what) if self.faster else (self.what, self.of)
        wall, cpu = (ratio(runs[a], runs[b], figure) for figure in ("wall", "cpu"))
        met = wall >= self.limit if self.faster else wall <= self.limit
        told = "times faster than" if self.faster else "times the time of"
        sign = ">=" if self.faster else "<="
        return met, (
            f"{'holds ' if met else 'MISSED'} {self.what}: {wall:.2f} {told} {self.of} "
            f"(wall; CPU {cpu:.2f}; target {sign} {self.limit})"
        )


def write_only(source: str, output: str, threads: int) -> None:
    """Plan, then write *output*, and print how many seconds writing took, wall and CPU."""
    from condaprune.api import open_source, plan
    from condaprune.app.carry_out import carry_out
    from condaprune.sinks.outputs.options import OutputOptions
    from condaprune.sinks.outputs.sink import OutputSink

    found = open_source(source)
    made = plan(found)
    wall, cpu = time.perf_counter(), time.process_time()
    sink = OutputSink(OutputOptions(output, force=True, threads=threads))
    carry_out(made, found, sink)
    print(time.perf_counter() - wall, time.process_time() - cpu)


def _written(name: str, source: str, output: Path, rounds: int, threads: int) -> Measured:
    command = [sys.executable, "-m", "benchmarks.archives", source, "--write-only", str(output)]
    command += ["--threads", str(threads)]
    runs = []
    for _ in range(rounds):
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        wall, cpu = map(float, told.split())
        runs.append(Run(wall, cpu, 0))
    return Measured(name, tuple(runs))


def commands_of(prefix: str, work: Path, *, conda_pack: bool) -> dict[str, tuple[list[str], str]]:
    """What is run, by name, with the file in *work* that it writes (empty for none)."""
    ours = [sys.executable, "-m", "condaprune", "-q", "--force", "-o"]
    packed, kept = str(work / "packed.tar.gz"), str(work / "kept")
    subprocess.run([*ours, kept, prefix], check=True)
    subprocess.run([*ours, packed, prefix], check=True)
    tar = f"tar -C {kept} --sort=name -cf"
    subprocess.run(["sh", "-c", f"{tar} {kept}.tar ."], check=True)
    read = (
        "import sys; from condaprune.sources.decompress import open_stream\n"
        "stream = open_stream(open(sys.argv[1], 'rb', buffering=0), 'tar.gz')\n"
        "while stream.read(1 << 20): pass"
    )

    def out(name: str) -> str:
        return str(work / name)

    found: dict[str, tuple[list[str], str]] = {
        WHOLE: ([*ours, out("o.tar.zst"), prefix], "o.tar.zst"),
        TAR: (["sh", "-c", f"{tar} - . | zstd -qf{ZSTD} -T2 -o {out('t.tar.zst')}"], "t.tar.zst"),
        WHOLE_GZ: ([*ours, out("o.tar.gz"), prefix], "o.tar.gz"),
        STREAM: ([*ours, out("a.tar.zst"), packed], "a.tar.zst"),
        UNPACK: ([sys.executable, "-c", read, packed], ""),
        GUNZIP: (["gzip", "-dc", packed], ""),
        COMPRESS: (["zstd", f"-qf{ZSTD}", "-T2", f"{kept}.tar", "-o", out("k.zst")], "k.zst"),
        COMPRESS_ONE: (["zstd", f"-qf{ZSTD}", "-T1", f"{kept}.tar", "-o", out("1.zst")], "1.zst"),
    }
    if shutil.which("pigz"):
        for name, level in ((PIGZ, GZIP), (PIGZ_6, 6)):
            file = f"{level}.tar.gz"
            found[name] = (["sh", "-c", f"{tar} - . | pigz -{level} -n -p2 > {out(file)}"], file)
    if conda_pack:
        program = str(Path(sys.executable).with_name("conda-pack"))
        for name, file in ((PACK_ZST, "c.tar.zst"), (PACK_GZ, "c.tar.gz")):
            found[name] = ([program, "-q", "-f", "-p", prefix, "-o", out(file)], file)
        found[PRUNED] = ([*ours, out("p.tar.zst"), out("c.tar.gz")], "p.tar.zst")
    return found


def squashfs_of(prefix: str, work: Path, *, conda_pack: bool) -> dict[str, tuple[list[str], str]]:
    """The same for images of file systems, and for their compression by level 10, conda-pack's."""
    ours = [sys.executable, "-m", "condaprune", prefix, "-q", "--force", "-o"]
    found = {
        "condaprune PREFIX -o squashfs": ([*ours, str(work / "o.squashfs")], "o.squashfs"),
        "the same, --compress-level 10": (
            [*ours, str(work / "l.squashfs"), "--compress-level", "10"],
            "l.squashfs",
        ),
    }
    if conda_pack:
        program = str(Path(sys.executable).with_name("conda-pack"))
        command = [program, "-q", "-f", "-j", "2", "-p", prefix, "-o", str(work / "c.squashfs")]
        found["conda-pack, squashfs"] = (command, "c.squashfs")
    return found


def _targets(names: Sequence[str]) -> list[Target]:
    found = [
        Target(WHOLE, PACK_ZST, 5, faster=True),
        Target(WHOLE, PACK_GZ, 4, faster=True),
        Target(WHOLE, TAR, 1.25),
        Target(SINK, TAR, 1.25),
        Target(STREAM, COMPRESS, 1.15),
        Target(PASS, COMPRESS, 1.15),
        Target(PASS_ONE, COMPRESS_ONE, 1.15),
    ]
    return [target for target in found if target.what in names and target.of in names]


def main(arguments: Sequence[str]) -> int:
    """Measure and print. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("prefix", nargs="?")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-conda-pack", action="store_true")
    parser.add_argument("--no-warm-up", action="store_true", help="count the first round too")
    parser.add_argument("--squashfs", action="store_true", help="images in place of tars")
    parser.add_argument("--write-only", metavar="OUTPUT", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.prefix is None:
        from lab.envs.build import shared_environment

        options.prefix = str(shared_environment("big").prefix)
    if options.write_only:
        write_only(options.prefix, options.write_only, options.threads)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        make = squashfs_of if options.squashfs else commands_of
        commands = make(options.prefix, work, conda_pack=not options.no_conda_pack)
        named = [(name, command) for name, (command, _) in commands.items()]
        measured = compare(
            named,
            rounds=options.rounds,
            warm_up=not options.no_warm_up,
            before_each=lambda name: print(f"  {name}", file=sys.stderr, flush=True),
        )
        runs = {found.name: found for found in measured}
        sizes = {n: (work / file).stat().st_size for n, (_, file) in commands.items() if file}
        again = (
            (SINK, options.prefix, 0),
            (PASS, str(work / "packed.tar.gz"), 0),
            (PASS_ONE, str(work / "packed.tar.gz"), 1),
        )
        for name, source, threads in () if options.squashfs else again:
            output = work / "s.tar.zst"
            runs[name] = _written(name, source, output, options.rounds, threads)
    print(f"{'command':<42} {'wall s':>7} {'CPU s':>7} {'MB peak':>8} {'MB':>7}")
    for name, found in runs.items():
        peak = f"{found.median('peak') / 1e6:.0f}" if found.median("peak") else ""
        size = f"{sizes[name] / 1e6:.1f}" if name in sizes else ""
        wall, cpu = found.median("wall"), found.median("cpu")
        print(f"{name:<42} {wall:>7.2f} {cpu:>7.2f} {peak:>8} {size:>7}")
    checked = [target.check(runs) for target in _targets(list(runs))]
    for peer in (PACK_ZST, PACK_GZ):
        if peer in sizes and WHOLE in sizes:
            less = 1 - sizes[WHOLE] / sizes[peer]
            line = (
                f"{'holds ' if less >= 0.4 else 'MISSED'} {WHOLE}: {less:.1%} smaller than {peer}"
            )
            checked.append((less >= 0.4, f"{line} (target 40 %)"))
    print(*(line for _, line in checked), sep="\n")
    return 0 if all(met for met, _ in checked) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
