"""Makes traces of other tools' evidence: an strace log, a list of paths, a slimtoolkit report."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from condaprune.errors import TraceError, UsageProblem, nearest
from condaprune.files import read_named, unreadable
from condaprune.parse import parse_json
from condaprune.paths import from_bytes
from condaprune.traces.ageing import fingerprint
from condaprune.traces.format import is_inside, is_text
from condaprune.traces.strace_log import StraceLog
from condaprune.traces.trace import Prefix, Run, Tally, Trace, TracedEntry, TraceKind

_AT_MOST = 1 << 30
_COUNT_AT_MOST = 1 << 31
_Evidence = tuple[Mapping[str, TracedEntry], tuple[str, ...]]
"""Entries, and notes."""


def import_trace(path: str, kind: str, prefix: str) -> Trace:
    """A trace made of the file at *path*, which another tool wrote, of a kind in `_FORMATS`.

    *prefix* is where the environment lay when the file was made; it need not exist here. Errors:
    `TraceError` where the file cannot be read, is not of its kind, or names nothing in the
    prefix; `UsageProblem` for an unknown kind.
    """
    if kind not in _FORMATS:
        raise UsageProblem(
            f"there is no import from {kind!r}", where="--from", remedy=nearest(kind, [*_FORMATS])
        )
    name, read = _FORMATS[kind]
    try:
        data = read_named(path, _AT_MOST)
    except OSError as error:
        raise TraceError(f"it {unreadable(error)}", where=path, remedy="Check its name") from None
    prefix = prefix.rstrip("/")
    entries, notes = read(data, Prefix(prefix))
    if not entries:
        raise TraceError(
            f"it names nothing in {prefix}, or is not {name}",
            where=path,
            remedy="Say with `--prefix` where the environment lay at the time, "
            "and with `--from` what the file is",
        )
    run = Run(
        prefix=prefix,
        recorders=(kind,),
        ended="imported",
        fingerprint=fingerprint(prefix),
        notes=(f"imported from {path}", *notes),
    )
    return Trace((run,), entries, path)


def _strace(data: bytes, prefix: Prefix) -> _Evidence:
    log = StraceLog(prefix)
    log.feed(data.decode("utf-8", "surrogateescape").splitlines())
    lost = f"{log.lost} calls named paths that could not be resolved: use `strace -f -y -s 65535`"
    return log.entries(), (lost,) if log.lost else ()


def _list(data: bytes, prefix: Prefix) -> _Evidence:
    """One path a line, or each ended by NUL (``find -print0``); relative ones to the prefix."""
    tally = Tally("list")
    outside = 0
    for line in data.split(b"\0") if b"\0" in data else data.splitlines():
        path = from_bytes(line)
        relative = prefix.relative(path) if path.startswith("/") else path.removeprefix("./")
        if relative and is_inside(relative):
            tally.add(relative, "open")
        else:
            outside += bool(path)
    note = f"{outside} paths outside the prefix were left out"
    return tally.entries(), (note,) if outside else ()


def _creport(data: bytes, prefix: Prefix) -> _Evidence:
    """slimtoolkit's ``creport.json``: what its monitors saw, and the files that it would keep."""
    try:
        document = parse_json(data)
    except ValueError:
        return {}, ()
    tally = Tally("creport")

    def add(path: object, kind: TraceKind, count: object = 1) -> None:
        relative = prefix.relative(path) if isinstance(path, str) and is_text(path) else None
        if relative and is_inside(relative):
            known = isinstance(count, int) and 0 < count < _COUNT_AT_MOST
            tally.add(relative, kind, int(count) if known else 1)  # type: ignore[call-overload]

    monitors = _object(_object(document).get("monitors"))
    for files in _object(_object(monitors.get("fan")).get("process_files")).values():
        for path, info in _object(files).items():
            facts = _object(info)
            add(path, "exec" if facts.get("execs") else "open", facts.get("event_count"))
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


_ARTIFACTS: Mapping[str, TraceKind] = {"Dir": "stat", "Symlink": "readlink"}
_FORMATS: Mapping[str, tuple[str, Callable[[bytes, Prefix], _Evidence]]] = {
    "strace": ("an strace log", _strace),
    "list": ("a list of paths", _list),
    "creport": ("a creport.json", _creport),
}
"""What can be imported: its name in a sentence, and its reader."""
