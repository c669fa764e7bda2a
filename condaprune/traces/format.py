"""The trace file: JSON lines, one header, one line an entry, one closing line.

docs/trace-format.md describes it. The file is pure ASCII: a path is text decoded from its bytes
as UTF-8 with ``surrogateescape``, and a byte that is no UTF-8 becomes the JSON escape of its
lone surrogate (``\\udc80`` to ``\\udcff``), which survives every JSON reader that keeps escapes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from condaprune.errors import TraceError
from condaprune.paths import sort_key
from condaprune.traces.trace import (
    ENDINGS,
    FORMAT,
    KINDS,
    Header,
    Run,
    Trace,
    TracedEntry,
    TraceKind,
)

if TYPE_CHECKING:
    from typing import IO

MAGIC = "condaprune_trace"
_IMPORT = "A log of another tool is read with `condaprune trace import FILE --from ...`"
_AGAIN = "Record it again"


def dump_lines(trace: Trace) -> Iterator[str]:
    """The lines of a trace file, each with its line feed; entries in the order of their bytes."""
    runs = [_run_document(run) for run in trace.header.runs]
    yield _line({MAGIC: FORMAT, "runs": runs})
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

    An existing file is replaced only where it is a trace, or empty. Errors: `TraceError`.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        with _writing(path), open(path, "w", encoding="ascii") as stream:  # /dev/stdout, a pipe
            stream.writelines(dump_lines(trace))
        return
    check_replaceable(path)
    scratch = f"{path}.{os.getpid()}.part"
    with _writing(path):
        try:
            with open(scratch, "w", encoding="ascii") as stream:
                stream.writelines(dump_lines(trace))
            os.replace(scratch, path)
        except BaseException:
            if os.path.lexists(scratch):
                os.unlink(scratch)
            raise


def check_replaceable(path: str) -> None:
    """Errors: `TraceError` where *path* holds something else than a trace, or cannot be made."""
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
    with _reading(path), open(path, "rb") as stream:
        start = stream.read(64)
    if MAGIC.encode() not in start:
        raise TraceError(
            "the output exists and is no trace; it is not overwritten",
            where=path,
            remedy="Choose another name for the trace",
        )


def read_trace(path: str) -> Trace:
    """Read a trace file.

    Errors: `TraceError` where it is missing, no trace, truncated, damaged, of a newer format, or
    names paths that leave the prefix.
    """
    with _reading(path), open(path, encoding="utf-8", errors="strict") as stream:
        return _parse(stream, path)


class _reading:
    """Turn what opening and decoding may raise into a `TraceError` about one file."""

    doing = "read"

    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, UnicodeDecodeError):
            raise TraceError("it is no trace", where=self.path, remedy=_IMPORT) from None
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise TraceError(
                f"the trace cannot be {self.doing}: {reason}",
                where=self.path,
                remedy="Check its name and permissions",
            ) from None


class _writing(_reading):
    doing = "written"


def _parse(stream: IO[str], path: str) -> Trace:
    lines = iter(enumerate(stream, 1))
    number, first = next(lines, (0, ""))
    header = _header(first, path)
    entries: dict[str, TracedEntry] = {}
    for number, line in lines:
        document = _document(line, path, number)
        end = document.get("end")
        if end is not None:
            if end != len(entries) or next(lines, None) is not None:
                raise _damaged(path, number, "its closing line does not fit what precedes it")
            return Trace(header, entries, path)
        name, entry = _entry(document, path, number)
        if name in entries:
            raise _damaged(path, number, "it names an entry twice")
        entries[name] = entry
    raise TraceError(
        f"the trace is truncated: it ends at line {number} without its closing line",
        where=path,
        remedy=_AGAIN,
    )


def _header(line: str, path: str) -> Header:
    try:
        document = json.loads(line) if line.endswith("\n") else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or MAGIC not in document:
        raise TraceError("it is no trace", where=path, remedy=_IMPORT)
    version = document[MAGIC]
    if not isinstance(version, int) or version < 1:
        raise _damaged(path, 1, "its format has no version")
    if version > FORMAT:
        raise TraceError(
            f"the trace has format {version}; this condaprune reads up to {FORMAT}",
            where=path,
            remedy="Use the condaprune that recorded it, or a newer one",
        )
    runs = document.get("runs")
    if not isinstance(runs, list) or not all(isinstance(run, dict) for run in runs):
        raise _damaged(path, 1, "its header lists no runs")
    return Header(tuple(_run(run, path) for run in runs), version)


def _document(line: str, path: str, number: int) -> dict[str, object]:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        if not line.endswith("\n"):
            raise TraceError(
                f"the trace is truncated in line {number}", where=path, remedy=_AGAIN
            ) from None
        raise _damaged(path, number, "it is no JSON") from None
    if not isinstance(document, dict):
        raise _damaged(path, number, "it is no JSON object")
    return document


def _entry(document: Mapping[str, object], path: str, number: int) -> tuple[str, TracedEntry]:
    name = document.get("path")
    if not isinstance(name, str) or not is_inside(name):
        raise _damaged(path, number, "its path is not one inside a prefix")
    kinds = _texts(document.get("kinds"), path, number)
    if not kinds or not kinds <= set(KINDS):
        raise _damaged(path, number, f"its kinds are not among {', '.join(KINDS)}")
    count = document.get("count", 1)
    if not isinstance(count, int) or count < 0:
        raise _damaged(path, number, "its count is no number")
    return name, TracedEntry(
        cast("frozenset[TraceKind]", kinds),
        count,
        _texts(document.get("recorder"), path, number),
        _texts(document.get("askers"), path, number),
        _texts(document.get("computed"), path, number),
    )


def is_inside(path: str) -> bool:
    """Whether a relative path is one that an entry can have: no ``..``, not absolute, no NUL."""
    parts = path.split("/")
    return "\0" not in path and not any(part in ("", ".", "..") for part in parts)


def _run_document(run: Run) -> dict[str, object]:
    document: dict[str, object] = {
        "prefix": run.prefix,
        "recorders": list(run.recorders),
        "command": list(run.command),
        "exit_code": run.exit_code,
        "ended": run.ended,
        "started": run.started,
        "duration": round(run.duration, 3),
        "filesystem": run.filesystem,
        "overflow": run.overflow,
        "canary": run.canary,
        "changed": list(run.changed),
        "changes": run.changes,
        "notes": list(run.notes),
        "fingerprint": dict(sorted(run.fingerprint.items())),
    }
    return document


def _run(document: Mapping[str, object], path: str) -> Run:
    def text(key: str) -> str:
        value = document.get(key, "")
        if not isinstance(value, str):
            raise _damaged(path, 1, f"{key!r} is no text")
        return value

    def listed(key: str) -> tuple[str, ...]:
        value = document.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise _damaged(path, 1, f"{key!r} is no list of texts")
        return tuple(value)

    def number(key: str) -> float:
        value = document.get(key, 0)
        if not isinstance(value, (int, float)):
            raise _damaged(path, 1, f"{key!r} is no number")
        return value

    exit_code = document.get("exit_code")
    if exit_code is not None and not isinstance(exit_code, int):
        raise _damaged(path, 1, "'exit_code' is no number")
    ended = text("ended") or "exit"
    if ended not in ENDINGS:
        raise _damaged(path, 1, f"'ended' is not among {', '.join(ENDINGS)}")
    prints = document.get("fingerprint", {})
    if not isinstance(prints, dict) or not all(isinstance(v, str) for v in prints.values()):
        raise _damaged(path, 1, "'fingerprint' does not map names to versions")
    return Run(
        prefix=text("prefix"),
        recorders=listed("recorders"),
        command=listed("command"),
        exit_code=exit_code,
        ended=ended,
        started=text("started"),
        duration=float(number("duration")),
        filesystem=text("filesystem"),
        # A header that does not say so plainly is not trusted to be whole.
        overflow=document.get("overflow") is not False,
        canary=text("canary"),
        changed=listed("changed"),
        changes=int(number("changes")),
        fingerprint=prints,
        notes=listed("notes"),
    )


def _texts(value: object, path: str, number: int) -> frozenset[str]:
    if value is None:
        return frozenset()
    if isinstance(value, str):
        return frozenset((value,))
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _damaged(path, number, "a list of texts is expected")
    return frozenset(value)


def _damaged(path: str, number: int, why: str) -> TraceError:
    return TraceError(f"the trace is damaged at line {number}: {why}", where=path, remedy=_AGAIN)


def _line(document: Mapping[str, object]) -> str:
    return json.dumps(document, ensure_ascii=True, separators=(", ", ": ")) + "\n"
