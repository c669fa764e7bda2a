"""Finds every module of one prefix by its files, imports it, isolated, and reports what works.

One process imports a batch of modules, one by one. A process that dies, or that is silent for
longer than the time limit, costs only the module it was at: the next process goes on after it.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from condaprune.errors import SourceError
from condaprune.live.verify import answers, exclusions
from condaprune.live.verify.listing import Listing
from condaprune.live.verify.scope import EVERYTHING, Scope
from condaprune.live.verify.subject import Effort, Subject
from condaprune.model import Progress
from condaprune.paths import ancestors, to_bytes

State = Literal["imported", "failed", "died", "timed out", "excluded", "not reached"]
STDLIB = "the standard library"
_OWN_BATCH_FROM = 25
_DEATHS_AT_MOST = 25
_LINE_AT_MOST = 1 << 20


@dataclass(frozen=True, slots=True)
class Module:
    """A module that an import statement can name: its dotted name and its file."""

    name: str
    path: str

    @property
    def is_test(self) -> bool:
        """Whether it looks like a test: tests run last, since they change their process."""
        parts = self.name.split(".")
        return any(p in ("tests", "test", "testing", "conftest") for p in parts) or (
            parts[-1].startswith("test_") or parts[-1].endswith("_test")
        )


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
    """The modules of one prefix with the result of each, in the order they were tried."""

    attempts: Mapping[str, Attempt]

    def imported(self) -> frozenset[str]:
        """The names of the modules that can be imported."""
        return frozenset(n for n, a in self.attempts.items() if a.state == "imported")


def sweep_subject(subject: Subject, effort: Effort, scope: Scope = EVERYTHING) -> ImportResults:
    """Import all modules of *subject* in *scope*.

    Errors: `SourceError` where its Python cannot run.
    """
    python = subject.interpreter
    if python is None:
        raise SourceError(
            subject.why_not or "has no Python",
            where=subject.label,
            remedy="Imports can be tried only where the environment's Python runs",
        )
    found = find_modules(subject.listing, python.search, python.suffixes)
    modules = {name: module for name, module in found.items() if scope.covers(module.path)}
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
    step = _Steps(effort.progress, sum(map(len, chosen.values())))
    with ThreadPoolExecutor(max_workers=max(1, effort.jobs)) as pool:
        futures = [
            pool.submit(_run_batch, subject, name, batch, effort.timeout, step)
            for name, batch in chosen.items()
        ]
        try:
            for future in futures:
                attempts.update((attempt.name, attempt) for attempt in future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            subject.sandbox.commands.end()
            raise
    return ImportResults(attempts)


class _Steps:
    """Tells of each module that was tried, whichever thread tried it."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self._done += 1
            self._progress("imports", self._done, self._total)


def _run_batch(
    subject: Subject, batch: str, modules: Sequence[Module], timeout: float, step: _Steps
) -> list[Attempt]:
    """The attempts of one batch; a new process goes on after a module that ended the last one."""
    pending = {module.name: module for module in modules}
    attempts: list[Attempt] = []
    for _ in range(_DEATHS_AT_MOST):
        count = len(attempts)
        for attempt in _run_process(subject, batch, pending, timeout):
            del pending[attempt.name]
            attempts.append(attempt)
            step()
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
    with contextlib.ExitStack() as stack:
        listed = stack.enter_context(tempfile.NamedTemporaryFile(dir=scratch, prefix="modules-"))
        listed.write(to_bytes("\n".join(modules)))
        listed.flush()
        errors = stack.enter_context(tempfile.TemporaryFile(dir=scratch))
        process = stack.enter_context(
            subject.sandbox.start(
                subject.python("probe_imports.py", listed.name), subprocess.PIPE, errors.fileno()
            )
        )
        at = ""
        state: State
        try:
            for line in _lines(process, timeout):
                if not at:
                    at = _started(line, modules)
                    continue
                attempt = _attempt(line, modules[at], batch)
                at = ""
                yield attempt
            state, why = "died", _last_words(process.wait(), errors.fileno()) if at else ""
        except TimeoutError:
            state, why = "timed out", f"no answer within {timeout:g} s"
        except ValueError as error:
            # Code that was imported writes where only the probe should.
            at = at or next(iter(modules), "")
            state, why = "died", f"its process gave {error}"
        if at:
            yield Attempt(at, modules[at].path, batch, state, error=why)


def _started(line: bytes, modules: Mapping[str, Module]) -> str:
    """The module that is about to be imported. Errors: `ValueError` for any other answer."""
    word, name = answers.parse_answer(line, 2)
    if word != "start" or not isinstance(name, str) or name not in modules:
        raise ValueError("an answer of another form")
    return name


def _attempt(line: bytes, module: Module, batch: str) -> Attempt:
    """What became of the import of *module*. Errors: `ValueError` for any other answer."""
    word, name, imported, located, *rest = answers.parse_answer(line, 8)
    if (word, name) != ("end", module.name):
        raise ValueError("an answer of another form")
    kind, text, missing, where = answers.texts(rest)
    error = " ".join(f"{kind}: {text}".split()) if kind else ""
    state: State = "imported" if imported else "failed"
    return Attempt(module.name, module.path, batch, state, bool(located), error, missing, where)


def _last_words(code: int, errors: int) -> str:
    """How a process ended, with the last line that it wrote to the file *errors*."""
    how = f"signal {-code}" if code < 0 else str(code)
    size = os.fstat(errors).st_size
    tail = os.pread(errors, 4000, max(0, size - 4000)).decode("utf-8", "replace").strip()
    message = f": {tail.splitlines()[-1].strip()}" if tail else ""
    return f"the process ended with {how}{message}"


def _lines(process: subprocess.Popen[bytes], timeout: float) -> Iterator[bytes]:
    """The lines that a process writes.

    Errors: `TimeoutError` where the next does not come, `ValueError` where it does not end.
    """
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
            yield from complete
            if len(buffer) > _LINE_AT_MOST:
                raise ValueError("an answer without an end")


def find_modules(
    listing: Listing, search: tuple[str, ...], suffixes: tuple[str, ...]
) -> dict[str, Module]:
    """All modules below the folders *search*, by dotted name, as the interpreter would find them.

    *suffixes* are those of extension modules. A folder without ``__init__`` counts as a namespace
    package; names that no import statement can spell are left out, and so are modules whose name
    is taken by a folder earlier on the search path.
    """
    order = {folder: number for number, folder in enumerate(search)}
    kinds = (*suffixes, ".py", ".pyc")
    best: dict[str, tuple[tuple[int, int], str]] = {}
    first: dict[str, int] = {}  # the folder of each top-level name, by its place in the order
    for path, entry in listing.entries.items():
        if entry.kind == "folder" or not path.endswith(kinds):
            continue
        folder = next((f for f in reversed(ancestors(path)) if f in order), None)
        if folder is None:
            continue
        rank = next(i for i, suffix in enumerate(kinds) if path.endswith(suffix))
        inner = path[len(folder) + 1 : -len(kinds[rank])]
        parts = inner.split("/")
        if parts[-1] == "__init__" and len(parts) > 1:
            parts.pop()
        if not all(part.isidentifier() and part != "__pycache__" for part in parts):
            continue
        name = ".".join(parts)
        key = (order[folder], rank)
        if name not in best or key < best[name][0]:
            best[name] = (key, path)
        if len(parts) == 1:
            first[name] = min(order[folder], first.get(name, order[folder]))
    # `import a.b` looks in the first `a` only; a package there hides later folders.
    return {
        name: Module(name, path)
        for name, ((number, _), path) in sorted(best.items())
        if first.get(name.partition(".")[0], number) >= number
    }


def in_batches(modules: Mapping[str, Module], stdlib: str) -> dict[str, tuple[Module, ...]]:
    """The modules by the process they are imported in, largest first.

    One batch for each top-level name of site-packages and each large package of the standard
    library, one for the rest of the standard library. Within a batch, packages precede their
    modules, and tests come last.
    """
    sizes = Counter(name.partition(".")[0] for name in modules)
    batches: dict[str, list[Module]] = {}
    for module in modules.values():
        top = module.name.partition(".")[0]
        in_stdlib = bool(stdlib) and module.path.startswith(stdlib + "/")
        if in_stdlib and "/site-packages/" not in module.path and sizes[top] < _OWN_BATCH_FROM:
            top = STDLIB
        batches.setdefault(top, []).append(module)
    return {
        top: tuple(sorted(batch, key=lambda m: (m.is_test, to_bytes(m.name))))
        for top, batch in sorted(batches.items(), key=lambda item: (-len(item[1]), item[0]))
    }
