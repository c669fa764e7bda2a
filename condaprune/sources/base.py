"""The protocols of a source, and the parts of an archive: members and their contents."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from condaprune.errors import ArchiveError
from condaprune.model import Buffer, Entry, Inventory, Kind
from condaprune.paths import printable, to_bytes

Body = Iterable[Buffer]
"""The content of a member in pieces; it may be passed through once only."""

NO_BODY: Body = ()
CHUNK = 1 << 20
"""How many bytes of a big file are handled at a time."""

LONGEST = 4096
"""The most bytes of a path or of the target of a link: what Linux takes (PATH_MAX)."""
DEEPEST = 256
"""The most folders that an entry of an archive or a path list lies in; real ones lie in twenty."""
_NAME = 256
"""How many bytes of names there may be for each member that `Limits` allow."""

SourceKind = Literal["prefix", "archive", "path list"]


class Contents(Protocol):
    """Read access to the contents of an environment's files; it never writes."""

    def read(self, path: str) -> bytes:
        """The content of one file. Errors: `SourceError` where it cannot be read."""
        ...

    def read_many(self, paths: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """The contents of files, each once, in whatever order is cheapest for the source.

        A stream (a compressed tar) is passed through once for all of them: ask for everything
        that is needed in one call.
        """
        ...


@runtime_checkable
class Parts(Protocol):
    """What a source may offer besides `Contents`: a part of a file for little."""

    def read_part(self, path: str, offset: int, size: int) -> bytes:
        """The bytes at an offset, fewer where the file ends. Errors: `SourceError`."""
        ...


@runtime_checkable
class Streamed(Protocol):
    """A source that is passed through, unlike one that is read at random."""

    def holds(self, paths: Collection[str]) -> bool:
        """Whether files can be read, as far as they matter, without passing through."""
        ...

    def has_compiler(self, path: str) -> bool | None:
        """Whether a library has a compiler in it; None where the source did not look."""
        ...


class MemberStream(Protocol):
    """An archive's members in its own order, each passing by once.

    `arcroot` is the folder around all members, empty for none.
    """

    arcroot: str

    def forget(self) -> None:
        """Free the memory that planning needed."""
        ...

    def stream(self) -> Iterator[tuple[Entry, Member, Body]]:
        """Each entry that has a member, with its content. Errors: `ArchiveError`."""
        ...


class Source(Contents, Protocol):
    """An environment that can be read.

    `label` is how the user named it, `prefix` the folder it lies in (empty for an archive and a
    path list). `readable` says whether its files have contents, which those of a path list have
    not.
    """

    label: str
    kind: SourceKind
    prefix: str
    readable: bool

    def inventory(self) -> Inventory:
        """All entries with their owners. Errors: `SourceError`, `ArchiveError`."""
        ...

    def members(self) -> MemberStream | None:
        """The archive that the environment is in; None where it can be read in any order."""
        ...


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an archive.

    `path` is relative to the archive's root, `mode` the permission bits, `mtime` whole seconds.
    `target` is where a symbolic link points; `linked` the path of the earlier member that a
    hard link repeats (its `size` is 0 then). `attributes` are extended attributes, by name; of an
    archive that is read it is the name of one, without its value.
    """

    path: str
    kind: Kind
    size: int
    mode: int
    mtime: int
    target: str = ""
    linked: str = ""
    attributes: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an archive may ask for before it is taken for a bomb.

    `entries` and `size` (bytes, unpacked) bound the whole archive; `ratio` its growth on
    unpacking, looked at from `ratio_from` unpacked bytes on. `links_out` lets symbolic links
    point out of the root; they are kept as they are and never followed.
    """

    entries: int = 2_000_000
    size: int = 256 << 30
    ratio: int = 300
    ratio_from: int = 512 << 20
    links_out: bool = False

    def check(
        self,
        where: str,
        *,
        entries: int = 0,
        names: int = 0,
        size: int = 0,
        packed: int = 0,
        member: str = "",
    ) -> None:
        """Refuse an archive of so many members, bytes of names, unpacked and packed so far.

        *member* is the one it has got to. Errors: `ArchiveError`.
        """
        if entries > self.entries:
            what, option = f"more than {self.entries:,} members", "--max-entries"
        elif names > self.entries * _NAME:
            what, option = f"more than {self.entries * _NAME:,} bytes of names", "--max-entries"
        elif size > self.size:
            what, option = f"more than {self.size:,} bytes", "--max-size"
        elif size > self.ratio_from and size > self.ratio * max(packed, 1):
            what, option = f"more than {self.ratio} times its size", "--max-ratio"
        else:
            return
        raise ArchiveError(
            f"the archive unpacks to {what}" + (f" (at member {member!r})" if member else ""),
            where=where,
            remedy=f"If you trust it, raise the limit with {option}",
        )


def member_error(archive: str, member: str | bytes, what: str, remedy: str = "") -> ArchiveError:
    """The error about one member of an archive, which it names."""
    name = member if isinstance(member, str) else member.decode("utf-8", "surrogateescape")
    if len(name) > 300:
        name = f"{name[:140]}...{name[-140:]}"
    return ArchiveError(
        f"member {printable(name)!r} {what}",
        where=archive,
        remedy=remedy or "Pack the environment again with conda-pack or condaprune",
    )


def clean_path(archive: str, name: str) -> str:
    """A member's name as a path below the root; empty for the root itself.

    Errors: `ArchiveError` for an absolute name, one with ``..`` or a NUL byte, one that no file
    system takes, and one below more than `DEEPEST` folders.
    """
    if not name or name[0] == "/":
        raise member_error(archive, name, "has an absolute name" if name else "has no name")
    if "\0" in name:
        raise member_error(archive, name, "has a NUL byte in its name")
    if len(name) > 2 * DEEPEST:
        if len(name) > LONGEST or len(to_bytes(name)) > LONGEST:
            raise member_error(archive, name, f"has a name of more than {LONGEST} bytes")
        if name.count("/") > DEEPEST:
            raise member_error(archive, name, f"lies in more than {DEEPEST} folders")
    if ".." not in name and "//" not in name and "./" not in name and name[-1] not in "/.":
        return name
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise member_error(archive, name, "has '..' in its name")
    return "/".join(parts)
