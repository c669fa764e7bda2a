"""The journal of a run: all it will do, written down before the first change."""

from __future__ import annotations

import enum
import json
import os
import stat
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass, fields
from functools import cache
from operator import itemgetter
from types import UnionType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from condaprune.edit import Patch
from condaprune.errors import SinkError
from condaprune.model import Entry, Kind
from condaprune.parse import parse_json
from condaprune.paths import printable
from condaprune.sinks.inplace.filesystem import EntryStat

FORMAT = 4
LIMIT = 256 << 20
"""The most bytes of a journal: those of more than a million entries."""
STATUS = "conda-meta/condaprune/status.json"
_MOST_FORMATS = 1000
_MOST_SECONDS = 1 << 63
CHANGED = "changed since the plan was made"
Mode = Literal["unlink", "move"]
_FORMS = {"folder": stat.S_IFDIR, "link": stat.S_IFLNK}
_SECOND = 1_000_000_000


class Phase(enum.Enum):
    """How far a run has come.

    APPLY: being carried out, or waiting for its verification. KEPT: carried out, and the removed
    entries are still set aside. UNDO: being undone. DROP: verified, and the entries set aside are
    being deleted.
    """

    APPLY = "apply"
    KEPT = "kept"
    UNDO = "undo"
    DROP = "drop"

    @property
    def file(self) -> bytes:
        """The name of the journal in this phase."""
        return b"journal." + self.value.encode("ascii")


class Fingerprint(NamedTuple):
    """An entry as it was when the plan was made; it is touched only while it is still that.

    A named tuple, since there is one for each entry that goes.
    """

    path: str
    kind: Kind
    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, entry: Entry) -> Fingerprint:
        """The fingerprint of an entry of an inventory."""
        return tuple.__new__(cls, _IDENTIFYING(entry))

    def matches(self, info: os.stat_result | EntryStat, resumed: bool = False) -> bool:
        """Whether an entry is still the one of the plan.

        A run that is *resumed* may see other inodes and coarser times: the prefix was copied with
        its journal, or committed to an image.
        """
        form = stat.S_IFMT(info.st_mode)
        if form != _FORMS.get(self.kind, stat.S_IFREG):
            return False
        if form == stat.S_IFDIR:
            return True
        if info.st_size != self.size:
            return False
        if info.st_mtime_ns == self.mtime_ns:
            return resumed or info.st_ino == self.inode
        whole = info.st_mtime_ns % _SECOND == 0
        return resumed and whole and info.st_mtime_ns // _SECOND == self.mtime_ns // _SECOND


_IDENTIFYING = itemgetter(*map(Entry._fields.index, Fingerprint._fields))


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A file to write: its content, permission bits, time, owner, and the file it replaces.

    A `patch` makes the content from that of the file replaced, whose SHA-256 is `source` where it
    matters. Owner and permissions are for a file that replaces none; any other takes those of the
    one it replaces. In a journal it is a list of these fields in this order.
    """

    path: str
    data: bytes
    mode: int
    mtime_ns: int
    owner: tuple[int, int]
    replaces: Fingerprint | None
    patch: Patch | None = None
    source: bytes = b""

    @property
    def size(self) -> int:
        """The bytes of the new content."""
        if self.patch is None or self.replaces is None:
            return len(self.data)
        return self.patch.size(self.replaces.size)

    def wrote(self, data: bytes) -> bool:
        """Whether *data* is the new content, as far as a patch can say."""
        if self.patch is not None and self.replaces is not None:
            return self.patch.made(data, self.replaces.size)
        return data == self.data


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """One run as the status file has it: files and bytes before and after it, to the byte.

    `rules` are the rules (and ``--drop`` patterns) that removed something. Bytes are apparent,
    each hard-linked file once. Before the run ends, those after it are 0.
    """

    version: str
    profile: str
    rules: tuple[str, ...]
    files_before: int
    files_after: int = 0
    bytes_before: int
    bytes_after: int = 0


@dataclass(frozen=True, slots=True)
class Journal:
    """One run: the entries that go, in this order, the files to write, the times of folders.

    `mode` is ``unlink`` (a run only goes forward) or ``move`` (entries are set aside first and
    can be put back). `verified` is true for a run that is undone unless its verification has
    passed. `made` are folders to make, `times` the modification times of every folder the run
    touches, `stamp_ns` that of the files it makes. The prefix itself has the path ``""``.
    `facts` is the entry for the status file, as far as it is known beforehand.
    """

    mode: Mode
    verified: bool
    facts: Pruning
    stamp_ns: int
    owner: tuple[int, int]
    made: tuple[str, ...]
    times: tuple[tuple[str, int], ...]
    status: Rewrite
    rewrites: tuple[Rewrite, ...]
    removals: tuple[Fingerprint, ...]

    @property
    def root_mtime_ns(self) -> int | None:
        """The modification time of the prefix before the run."""
        return next((time for path, time in self.times if not path), None)


def is_time(time_ns: int) -> bool:
    """Whether a file system can have a time, in nanoseconds: its seconds are of 64 bits."""
    return -_MOST_SECONDS <= time_ns // _SECOND < _MOST_SECONDS


def dump(journal: Journal) -> bytes:
    """A journal as JSON; bytes of paths that are not UTF-8 become lone surrogates."""
    values = dict(zip(_types(Journal), _values(journal), strict=True))
    values["facts"] = asdict(journal.facts)
    text = json.dumps({"format": FORMAT, **values}, default=_plain, separators=(",", ":"))
    return text.encode("ascii")


def load(data: bytes, where: str) -> Journal:
    """The journal in *data*. Errors: `SinkError` for another format, and for a damaged journal."""
    try:
        raw = parse_json(data)
        if not isinstance(raw, dict):
            raise ValueError("is no JSON object")
        number = raw["format"]
        if type(number) is int and number != FORMAT and 0 <= number < _MOST_FORMATS:
            raise SinkError(
                f"an interrupted run left a journal of format {number}",
                where=where,
                remedy="Run the version of condaprune that began it, or give it up with "
                "`condaprune undo ENV --discard-journal`",
            )
        if number != FORMAT:
            raise ValueError("has no format")
        journal: Journal = read(Journal, raw)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise SinkError(
            f"this journal of a run is damaged ({printable(str(error))})",
            where=where,
            remedy="`condaprune undo ENV --discard-journal` gives it up and keeps what it had set "
            "aside; or install the environment anew",
        ) from error
    return journal


def _plain(value: object) -> object:
    """What JSON has for bytes (Base64) and for a row: the values of its fields."""
    return b64encode(value).decode("ascii") if isinstance(value, bytes) else _values(value)


def _values(row: Any) -> list[object]:
    return [getattr(row, field.name) for field in fields(row)]


def read(kind: Any, raw: Any) -> Any:
    """The value of the type *kind* that *raw* JSON stands for: a record as an object or as a row.

    Keys of an object that the type does not have are passed over. Errors: `TypeError`,
    `ValueError`.
    """
    if type(raw) is kind:
        return raw
    if kind is bytes and isinstance(raw, str):
        return b64decode(raw, validate=True)
    arguments = get_args(kind)
    origin = get_origin(kind)
    if origin is Literal and raw in arguments:
        return raw
    if origin is UnionType:  # with None
        return None if raw is None else read(arguments[0], raw)
    if origin is tuple and isinstance(raw, list):
        kinds = arguments[:1] * len(raw) if arguments[-1] is ... else arguments
        return tuple(read(item, part) for item, part in zip(kinds, raw, strict=True))
    types = _types(kind)
    if types and isinstance(raw, list):
        return kind(*(read(item, part) for item, part in zip(types.values(), raw, strict=True)))
    if types and isinstance(raw, dict):
        return kind(**{key: read(item, raw[key]) for key, item in types.items() if key in raw})
    raise ValueError(f"{raw!r:.80} is out of place")


@cache
def _types(kind: Any) -> dict[str, Any]:
    """The fields of a dataclass or named tuple with their types; of any other type nothing."""
    return get_type_hints(kind) if isinstance(kind, type) else {}
