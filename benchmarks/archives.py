"""Archives against conda-pack and GNU tar, paired in one run.

``python benchmarks/archives.py PREFIX [--conda-pack]`` prints a table: wall and CPU seconds, peak
memory of our process, and size. Rows alternate so that a busy machine is as unfair to all.
conda-pack's rows take minutes on a big environment and are asked for.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def measure(command: list[str], output: Path) -> tuple[float, float, int, int]:
    """Wall and CPU seconds, peak kilobytes of the biggest process so far, size of the output."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    size = output.stat().st_size
    output.unlink()
    return wall, cpu, after.ru_maxrss, size


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prefix", type=Path)
    parser.add_argument("--conda-pack", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    prefix = str(options.prefix.resolve())
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        kept = work / "kept"
        ours = [sys.executable, "-m", "condaprune", prefix, "-q", "--force", "-o"]
        subprocess.run([*ours, str(kept)], check=True, cwd=ROOT)
        packed = work / "packed.tar.gz"
        subprocess.run([*ours, str(packed)], check=True, cwd=ROOT)
        tar = f"tar -C {kept} --sort=name -cf - ."
        rows: dict[str, tuple[list[str], str]] = {
            "condaprune PREFIX -o tar.zst": ([*ours, str(work / "o.tar.zst")], "o.tar.zst"),
            "tar | zstd -3 -T2, the same files": (
                ["sh", "-c", f"{tar} | zstd -q -3 -T2 -o {work}/t.tar.zst"],
                "t.tar.zst",
            ),
            "condaprune PREFIX -o tar.gz": ([*ours, str(work / "o.tar.gz")], "o.tar.gz"),
            "condaprune tar.gz -o tar.zst": (
                [sys.executable, "-m", "condaprune", str(packed), "-q", "--force", "-o"]
                + [str(work / "a.tar.zst")],
                "a.tar.zst",
            ),
        }
        if shutil.which("pigz"):
            rows["tar | pigz -6 -p2, the same files"] = (
                ["sh", "-c", f"{tar} | pigz -6 -n -p2 > {work}/t.tar.gz"],
                "t.tar.gz",
            )
        if options.conda_pack:
            program = os.path.join(os.path.dirname(sys.executable), "conda-pack")
            for form in ("tar.zst", "tar.gz"):
                rows[f"conda-pack {form}"] = (
                    [program, "-q", "-f", "-p", prefix, "-o", str(work / f"c.{form}")],
                    f"c.{form}",
                )
        best: dict[str, tuple[float, float, int, int]] = {}
        for _ in range(options.rounds):
            for name, (command, output) in rows.items():
                if name.startswith("conda-pack") and name in best:
                    continue
                found = measure(command, work / output)
                best[name] = min(found, best.get(name, found))
        print(f"{'':36}{'wall s':>8}{'cpu s':>8}{'MB':>8}")
        for name, (wall, cpu, _, size) in best.items():
            print(f"{name:36}{wall:8.2f}{cpu:8.2f}{size / 1e6:8.1f}")


if __name__ == "__main__":
    main()
