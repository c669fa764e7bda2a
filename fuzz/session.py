"""Runs a target in processes one after the other, and makes findings of what they say or die of."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from fuzz.child import Shared
from fuzz.target import Target

_BATCH = 20.0
"""Seconds that one process runs at most: what it keeps from input to input starts anew then."""
_PATIENCE = 20.0
"""Seconds after which a process that neither computes nor gets on is taken to wait for ever."""
_FRAME = re.compile(r'File "[^"]*/(condaprune/[^"]*)", line (\d+)')


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not happen: what it was, and the input; *seed* makes it again."""

    target: str
    what: str
    data: bytes
    seed: str


@dataclass(frozen=True, slots=True)
class Result:
    """How many inputs a target was given, in how many seconds, and what was found.

    `doubtful` is what a second process did not find again: what adds up over many inputs, or a
    machine that was too busy.
    """

    target: str
    inputs: int
    seconds: float
    findings: tuple[Finding, ...]
    doubtful: tuple[Finding, ...]


def run_target(target: Target, seed: str, seconds: float) -> Result:
    """Feed a target for so many seconds (of the wall)."""
    begin = time.monotonic()
    found: dict[str, Finding] = {}
    inputs = batch = 0
    while (left := begin + seconds - time.monotonic()) > 0 or not batch:
        name = f"{seed}.{batch}"
        batch += 1
        count, findings = _run(target, name, max(1.0, min(_BATCH, left)))
        inputs += count
        for what, data in findings:
            if _kind(what) not in found:
                found[_kind(what)] = Finding(target.name, what, data, name)
    sure = tuple(finding for finding in found.values() if _is_sure(target, finding))
    doubtful = tuple(found[what] for what in found if found[what] not in sure)
    return Result(target.name, inputs, time.monotonic() - begin, sure, doubtful)


def replay(target: Target, data: bytes) -> str:
    """What an input does now; empty where it is no finding."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "input")
        Path(file).write_bytes(data)
        _, findings = _run(target, "replay", 600.0, file)
    return next((what for what, read in findings if read == data), "")


def _is_sure(target: Target, finding: Finding) -> bool:
    return bool(replay(target, finding.data))


def _kind(what: str) -> str:
    return "memory" if what.startswith("memory") else what


def _run(
    target: Target, seed: str, seconds: float, *files: str
) -> tuple[int, list[tuple[str, bytes]]]:
    """One process: how many inputs it read, and the findings with their inputs."""
    with tempfile.TemporaryDirectory(prefix="condaprune-fuzz-") as folder:
        shared, place = os.path.join(folder, "shared"), os.path.join(folder, "place")
        Path(shared).write_bytes(b"")
        command = [
            sys.executable,
            "-m",
            "fuzz.child",
            target.name,
            seed,
            str(seconds),
            shared,
            place,
        ]
        output, errors = Path(folder, "output"), Path(folder, "errors")
        with output.open("wb") as out, errors.open("wb") as err:
            process = subprocess.Popen(
                [*command, *files], stdout=out, stderr=err, env={**os.environ, "HOME": folder}
            )
            waits = _wait(process, shared)
        findings = []
        for line in output.read_text("utf-8").splitlines():
            row = json.loads(line)
            findings.append((row["what"], base64.b64decode(row["input"])))
        count, data = Shared.last(shared)
        if process.returncode:
            text = errors.read_text("utf-8", "replace")
            findings.append((_end(process.returncode, waits, text), data))
        return count, findings


def _end(status: int, waits: bool, text: str) -> str:
    """Why a process ended before its time."""
    frames = _FRAME.findall(text)
    where = " at {}:{}".format(*frames[0]) if frames else ""
    if waits:
        return "waits for ever"
    if status == -signal.SIGPROF:
        return f"takes too long{where}"
    return f"dies of {signal.Signals(-status).name if status < 0 else text[-400:]}{where}"


def _wait(process: subprocess.Popen[bytes], shared: str) -> bool:
    """Wait for a process; one that waits for ever is killed, and true returned."""
    before, since = (0, 0), time.monotonic()
    while True:
        try:
            process.wait(0.5)
            return False
        except subprocess.TimeoutExpired:
            now = (Shared.last(shared)[0] if os.path.getsize(shared) else 0, _ticks(process.pid))
        if now[0] != before[0] or now[1] - before[1] > 5:
            before, since = now, time.monotonic()
        elif time.monotonic() - since > _PATIENCE:
            process.kill()
            process.wait()
            return True


def _ticks(process: int) -> int:
    """The processor time of a process, in hundredths of seconds."""
    try:
        fields = (
            Path(f"/proc/{process}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        )
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])
