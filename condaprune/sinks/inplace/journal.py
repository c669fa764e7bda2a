"""The journal of a run: all it will do, written down before the first change."""

from __future__ import annotations

import enum
import json
import stat
from base64 import b64decode, b64encode
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal, NamedTuple, Protocol

from condaprune.errors import SinkError
from condaprune.model import Entry, Kind, Patch

FORMAT = 3
CHANGED = "changed since the plan was made"
Mode = Literal["unlink", "move"]
_FORMAT = 0o170000
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


class StatLike(Protocol):
    """The fields of a stat that identify an entry."""

    @property
    def st_mode(self) -> int: ...
    @property
    def st_ino(self) -> int: ...
    @property
    def st_size(self) -> int: ...
    @property
    def st_mtime_ns(self) -> int: ...


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

    def matches(self, info: StatLike, resumed: bool = False) -> bool:
        """Whether an entry is still the one of the plan.

        A run that is *resumed* may see other inodes and coarser times: the prefix was copied with
        its journal, or committed to an image.
        """
        form = info.st_mode & _FORMAT
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

    A `patch` makes the content from that of the file replaced.
    """

    path: str
    data: bytes
    mode: int
    mtime_ns: int
    owner: tuple[int, int]
    replaces: Fingerprint | None
    patch: Patch | None = None

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


@dataclass(frozen=True, slots=True)
class Pruning:
    """One run as the status file has it: files and bytes before and after it, to the byte.

    `rules` are the rules (and ``--drop`` patterns) that removed something. Bytes are apparent,
    each hard-linked file once. Before the run ends, the last two are 0.
    """

    version: str
    profile: str
    rules: tuple[str, ...]
    files_before: int
    bytes_before: int
    files_after: int = 0
    bytes_after: int = 0

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Pruning:
        """The inverse of `to_json`. Errors: `KeyError`, `TypeError`, `ValueError`."""
        return cls(
            str(raw["version"]),
            str(raw["profile"]),
            tuple(str(rule) for rule in raw["rules"]),
            int(raw["files_before"]),
            int(raw["bytes_before"]),
            int(raw.get("files_after", 0)),
            int(raw.get("bytes_after", 0)),
        )

    def to_json(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "version": self.version,
            "profile": self.profile,
            "rules": list(self.rules),
            "files_before": self.files_before,
            "files_after": self.files_after,
            "bytes_before": self.bytes_before,
            "bytes_after": self.bytes_after,
        }


@dataclass(frozen=True, slots=True)
class Journal:
    """One run: the entries that go, in this order, the files to write, the times of folders.

    `mode` is ``unlink`` (a run only goes forward) or ``move`` (entries are set aside first and
    can be put back). `verified` is true for a run that is undone unless its verification has
    passed. `made` are folders to make, `times` the modification times of every folder the run
    touches, `stamp_ns` that of the files it makes. The prefix itself has the path ``""``.
    `pruning` is the entry for the status file, as far as it is known beforehand.
    """

    mode: Mode
    verified: bool
    removals: tuple[Fingerprint, ...]
    rewrites: tuple[Rewrite, ...]
    status: Rewrite
    made: tuple[str, ...]
    times: tuple[tuple[str, int], ...]
    stamp_ns: int
    owner: tuple[int, int]
    pruning: Pruning

    @property
    def root_mtime_ns(self) -> int | None:
        """The modification time of the prefix before the run."""
        return next((time for path, time in self.times if not path), None)


def dump(journal: Journal) -> bytes:
    """A journal as JSON; bytes of paths that are not UTF-8 become lone surrogates."""
    return json.dumps(
        {
            "format": FORMAT,
            "mode": journal.mode,
            "verified": journal.verified,
            "facts": journal.pruning.to_json(),
            "stamp_ns": journal.stamp_ns,
            "owner": journal.owner,
            "made": journal.made,
            "times": journal.times,
            "status": _row(journal.status),
            "rewrites": [_row(rewrite) for rewrite in journal.rewrites],
            "removals": journal.removals,
        },
        separators=(",", ":"),
    ).encode("ascii")


def load(data: bytes, where: str) -> Journal:
    """The journal in *data*. Errors: `SinkError` for another format, and for a damaged journal."""
    try:
        raw: dict[str, Any] = json.loads(data)
        if raw["format"] != FORMAT:
            raise SinkError(
                f"an interrupted run left a journal of format {raw['format']}",
                where=where,
                remedy="Run the version of condaprune that began it",
            )
        return Journal(
            mode=raw["mode"],
            verified=raw["verified"],
            removals=tuple(Fingerprint(*row) for row in raw["removals"]),
            rewrites=tuple(_rewrite(row) for row in raw["rewrites"]),
            status=_rewrite(raw["status"]),
            made=tuple(raw["made"]),
            times=tuple((path, mtime_ns) for path, mtime_ns in raw["times"]),
            stamp_ns=raw["stamp_ns"],
            owner=(raw["owner"][0], raw["owner"][1]),
            pruning=Pruning.from_json(raw["facts"]),
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise SinkError(
            f"the journal of an interrupted run is damaged ({error})",
            where=where,
            remedy="Install the environment anew; the removed files are still in that folder",
        ) from error


def _row(rewrite: Rewrite) -> list[object]:
    patch = rewrite.patch
    return [
        rewrite.path,
        _text(rewrite.data),
        rewrite.mode,
        rewrite.mtime_ns,
        rewrite.owner,
        rewrite.replaces,
        None if patch is None else [_text(patch.head), patch.end, _text(patch.tail)],
    ]


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _rewrite(row: list[Any]) -> Rewrite:
    path, content, mode, mtime_ns, owner, replaces, patch = row
    return Rewrite(
        path,
        b64decode(content),
        mode,
        mtime_ns,
        (owner[0], owner[1]),
        None if replaces is None else Fingerprint(*replaces),
        None if patch is None else Patch(b64decode(patch[0]), patch[1], b64decode(patch[2])),
    )
