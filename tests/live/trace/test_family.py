"""What a traced command leaves running stays where it ended by itself, and else ends with it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.test_processes import SHAPES, Marked, marked  # noqa: F401

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="daemons are followed by /proc, which Linux has"
)
_LEFT = ("in a session of its own", "a daemon", "a daemon that will not be told")
left = pytest.mark.parametrize("shape", _LEFT)


def trace(prefix: Path, out: Path, command: str, *options: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "condaprune", "trace", "-o", str(out), "--prefix", str(prefix)]
    return subprocess.Popen([*words, *options, "--", "/bin/sh", "-c", command], cwd=ROOT)


@left
def test_what_is_left_after_the_command_stays(
    prefix: Path,
    tmp_path: Path,
    marked: Marked,  # noqa: F811
    shape: str,
) -> None:
    text = SHAPES[shape].replace("wait", "sleep 0.3").replace("sleep 1000", "sleep 0.3")
    assert trace(prefix, tmp_path / "t", marked.command(text)).wait(30) == 0
    assert marked.running()


def _send(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Twice: a shell that gets SIGINT while it waits for a program goes on after that program."""
    for patience in (5, 30):
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return
    pytest.fail("the trace goes on")


@left
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_ends_the_trace_ends_them_all(
    prefix: Path,
    tmp_path: Path,
    marked: Marked,  # noqa: F811
    shape: str,
    number: signal.Signals,
) -> None:
    process = trace(
        prefix,
        tmp_path / "t",
        marked.command(SHAPES[shape].replace("wait", "sleep 9").replace("; sleep", "; exec sleep")),
    )
    assert marked.wait(bool)
    _send(process, number)
    assert marked.running() == []
    assert (tmp_path / "t").stat().st_size


@left
def test_the_time_ends_them_all(
    prefix: Path,
    tmp_path: Path,
    marked: Marked,  # noqa: F811
    shape: str,
) -> None:
    process = trace(prefix, tmp_path / "t", marked.command(SHAPES[shape]), "--for", "1.5")
    assert marked.wait(bool)
    assert process.wait(30) == 0
    assert marked.running() == []


def test_a_trace_through_strace_ends_them_and_keeps_what_it_saw(
    prefix: Path,
    tmp_path: Path,
    marked: Marked,  # noqa: F811
) -> None:
    command = f"cat {prefix}/data/one.txt; {marked.command(SHAPES['a daemon'])}"
    process = trace(prefix, tmp_path / "t", command, "--recorder", "strace")
    assert marked.wait(bool)
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    assert marked.running() == []
    assert b"data/one.txt" in (tmp_path / "t").read_bytes()


def test_many_orphans_are_laid_to_rest(prefix: Path, tmp_path: Path) -> None:
    command = "for i in 1 2 3 4 5 6 7 8 9; do (true &); done; sleep 1; ps -o stat= --ppid $PPID"
    words = [sys.executable, "-m", "condaprune", "trace", "-o", str(tmp_path / "t")]
    words += ["--prefix", str(prefix), "-q", "--", "/bin/sh", "-c", command]
    if not os.path.exists("/bin/ps"):
        pytest.skip("there is no ps to list processes with")
    done = subprocess.run(words, cwd=ROOT, capture_output=True, timeout=60, check=True)
    assert b"Z" not in done.stdout
