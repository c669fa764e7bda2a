"""The trace file: JSON lines, one header, one line an entry, one closing line.

docs/trace-format.md describes it. The file is pure ASCII: a path is text decoded from its bytes
as UTF-8 with ``surrogateescape``, and a byte that is not UTF-8 becomes the JSON escape of its
lone surrogate (``\\udc80`` to ``\\udcff``), which survives every JSON reader that keeps escapes.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, cast

from condaprune.errors import TraceError
from condaprune.files import write_whole
from condaprune.paths import sort_key
from condaprune.traces.trace import ENDINGS, FORMAT, KINDS, Run, Trace, TracedEntry

if TYPE_CHECKING:
    from typing import IO

MAGIC = "condaprune_trace"
_AGAIN = "Record it again"


def dump_lines(trace: Trace) -> Iterator[str]:
    """The lines of a trace file, each with its line feed; entries in the order of their bytes."""
    yield _line({MAGIC: FORMAT, "runs": [_run_document(run) for run in trace.runs]})
    for path in sorted(trace.entries, key=sort_key):
        entry = trace.entries[path]
        document: dict[str, object] = {
            "path": path,
            "kinds": [kind for kind in KINDS if kind in entry.kinds],
            "recorder": sorted(entry.recorders),
            "count": entry.count,
        }
        if entry.askers:
            document["askers"] = sorted(entry.askers)
        if entry.computed:
            document["computed"] = sorted(entry.computed)
        yield _line(document)
    yield _line({"end": len(trace.entries)})


def write_trace(trace: Trace, path: str) -> None:
    """Write a trace file; it appears whole or not at all.

    An existing file is replaced only if it is a trace, or empty. Errors: `TraceError`.
    """
    check_replaceable(path)
    with _clear_errors(path, "written"):
        write_whole(path, "".join(dump_lines(trace)).encode("ascii"))


def check_replaceable(path: str) -> None:
    """Errors: `TraceError` where *path* is a file that is not a trace, or cannot be made."""
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise TraceError("there is no such folder", where=folder, remedy="Create it first")
    if os.path.isdir(path):
        raise TraceError(
            "the output is a folder",
            where=path,
            remedy="Name a file for the trace, such as `-o app.trace`",
        )
    if not os.path.isfile(path) or os.path.getsize(path) == 0:
        return
    with _clear_errors(path, "read"), open(path, "rb") as stream:
        start = stream.read(64)
    if MAGIC.encode() not in start:
        raise TraceError(
            "the output exists and is not a trace; it is not overwritten",
            where=path,
            remedy="Choose another name for the trace",
        )


def read_trace(path: str) -> Trace:
    """Read a trace file.

    Errors: `TraceError` where it is missing, truncated, damaged, not a trace, of a newer format,
    or names paths that leave the prefix.
    """
    with _clear_errors(path, "read"), open(path, encoding="utf-8", errors="strict") as stream:
        return _parse(stream, path)


@contextmanager
def _clear_errors(path: str, done: str) -> Iterator[None]:
    """Turn what reading or writing a file may raise into a `TraceError` about it."""
    try:
        yield
    except UnicodeDecodeError:
        raise _not_a_trace(path) from None
    except OSError as error:
        raise TraceError(
            f"the trace cannot be {done}: {error.strerror or error}",
            where=path,
            remedy="Check its name and permissions",
        ) from None


def _not_a_trace(path: str) -> TraceError:
    remedy = "A log of another tool is read with `condaprune trace import FILE --from ...`"
    return TraceError("it is not a trace", where=path, remedy=remedy)


@dataclass(frozen=True, slots=True)
class _Fields:
    """A JSON object of a trace file, and where it stands; values of other types are damage."""

    values: Mapping[str, object]
    path: str
    line: int

    def damaged(self, why: str) -> TraceError:
        what = f"the trace is damaged at line {self.line}: {why}"
        return TraceError(what, where=self.path, remedy=_AGAIN)

    def text(self, key: str) -> str:
        value = self.values.get(key, "")
        if not isinstance(value, str):
            raise self.damaged(f"{key!r} is not a text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.values.get(key) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.damaged(f"{key!r} is not a list of texts")
        return tuple(value)

    def names(self, key: str) -> frozenset[str]:
        value = self.values.get(key)
        return frozenset((value,) if isinstance(value, str) else self.texts(key))

    def number(self, key: str, default: float = 0) -> float:
        value = self.values.get(key, default)
        if not isinstance(value, (int, float)) or not 0 <= value < math.inf:
            raise self.damaged(f"{key!r} is not a number of 0 or more")
        return value


def _parse(stream: IO[str], path: str) -> Trace:
    lines = iter(enumerate(stream, 1))
    number, first = next(lines, (0, ""))
    runs = _runs(first, path)
    entries: dict[str, TracedEntry] = {}
    for number, line in lines:
        fields = _fields(line, path, number)
        end = fields.values.get("end")
        if end is not None:
            if end != len(entries) or next(lines, None) is not None:
                raise fields.damaged("its closing line does not fit what precedes it")
            return Trace(runs, entries, path)
        name, entry = _entry(fields)
        if name in entries:
            raise fields.damaged("it names an entry twice")
        entries[name] = entry
    raise TraceError(
        f"the trace is truncated: it ends at line {number} without its closing line",
        where=path,
        remedy=_AGAIN,
    )


def _runs(line: str, path: str) -> tuple[Run, ...]:
    """The runs in the header, the first line."""
    document = _load(line) if line.endswith("\n") else None
    if not isinstance(document, dict) or MAGIC not in document:
        raise _not_a_trace(path)
    fields = _Fields(document, path, 1)
    version = document[MAGIC]
    if not isinstance(version, int) or version < 1:
        raise fields.damaged("its format has no version")
    if version > FORMAT:
        raise TraceError(
            f"the trace has format {version}; this condaprune reads up to {FORMAT}",
            where=path,
            remedy="Use the condaprune that recorded it, or a newer one",
        )
    runs = document.get("runs")
    if not isinstance(runs, list) or not all(isinstance(run, dict) for run in runs):
        raise fields.damaged("its header lists no runs")
    return tuple(_run(_Fields(run, path, 1)) for run in runs)


def _fields(line: str, path: str, number: int) -> _Fields:
    document = _load(line)
    if document is None and not line.endswith("\n"):
        raise TraceError(f"the trace is truncated in line {number}", where=path, remedy=_AGAIN)
    if not isinstance(document, dict):
        raise _Fields({}, path, number).damaged("it is not a JSON object")
    return _Fields(document, path, number)


def _load(line: str) -> object:
    try:
        return cast("object", json.loads(line))
    except (ValueError, RecursionError):
        return None


def _entry(fields: _Fields) -> tuple[str, TracedEntry]:
    name = fields.values.get("path")
    if not isinstance(name, str) or not is_inside(name):
        raise fields.damaged("its path is not one inside a prefix")
    named = fields.names("kinds")
    kinds = frozenset(kind for kind in KINDS if kind in named)
    if not kinds or kinds != named:
        raise fields.damaged(f"its kinds are not among {', '.join(KINDS)}")
    return name, TracedEntry(
        kinds,
        int(fields.number("count", 1)),
        fields.names("recorder"),
        fields.names("askers"),
        fields.names("computed"),
    )


def is_inside(path: str) -> bool:
    """Whether a relative path is one that an entry can have: no ``..``, not absolute, no NUL."""
    parts = path.split("/")
    return "\0" not in path and not any(part in ("", ".", "..") for part in parts)


def _run_document(run: Run) -> dict[str, object]:
    fingerprint = dict(sorted(run.fingerprint.items()))
    return {**asdict(run), "duration": round(run.duration, 3), "fingerprint": fingerprint}


def _run(fields: _Fields) -> Run:
    exit_code = fields.values.get("exit_code")
    if exit_code is not None and not isinstance(exit_code, int):
        raise fields.damaged("'exit_code' is not a number")
    ending = fields.text("ended") or "exit"
    if ending not in ENDINGS:
        raise fields.damaged(f"'ended' is not among {', '.join(ENDINGS)}")
    fingerprint = fields.values.get("fingerprint", {})
    if not isinstance(fingerprint, dict) or not all(
        isinstance(version, str) for version in fingerprint.values()
    ):
        raise fields.damaged("'fingerprint' does not map names to versions")
    return Run(
        prefix=fields.text("prefix"),
        recorders=fields.texts("recorders"),
        command=fields.texts("command"),
        exit_code=exit_code,
        ended=ending,
        started=fields.text("started"),
        duration=float(fields.number("duration")),
        filesystem=fields.text("filesystem"),
        # A header that does not say so plainly is not trusted to be whole.
        overflow=fields.values.get("overflow") is not False,
        canary=fields.text("canary"),
        changed=fields.texts("changed"),
        changes=int(fields.number("changes")),
        notes=fields.texts("notes"),
        fingerprint=fingerprint,
    )


def _line(document: Mapping[str, object]) -> str:
    return json.dumps(document, ensure_ascii=True, separators=(", ", ": ")) + "\n"
