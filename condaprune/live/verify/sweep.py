"""Import every module of one prefix, isolated, and tell which imports work.

One process a batch of modules; each import is tried by itself. A process that dies, or that is
silent for longer than the time limit, costs the module it was at: the next process goes on with
the module after it.
"""

from __future__ import annotations

import ast
import contextlib
import os
import selectors
import subprocess
import tempfile
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from condaprune.errors import SourceError
from condaprune.live.verify import exclusions
from condaprune.live.verify.modules import Module, find_modules, in_batches
from condaprune.live.verify.subject import Subject
from condaprune.model import Progress, no_progress
from condaprune.paths import to_bytes

State = Literal["imported", "failed", "died", "timed out", "excluded", "not reached"]
STATES: tuple[State, ...] = (
    "imported",
    "failed",
    "died",
    "timed out",
    "excluded",
    "not reached",
)
_DEATHS_AT_MOST = 25
# CPython 3.11 counts the depth of syntax trees per interpreter, not per thread: two threads that
# parse at once can make it raise SystemError.
_PARSING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one module.

    `located` tells whether the imported module has a ``__file__`` (a namespace package has none),
    `error` is the exception in one line, `missing` the module or file that it says is missing,
    `where` the innermost line of Python it passed through.
    """

    name: str
    path: str
    batch: str
    state: State
    located: bool = False
    error: str = ""
    missing: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class ImportResults:
    """The modules of one prefix and what became of each, in the order they were tried.

    `python` is the interpreter's version, `seconds` the wall time of the sweep.
    """

    python: str
    attempts: Mapping[str, Attempt]
    seconds: float

    def imported(self) -> frozenset[str]:
        """The names of the modules that can be imported."""
        return frozenset(n for n, a in self.attempts.items() if a.state == "imported")

    def to_json(self) -> dict[str, object]:
        """Plain data that `from_json` reads back."""
        rows = [
            [a.name, a.path, a.batch, a.state, a.located, a.error, a.missing, a.where]
            for a in self.attempts.values()
        ]
        return {"schema": 1, "python": self.python, "seconds": self.seconds, "attempts": rows}

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> ImportResults:
        """The inverse of `to_json`. Errors: `SourceError` where the data are of another shape."""
        rows = raw.get("attempts")
        seconds = raw.get("seconds")
        if raw.get("schema") != 1 or not isinstance(rows, list):
            raise SourceError(
                "these are no import results of this version of condaprune",
                remedy="Take the baseline again",
            )
        attempts: dict[str, Attempt] = {}
        for row in rows:
            name, path, batch, state, located, error, missing, where = row
            attempts[name] = Attempt(name, path, batch, state, bool(located), error, missing, where)
        spent = float(seconds) if isinstance(seconds, (int, float)) else 0.0
        return cls(str(raw.get("python", "")), attempts, spent)


def sweep_subject(
    subject: Subject,
    *,
    jobs: int,
    timeout: float,
    progress: Progress = no_progress,
    only: Collection[str] | None = None,
) -> ImportResults:
    """Import all modules of *subject*, or the modules named in *only* where that is given.

    `timeout` is in seconds for one import. Errors: `SourceError` where the Python cannot run.
    """
    if subject.interpreter is None:
        raise SourceError(
            subject.why_not or "has no Python",
            where=subject.label,
            remedy="Imports can be tried only where the environment's Python runs",
        )
    python = subject.interpreter
    modules = find_modules(subject.listing, python.search, python.suffixes)
    batches = in_batches(modules, python.stdlib)
    return run_batches(subject, batches, jobs=jobs, timeout=timeout, progress=progress, only=only)


def replay(
    subject: Subject,
    baseline: ImportResults,
    *,
    jobs: int,
    timeout: float,
    progress: Progress = no_progress,
    only: Collection[str] | None = None,
) -> ImportResults:
    """Import in *subject* the modules of an earlier sweep, in the same processes and order."""
    batches: dict[str, list[Module]] = {}
    for attempt in baseline.attempts.values():
        if attempt.state != "excluded":
            batches.setdefault(attempt.batch, []).append(Module(attempt.name, attempt.path))
    return run_batches(
        subject,
        {name: tuple(batch) for name, batch in batches.items()},
        jobs=jobs,
        timeout=timeout,
        progress=progress,
        only=only,
    )


def run_batches(
    subject: Subject,
    batches: Mapping[str, Sequence[Module]],
    *,
    jobs: int,
    timeout: float,
    progress: Progress,
    only: Collection[str] | None,
) -> ImportResults:
    """Run batches of modules, *jobs* processes at a time."""
    began = time.monotonic()
    wanted: dict[str, list[Module]] = {}
    attempts: dict[str, Attempt] = {}
    total = 0
    for name, batch in batches.items():
        for module in batch:
            if only is not None and module.name not in only:
                continue
            reason = exclusions.why_not(module.name, exclusions.MODULES)
            if reason:
                attempts[module.name] = Attempt(
                    module.name, module.path, name, "excluded", error=reason
                )
                continue
            wanted.setdefault(name, []).append(module)
            total += 1
    done = 0
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        futures = [
            pool.submit(_run_batch, subject, name, batch, timeout) for name, batch in wanted.items()
        ]
        try:
            for future in futures:
                for attempt in future.result():
                    attempts[attempt.name] = attempt
                    done += 1
                progress("imports", done, total)
        except BaseException:
            for future in futures:
                future.cancel()
            raise
    assert subject.interpreter is not None
    version = ".".join(map(str, subject.interpreter.version))
    return ImportResults(version, attempts, time.monotonic() - began)


def _run_batch(
    subject: Subject, batch: str, modules: Sequence[Module], timeout: float
) -> list[Attempt]:
    """The attempts of one batch; a new process goes on after a module that ended the last one."""
    pending = {module.name: module for module in modules}
    attempts: list[Attempt] = []
    deaths = 0
    while pending:
        if deaths >= _DEATHS_AT_MOST:
            why = f"its process ended {deaths} times before"
            attempts += [
                Attempt(m.name, m.path, batch, "not reached", error=why) for m in pending.values()
            ]
            break
        current = ""
        for attempt in _run_process(subject, batch, pending, timeout):
            current = attempt.name
            del pending[current]
            attempts.append(attempt)
        if pending:
            deaths += 1
            if not current:  # it did not even start: every module meets the same fate
                attempts += [
                    Attempt(m.name, m.path, batch, "not reached", error="Python did not start")
                    for m in pending.values()
                ]
                break
    return attempts


def _run_process(
    subject: Subject, batch: str, modules: Mapping[str, Module], timeout: float
) -> Iterator[Attempt]:
    scratch = subject.sandbox.scratch
    names = "\n".join(modules)
    with contextlib.ExitStack() as stack:
        listed = stack.enter_context(tempfile.NamedTemporaryFile(dir=scratch, prefix="modules-"))
        listed.write(to_bytes(names))
        listed.flush()
        errors = stack.enter_context(tempfile.TemporaryFile(dir=scratch))
        process = stack.enter_context(
            subject.sandbox.start(
                subject.python("probe_imports.py", listed.name),
                stdout=subprocess.PIPE,
                stderr=errors.fileno(),
            )
        )
        at = ""
        timed_out = False
        try:
            for line in _lines(process, timeout):
                with _PARSING:
                    row = ast.literal_eval(line)
                if row[0] == "start":
                    at = row[1]
                    continue
                _, name, imported, located, kind, text, missing, where = row
                module, at = modules[name], ""
                error = " ".join(f"{kind}: {text}".split()) if kind else ""
                state: State = "imported" if imported else "failed"
                yield Attempt(name, module.path, batch, state, located, error, missing, where)
        except TimeoutError:
            timed_out = True
        if at:
            module = modules[at]
            if timed_out:
                why = f"no answer within {timeout:g} s"
                yield Attempt(at, module.path, batch, "timed out", error=why)
            else:
                why = _last_words(process.wait(), errors)
                yield Attempt(at, module.path, batch, "died", error=why)


def _last_words(code: int, errors: object) -> str:
    how = f"the process ended with signal {-code}" if code < 0 else f"the process ended with {code}"
    fileno = getattr(errors, "fileno", None)
    if fileno is None:
        return how
    size = os.fstat(fileno()).st_size
    tail = os.pread(fileno(), 4000, max(0, size - 4000)).decode("utf-8", "replace")
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    return f"{how}: {lines[-1]}" if lines else how


def _lines(process: subprocess.Popen[bytes], timeout: float) -> Iterator[str]:
    """The lines a process writes. Errors: `TimeoutError` where the next is not there in time."""
    assert process.stdout is not None
    fd = process.stdout.fileno()
    buffer = b""
    with selectors.DefaultSelector() as selector:
        selector.register(fd, selectors.EVENT_READ)
        while True:
            if not selector.select(timeout):
                raise TimeoutError
            data = os.read(fd, 1 << 16)
            if not data:
                return
            *complete, buffer = (buffer + data).split(b"\n")
            for line in complete:
                yield line.decode("ascii")
