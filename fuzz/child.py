"""One process that feeds one target, until its time is over or an input ends it.

It writes each input to a shared file before it is read, so that whatever becomes of this process
the input is known, and prints a line of JSON for each finding that it survives.
"""

from __future__ import annotations

import base64
import faulthandler
import json
import mmap
import os
import re
import resource
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from random import Random

import condaprune
from condaprune.errors import CondapruneError
from fuzz.mutate import Mutator
from fuzz.target import Target
from fuzz.targets import find_target

HEAD = 16
"""Before the input itself in the shared file: how many inputs there were, and its length."""
_ROOM = 4 << 30
"""How much address space there is beyond what the process has: the machine's safety."""
_MOST_KEPT = 400
_MINIMISING = 5.0
"""Seconds that a finding is made smaller for."""
_PACKAGE = os.path.dirname(os.path.abspath(condaprune.__file__))
_DIGITS = re.compile(r"\d+|'[^']*'|\"[^\"]*\"")


class Shared:
    """The file that both processes see."""

    def __init__(self, path: str, most: int) -> None:
        with open(path, "r+b") as file:
            os.ftruncate(file.fileno(), HEAD + most)
            self._map = mmap.mmap(file.fileno(), HEAD + most)
        self._count = 0

    def announce(self, data: bytes) -> None:
        """Say that *data* is read next."""
        self._count += 1
        self._map[HEAD : HEAD + len(data)] = data
        self._map[:HEAD] = self._count.to_bytes(8, "little") + len(data).to_bytes(8, "little")

    @staticmethod
    def last(path: str) -> tuple[int, bytes]:
        """The number of inputs so far, and the last of them."""
        content = Path(path).read_bytes()
        size = int.from_bytes(content[8:HEAD], "little")
        return int.from_bytes(content[:8], "little"), content[HEAD : HEAD + size]


class Reading:
    """Reads inputs under the clock and the limit, and says what came of each."""

    def __init__(self, target: Target, place: str, shared: Shared) -> None:
        self._target, self._place, self._shared = target, place, shared
        self._before = 0

    def warm_up(self) -> None:
        """Load what is loaded once, and see how much memory that takes."""
        for seed in self._target.seeds():
            self.read(seed)
        self._before = _peak()

    def read(self, data: bytes) -> tuple[str, str]:
        """What came of an input (like inputs come to the same), and the finding, or empty."""
        self._shared.announce(data)
        signal.setitimer(signal.ITIMER_PROF, self._target.cost.time_for(len(data)))
        try:
            said = self._target.read(data, self._place)
            outcome, finding = f"reads {type(said).__name__} {_DIGITS.sub('', str(said))[:60]}", ""
        except CondapruneError as error:
            outcome, finding = f"{type(error).__name__} {_DIGITS.sub('', error.what)[:120]}", ""
            str(error)
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            finding = outcome = f"{type(error).__name__} at {_where(frames)}"
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        grown = _peak() - self._before
        if self._before and grown > self._target.cost.memory_for(len(data)):
            return outcome, f"memory: {grown >> 20} MiB for {len(data):,} bytes"
        return outcome, finding


def _where(frames: traceback.StackSummary) -> str:
    """The last line of condaprune's in a traceback."""
    ours = [frame for frame in frames if frame.filename.startswith(_PACKAGE)]
    frame = (ours or list(frames))[-1]
    return f"{os.path.relpath(frame.filename, os.path.dirname(_PACKAGE))}:{frame.lineno}"


def _peak() -> int:
    """The most memory that the process has held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def inputs(target: Target, random: Random, kept: list[bytes]) -> Iterator[bytes]:
    """Inputs without end; *kept* are those to make others of, and may grow meanwhile."""
    mutator = Mutator(random, target.words, target.most)
    mutator.others = kept
    while True:
        yield target.mutate(mutator, random.choice(kept))[: target.most]


def limit_memory() -> None:
    """Bound the address space, so that a finding does not take the machine along."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    most = pages * resource.getpagesize() + _ROOM
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def minimise(data: bytes, finding: str, reading: Reading) -> bytes:
    """An input about as short as it can be that comes to the same *finding*."""
    size, end = len(data) // 2, time.monotonic() + _MINIMISING
    while size >= 1:
        at = 0
        while at < len(data) and time.monotonic() < end:
            less = data[:at] + data[at + size :]
            if reading.read(less)[1] == finding:
                data = less
            else:
                at += size
        size //= 2
    return data


def main() -> None:
    """``TARGET SEED SECONDS SHARED PLACE [FILE]``: with FILE only that input is read."""
    name, seed, seconds, path, place, *files = sys.argv[1:]
    target = find_target(name)
    warnings.simplefilter("ignore")
    # The default action ends the process; before that, it says where it was.
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    faulthandler.register(signal.SIGPROF, all_threads=False, chain=True)
    faulthandler.enable()
    reading = Reading(target, place, Shared(path, max(target.most, 1 << 22)))
    reading.warm_up()
    limit_memory()
    kept = list(target.seeds())
    seen: set[str] = set()
    given = iter([Path(file).read_bytes() for file in files])
    end = time.monotonic() + float(seconds)
    for data in given if files else inputs(target, Random(f"{name} {seed}"), kept):
        outcome, finding = reading.read(data)
        if finding and finding not in seen:
            seen.add(finding)
            ends = finding.startswith("memory")  # the peak does not go back
            data = data if ends else minimise(data, finding, reading)
            row = {"what": finding, "input": base64.b64encode(data).decode("ascii")}
            sys.stdout.write(json.dumps(row) + "\n")
            sys.stdout.flush()
            if ends:
                return
        if not finding and outcome not in seen and len(data) < 1 << 16 and len(kept) < _MOST_KEPT:
            seen.add(outcome)
            kept.append(data)
        if time.monotonic() > end:
            return


if __name__ == "__main__":
    main()
