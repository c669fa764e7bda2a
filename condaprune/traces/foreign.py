"""Traces out of other tools' evidence: an strace log, a list of paths, a slimtoolkit report."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from condaprune.errors import TraceError, UsageProblem, nearest
from condaprune.live.trace.recorders.base import Inside, Tally
from condaprune.live.trace.strace_log import StraceLog
from condaprune.paths import from_bytes
from condaprune.traces.format import is_inside
from condaprune.traces.trace import Header, Run, Trace, TracedEntry

_Reader = Callable[[bytes, Inside], tuple[Mapping[str, TracedEntry], tuple[str, ...]]]


def import_trace(path: str, kind: str, prefix: str) -> Trace:
    """A trace out of the file at *path*, made by another tool of the kind ``strace``, ``list``
    or ``creport``.

    *prefix* is where the environment lay when the file was made; it need not exist here. Errors:
    `TraceError` where the file cannot be read, is none of its kind, or names nothing in the
    prefix; `UsageProblem` for an unknown kind.
    """
    from condaprune.traces.ageing import fingerprint

    reader = READERS.get(kind)
    if reader is None:
        raise UsageProblem(
            f"there is no import from {kind!r}", where="--from", remedy=nearest(kind, [*READERS])
        )
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except OSError as error:
        raise TraceError(
            f"cannot be read: {error.strerror}", where=path, remedy="Check its name"
        ) from None
    prefix = prefix.rstrip("/")
    entries, notes = reader(data, Inside(prefix))
    if not entries:
        raise TraceError(
            f"it names nothing in {prefix}, or is no {_NAMES[kind]}",
            where=path,
            remedy="Name the folder that the environment lay in at the time with `--prefix`, "
            "and what the file is with `--from`",
        )
    run = Run(
        prefix=prefix,
        recorders=(kind,),
        ended="imported",
        fingerprint=fingerprint(prefix),
        notes=(f"imported from {path}", *notes),
    )
    return Trace(Header((run,)), entries, path)


def _strace(data: bytes, inside: Inside) -> tuple[Mapping[str, TracedEntry], tuple[str, ...]]:
    log = StraceLog(inside)
    log.feed(data.decode("utf-8", "surrogateescape").splitlines())
    if not log.lost:
        return log.entries(), ()
    note = f"{log.lost} calls named paths that could not be told: use `strace -f -y -s 65535`"
    return log.entries(), (note,)


def _list(data: bytes, inside: Inside) -> tuple[Mapping[str, TracedEntry], tuple[str, ...]]:
    """One path a line, or each ended by NUL (``find -print0``); relative ones to the prefix."""
    tally = Tally("list")
    outside = 0
    for line in data.split(b"\0") if b"\0" in data else data.splitlines():
        path = from_bytes(line)
        relative: str | None = path.removeprefix("./")
        if path.startswith("/"):
            relative = inside.relative(path)
        if relative and is_inside(relative):
            tally.add(relative, "open")
        else:
            outside += bool(path)
    return tally.entries(), (f"{outside} paths outside of the prefix left out",) if outside else ()


def _creport(data: bytes, inside: Inside) -> tuple[Mapping[str, TracedEntry], tuple[str, ...]]:
    """slimtoolkit's ``creport.json``: what its monitors saw, and the files that it would keep."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return {}, ()
    tally = Tally("creport")

    def add(path: object, kind: str, count: object = 1) -> None:
        relative = inside.relative(path) if isinstance(path, str) else None
        if not relative or not is_inside(relative):
            return
        number = count if isinstance(count, int) and count > 0 else 1
        for known in ("open", "exec", "stat", "readlink", "list"):
            if known == kind:
                tally.add(relative, known, number)

    monitors = _object(_object(document).get("monitors"))
    for files in _object(_object(monitors.get("fan")).get("process_files")).values():
        for path, info in _object(files).items():
            facts = _object(info)
            kind = "exec" if facts.get("execs") else "open"
            add(path, kind, facts.get("event_count"))
    for path, info in _object(_object(monitors.get("pt")).get("fs_activity")).items():
        facts = _object(info)
        looked = facts.get("ops_checkfile", 0) == facts.get("ops_all")
        add(path, "stat" if looked else "open", facts.get("ops_all"))
    listed = _object(_object(document).get("image")).get("files")
    for item in listed if isinstance(listed, list) else []:
        facts = _object(item)
        add(facts.get("file_path"), _ARTIFACTS.get(str(facts.get("file_type")), "open"))
    return tally.entries(), ()


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


_ARTIFACTS = {"Dir": "stat", "Symlink": "readlink"}
_NAMES = {"strace": "strace log", "list": "list of paths", "creport": "creport.json"}
READERS: Mapping[str, _Reader] = {"strace": _strace, "list": _list, "creport": _creport}
