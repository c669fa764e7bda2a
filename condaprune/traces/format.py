"""The trace file: JSON lines, one header, one line an entry, one closing line.

docs/trace-format.md describes it. The file is pure ASCII: a path is text decoded from its bytes
as UTF-8 with ``surrogateescape``, and a byte that is not UTF-8 becomes the JSON escape of its
lone surrogate (``\\udc80`` to ``\\udcff``), which survives every JSON reader that keeps escapes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from typing import Any, TypeVar

from condaprune.errors import TraceError
from condaprune.files import open_named, unreadable
from condaprune.parse import parse_json
from condaprune.paths import sort_key, to_bytes
from condaprune.targets import Target
from condaprune.traces.trace import ENDINGS, KINDS, Run, Trace, TracedEntry

MAGIC = "condaprune_trace"
_FORMAT = 1
_AGAIN = "Record it again"
_HEADER_AT_MOST = 64 << 20
_LINE_AT_MOST = 1 << 20
_ENTRIES_AT_MOST = 4_000_000
_NUMBER_AT_MOST = 1 << 63

T = TypeVar("T")


class _Damage(Exception):
    """Why a line is not one of a trace file."""


def dump_lines(trace: Trace) -> Iterator[str]:
    """The lines of a trace file, each with its line feed; entries in the order of their bytes."""
    yield _line({MAGIC: _FORMAT, "runs": [asdict(run) for run in trace.runs]})
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


def _line(document: Mapping[str, object]) -> str:
    return json.dumps(document) + "\n"


def write_trace(trace: Trace, to: str | Target) -> None:
    """Write a trace to a path, or to what `open_target` opened. Errors: `TraceError`."""
    if isinstance(to, str):
        with open_target(to) as target:
            write_trace(trace, target)
        return
    with _clear_errors(to.path, "written"):
        to.write("".join(dump_lines(trace)).encode("ascii"))


def open_target(path: str) -> Target:
    """Where a trace is to be written: a stream, or a file that appears whole or not at all.

    An existing file is replaced only if it is a trace, or empty. Errors: `TraceError`.
    """
    check_replaceable(path)
    with _clear_errors(path, "written"):
        return Target(path)


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
    number = 1
    entries: dict[str, TracedEntry] = {}
    with _clear_errors(path, "read"), open_named(path) as stream:
        try:
            runs = _runs(stream.readline(_HEADER_AT_MOST), path)
            while line := stream.readline(_LINE_AT_MOST):
                number += 1
                document = _load(line)
                if document is None and not line.endswith(b"\n") and len(line) < _LINE_AT_MOST:
                    break
                if not isinstance(document, dict):
                    raise _Damage("it is not a JSON object")
                if document.get("end") is not None:
                    if document["end"] != len(entries) or stream.read(1):
                        raise _Damage("its closing line does not fit what precedes it")
                    return Trace(runs, entries, path)
                name, entry = _entry(document)
                if name in entries:
                    raise _Damage("it names an entry twice")
                if len(entries) == _ENTRIES_AT_MOST:
                    raise _Damage(f"it has more than {_ENTRIES_AT_MOST:,} entries")
                entries[name] = entry
        except _Damage as why:
            what = f"the trace is damaged at line {number}: {why}"
            raise TraceError(what, where=path, remedy=_AGAIN) from None
    raise TraceError(
        f"the trace is truncated: it ends at line {number} without its closing line",
        where=path,
        remedy=_AGAIN,
    )


@contextmanager
def _clear_errors(path: str, done: str) -> Iterator[None]:
    """Turn what reading or writing a file may raise into a `TraceError` about it."""
    try:
        yield
    except UnicodeDecodeError:
        raise _not_a_trace(path) from None
    except OSError as error:
        what = unreadable(error) if done == "read" else f"cannot be {done}: {error.strerror}"
        raise TraceError(
            f"the trace {what}",
            where=path,
            remedy="Check its name and permissions",
        ) from None


def _not_a_trace(path: str) -> TraceError:
    remedy = "A log of another tool is read with `condaprune trace import FILE --from ...`"
    return TraceError("it is not a trace", where=path, remedy=remedy)


def _load(line: bytes) -> object:
    try:
        return parse_json(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise
    except ValueError:
        return None


def _runs(line: bytes, path: str) -> tuple[Run, ...]:
    """The runs in the header, the first line."""
    document = _load(line) if line.endswith(b"\n") else None
    if not isinstance(document, dict) or MAGIC not in document:
        raise _not_a_trace(path)
    version = document[MAGIC]
    if type(version) is not int or not 0 < version < _NUMBER_AT_MOST:
        raise _Damage("its format has no version")
    if version > _FORMAT:
        raise TraceError(
            f"the trace has format {version}; this condaprune reads up to {_FORMAT}",
            where=path,
            remedy="Use the condaprune that recorded it, or a newer one",
        )
    runs = document.get("runs")
    if not isinstance(runs, list) or not all(isinstance(run, dict) for run in runs):
        raise _Damage("its header lists no runs")
    missing = {"prefix": "", "recorders": (), "overflow": True}
    return tuple(_read(Run, {**missing, **run}) for run in runs)


def _entry(document: Mapping[str, object]) -> tuple[str, TracedEntry]:
    name = document.get("path")
    if not isinstance(name, str) or not is_text(name) or not is_inside(name):
        raise _Damage("its path is not one inside a prefix")
    missing = {"kinds": (), "recorders": document.get("recorder", ())}
    return name, _read(TracedEntry, {**missing, **document})


def is_inside(path: str) -> bool:
    """Whether a relative path is one that an entry can have: no ``..``, not absolute, no NUL, and
    of bytes, which half a character of JSON (a lone surrogate) is not."""
    try:
        to_bytes(path)
    except UnicodeEncodeError:
        return False
    parts = path.split("/")
    return "\0" not in path and not any(part in ("", ".", "..") for part in parts)


def _read(cls: type[T], document: Mapping[str, object]) -> T:
    """A run or an entry of a document; fields that it leaves out have their defaults."""
    values: dict[str, object] = {}
    for field in fields(cls):  # type: ignore[arg-type]
        if field.name in document:
            fits, convert, expected = _FORMS[str(field.type)]
            if not fits(document[field.name]):
                raise _Damage(f"{field.name!r} is not {expected}")
            values[field.name] = convert(document[field.name])
    return cls(**values)


def is_text(value: object) -> bool:
    """Whether this is a text that stands for bytes: a surrogate may stand for one byte only."""
    try:
        return isinstance(value, str) and value.encode("utf-8", "surrogateescape") is not None
    except UnicodeEncodeError:
        return False


def _is_texts(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(map(is_text, value))


def _is_kinds(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(item in KINDS for item in value)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return 0 <= value < _NUMBER_AT_MOST


def _is_code(value: object) -> bool:
    return value is None or (type(value) is int and -_NUMBER_AT_MOST < value < _NUMBER_AT_MOST)


def _is_versions(value: object) -> bool:
    return isinstance(value, dict) and _is_texts([*value, *value.values()])


_FORMS: Mapping[str, tuple[Callable[[Any], bool], Callable[[Any], object], str]] = {
    "str": (is_text, str, "a text"),
    "tuple[str, ...]": (_is_texts, tuple, "a list of texts"),
    "frozenset[str]": (_is_texts, frozenset, "a list of texts"),
    "frozenset[TraceKind]": (_is_kinds, frozenset, f"a list from {', '.join(KINDS)}"),
    "Ending": (lambda value: value in ENDINGS, str, f"one of {', '.join(ENDINGS)}"),
    "int": (_is_number, int, "a number of 0 or more"),
    "float": (_is_number, float, "a number of 0 or more"),
    "int | None": (_is_code, lambda value: value, "a number"),
    # A header that does not say plainly that nothing was lost is not trusted to be whole.
    "bool": (lambda _: True, lambda value: value is not False, ""),
    "Mapping[str, str]": (_is_versions, dict, "a map of names to versions"),
}
"""By the annotation of a field: whether a value fits, how it is converted, and what is expected."""
