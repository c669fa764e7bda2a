"""The audit recorder: Python's own audit events, which show who asked for a file and how.

It runs inside the workload (`condaprune.live.trace.hook`), so it does not see the loader's
libraries, the interpreter's own start, C code, shells, nor Python children with ``-I`` or ``-S``.
It is for attribution, next to another recorder: which module asked for a file, which imports
were computed, which folders were listed on purpose.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace

from condaprune.errors import TraceError
from condaprune.files import read_regular
from condaprune.live.trace import hook
from condaprune.live.trace.recorders.base import Launch, Recorder, Recording
from condaprune.paths import from_bytes
from condaprune.traces.trace import KINDS, Prefix, TracedEntry, TraceKind, union

_AT_MOST = 1 << 30
_PYTHON = re.compile(r"python(\d+)\.(\d+)t?")
_ALONE = (
    "the audit recorder sees only files that Python code opens: neither libraries, nor the "
    "interpreter, nor programs that it starts"
)


class AuditRecorder(Recorder):
    """Puts the hook into every Python that the command starts. *scratch* takes its files."""

    name = "audit"

    def __init__(self, prefix: str, scratch: str) -> None:
        self._prefix = prefix
        self._hook = os.path.join(scratch, "hook")
        self._target = os.path.join(scratch, "audit")

    def check(self) -> None:
        """Whether the environment holds a Python with audit events."""
        library = os.path.join(self._prefix, "lib")
        names = os.listdir(library) if os.path.isdir(library) else []
        versions = [match for name in names if (match := _PYTHON.fullmatch(name))]
        if not any((int(match[1]), int(match[2])) >= (3, 8) for match in versions):
            raise TraceError(
                "the environment holds no Python 3.8 or newer, which audit events need",
                where=self._prefix,
                remedy="Use another recorder, such as `--recorder inotify`",
            )

    def start(self) -> None:
        """Lay out the hook where the workload's Python will find it."""
        os.mkdir(self._hook, 0o755)
        os.mkdir(self._target, 0o700)
        shutil.copyfile(str(hook.__file__), os.path.join(self._hook, "sitecustomize.py"))

    def launch(self, launch: Launch) -> Launch:
        """The same command with the hook first on PYTHONPATH."""
        environment = dict(launch.environment)
        before = environment.get("PYTHONPATH", "")
        environment["PYTHONPATH"] = self._hook + (os.pathsep + before if before else "")
        environment["CONDAPRUNE_AUDIT"] = self._target
        environment["CONDAPRUNE_AUDIT_PREFIX"] = self._prefix
        return replace(launch, environment=environment)

    def stop(self) -> Recording:
        """Read what the processes wrote."""
        prefix = Prefix(self._prefix)
        touched: list[Mapping[str, TracedEntry]] = []
        processes = sorted(os.listdir(self._target))
        for name in processes:
            try:
                data = read_regular(os.path.join(self._target, name), _AT_MOST)
            except OSError:
                continue  # not one of the hook's
            for kind, path, module, how in parse(data):
                askers = frozenset((module,) if module else ())
                computed = askers if how == "computed" else frozenset()
                entry = TracedEntry(
                    frozenset((kind,)), 1, frozenset((self.name,)), askers, computed
                )
                spellings = {os.path.normpath(path), os.path.realpath(path)}
                paths = filter(None, map(prefix.relative, spellings))
                touched.append(dict.fromkeys(paths, entry))
        notes = (f"Python processes recorded: {len(processes)}", _ALONE)
        return Recording(union(touched), notes=notes)


def parse(data: bytes) -> Iterator[tuple[TraceKind, str, str, str]]:
    """Kind, absolute path, module and how of each event; a last one cut short is left out."""
    fields = data.split(b"\0")[:-1]
    for at in range(0, len(fields) - 3, 4):
        kind, path, module, how = map(from_bytes, fields[at : at + 4])
        for known in KINDS:
            if known == kind:
                yield known, path, sys.intern(module), how
