"""Imports every module of one prefix, isolated, and reports which imports work.

One process imports a batch of modules, one by one. A process that dies, or that is silent for
longer than the time limit, costs only the module it was at: the next process goes on after it.
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
from condaprune.live.verify.subject import Effort, Subject
from condaprune.paths import to_bytes

State = Literal["imported", "failed", "died", "timed out", "excluded", "not reached"]
_DEATHS_AT_MOST = 25
# CPython 3.11 counts the depth of syntax trees per interpreter, not per thread: two threads that
# parse at once can make it raise SystemError.
_PARSING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of importing one module.

    `located` says whether the imported module has a ``__file__`` (a namespace package has none),
    `error` is the exception in one line, `missing` the module or file that it says is missing,
    `where` the innermost line of Python that it passed through.
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
    """The modules of one prefix with the result of each, in the order they were tried.

    `python` is the interpreter's version, `seconds` the wall time of the sweep.
    """

    python: str
    attempts: Mapping[str, Attempt]
    seconds: float

    def imported(self) -> frozenset[str]:
        """The names of the modules that can be imported."""
        return frozenset(n for n, a in self.attempts.items() if a.state == "imported")


def sweep_subject(subject: Subject, effort: Effort) -> ImportResults:
    """Import all modules of *subject*. Errors: `SourceError` where its Python cannot run."""
    python = subject.interpreter
    if python is None:
        raise SourceError(
            subject.why_not or "has no Python",
            where=subject.label,
            remedy="Imports can be tried only where the environment's Python runs",
        )
    modules = find_modules(subject.listing, python.search, python.suffixes)
    return _run_batches(subject, in_batches(modules, python.stdlib), effort)


def replay(
    subject: Subject, baseline: ImportResults, effort: Effort, only: Collection[str]
) -> ImportResults:
    """Import in *subject* those modules of an earlier sweep that *only* names, in the same
    processes and order."""
    batches: dict[str, list[Module]] = {}
    for attempt in baseline.attempts.values():
        if attempt.state != "excluded" and attempt.name in only:
            batches.setdefault(attempt.batch, []).append(Module(attempt.name, attempt.path))
    return _run_batches(subject, batches, effort)


def _run_batches(
    subject: Subject, batches: Mapping[str, Sequence[Module]], effort: Effort
) -> ImportResults:
    began = time.monotonic()
    chosen: dict[str, list[Module]] = {}
    attempts: dict[str, Attempt] = {}
    for name, batch in batches.items():
        for module in batch:
            reason = exclusions.why_not(module.name, exclusions.MODULES)
            if reason:
                excluded = Attempt(module.name, module.path, name, "excluded", error=reason)
                attempts[module.name] = excluded
            else:
                chosen.setdefault(name, []).append(module)
    done, total = 0, sum(map(len, chosen.values()))
    with ThreadPoolExecutor(max_workers=max(1, effort.jobs)) as pool:
        futures = [
            pool.submit(_run_batch, subject, name, batch, effort.timeout)
            for name, batch in chosen.items()
        ]
        try:
            for future in futures:
                tried = future.result()
                attempts.update((attempt.name, attempt) for attempt in tried)
                done += len(tried)
                effort.progress("imports", done, total)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
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
    for _ in range(_DEATHS_AT_MOST):
        count = len(attempts)
        for attempt in _run_process(subject, batch, pending, timeout):
            del pending[attempt.name]
            attempts.append(attempt)
        if not pending:
            return attempts
        if len(attempts) == count:  # it did not even start: every module meets the same fate
            why = "Python did not start"
            break
    else:
        why = f"its process ended {_DEATHS_AT_MOST} times before"
    left = [Attempt(m.name, m.path, batch, "not reached", error=why) for m in pending.values()]
    return attempts + left


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
        state: State
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
                state = "imported" if imported else "failed"
                yield Attempt(name, module.path, batch, state, located, error, missing, where)
            state, why = "died", _last_words(process.wait(), errors.fileno()) if at else ""
        except TimeoutError:
            state, why = "timed out", f"no answer within {timeout:g} s"
        if at:
            yield Attempt(at, modules[at].path, batch, state, error=why)


def _last_words(code: int, errors: int) -> str:
    """How a process ended, with the last line that it wrote to the file *errors*."""
    how = f"signal {-code}" if code < 0 else str(code)
    size = os.fstat(errors).st_size
    tail = os.pread(errors, 4000, max(0, size - 4000)).decode("utf-8", "replace").strip()
    message = f": {tail.splitlines()[-1].strip()}" if tail else ""
    return f"the process ended with {how}{message}"


def _lines(process: subprocess.Popen[bytes], timeout: float) -> Iterator[str]:
    """The lines that a process writes. Errors: `TimeoutError` where the next does not come."""
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
