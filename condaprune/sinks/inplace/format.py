"""What a run will do, as it is written down before the first change."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal, NamedTuple

from condaprune.errors import SinkError
from condaprune.formats.patch import Patch
from condaprune.model import Entry, Kind

FORMAT = 3
Mode = Literal["unlink", "move"]


class Known(NamedTuple):
    """An entry as it was when the plan was made; it is touched only while it is still that.

    A named tuple, since there is one for each entry that goes.
    """

    path: str
    kind: Kind
    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, entry: Entry) -> Known:
        """What identifies an entry of an inventory."""
        return tuple.__new__(cls, _IDENTIFYING(entry))


_IDENTIFYING = itemgetter(*map(Entry._fields.index, Known._fields))


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A file to write: its content, permission bits, time, and what it replaces.

    Where there is a `patch` it makes the content from that of the file replaced.
    """

    path: str
    data: bytes
    mode: int
    mtime_ns: int
    owner: tuple[int, int]
    replaces: Known | None
    patch: Patch | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What `condaprune status` tells about a run; `bytes_before` was measured, not planned."""

    version: str
    profile: str
    rules: tuple[str, ...]
    files_before: int
    bytes_before: int


@dataclass(frozen=True, slots=True)
class Journal:
    """One run: what goes, in that order, what is written, and the times that folders get back.

    `mode` is ``unlink`` (a run only goes forward) or ``move`` (what goes is set aside first and
    can be put back). `verified` is true for a run that is undone unless its verification has
    passed. `made` are folders to make, `times` the modification times of every folder the run
    touches, `stamp_ns` that of the files it makes. The prefix itself has the path ``""``.
    """

    mode: Mode
    verified: bool
    removals: tuple[Known, ...]
    rewrites: tuple[Rewrite, ...]
    status: Rewrite
    made: tuple[str, ...]
    times: tuple[tuple[str, int], ...]
    stamp_ns: int
    owner: tuple[int, int]
    facts: Facts

    @property
    def root_mtime_ns(self) -> int | None:
        """The modification time of the prefix before the run."""
        return next((time for path, time in self.times if not path), None)


def dump(journal: Journal) -> bytes:
    """A journal as JSON; bytes of paths that are no UTF-8 stand as lone surrogates."""
    return json.dumps(
        {
            "format": FORMAT,
            "mode": journal.mode,
            "verified": journal.verified,
            "facts": {
                "version": journal.facts.version,
                "profile": journal.facts.profile,
                "rules": journal.facts.rules,
                "files_before": journal.facts.files_before,
                "bytes_before": journal.facts.bytes_before,
            },
            "stamp_ns": journal.stamp_ns,
            "owner": journal.owner,
            "made": journal.made,
            "times": journal.times,
            "status": _rewrite_row(journal.status),
            "rewrites": [_rewrite_row(rewrite) for rewrite in journal.rewrites],
            "removals": journal.removals,
        },
        separators=(",", ":"),
    ).encode("ascii")


def load(data: bytes, where: str) -> Journal:
    """The journal in *data*. Errors: `SinkError` for one of another format, or a damaged one."""
    try:
        raw: dict[str, Any] = json.loads(data)
        if raw["format"] != FORMAT:
            raise SinkError(
                f"an interrupted run left a journal of format {raw['format']}",
                where=where,
                remedy="Run the version of condaprune that began it",
            )
        facts = raw["facts"]
        return Journal(
            mode=raw["mode"],
            verified=raw["verified"],
            removals=tuple(Known(*row) for row in raw["removals"]),
            rewrites=tuple(_rewrite(row) for row in raw["rewrites"]),
            status=_rewrite(raw["status"]),
            made=tuple(raw["made"]),
            times=tuple((path, mtime_ns) for path, mtime_ns in raw["times"]),
            stamp_ns=raw["stamp_ns"],
            owner=(raw["owner"][0], raw["owner"][1]),
            facts=Facts(
                facts["version"],
                facts["profile"],
                tuple(facts["rules"]),
                facts["files_before"],
                facts["bytes_before"],
            ),
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise SinkError(
            f"the journal of an interrupted run is damaged ({error})",
            where=where,
            remedy="Install the environment anew; what was set aside is still in that folder",
        ) from error


def _rewrite_row(rewrite: Rewrite) -> list[object]:
    return [
        rewrite.path,
        b64encode(rewrite.data).decode("ascii"),
        rewrite.mode,
        rewrite.mtime_ns,
        rewrite.owner,
        rewrite.replaces,
        _patch_row(rewrite.patch),
    ]


def _patch_row(patch: Patch | None) -> list[object] | None:
    if patch is None:
        return None
    head, tail = (b64encode(data).decode("ascii") for data in (patch.head, patch.tail))
    return [head, patch.end, tail]


def _rewrite(row: list[Any]) -> Rewrite:
    path, content, mode, mtime_ns, owner, replaces, patch = row
    return Rewrite(
        path,
        b64decode(content),
        mode,
        mtime_ns,
        (owner[0], owner[1]),
        None if replaces is None else Known(*replaces),
        None if patch is None else Patch(b64decode(patch[0]), patch[1], b64decode(patch[2])),
    )
