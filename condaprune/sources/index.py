"""The members of an archive as they come, each checked against the others, and their entries."""

from __future__ import annotations

from functools import partial

from condaprune.errors import ArchiveError
from condaprune.formats.unpack_list import SCRIPTS
from condaprune.model import Entry
from condaprune.paths import parent, printable, sort_key
from condaprune.sources.base import Limits, Member, member_error
from condaprune.sources.links import links_out

_SHOWN = 200
_HEADER = 512
"""What a member counts besides its name, in bytes."""
_IMPLIED, _IMPLIED_RATE = 1 << 20, 4
"""How many bytes the names of folders without members of their own may take: so many, and this
times the bytes of the members' names and headers. They grow with the square of their depth."""


def _shortened(target: str) -> str:
    return printable(target if len(target) <= _SHOWN else f"{target[:_SHOWN]}...")


class Index:
    """The members of an archive in its order, each checked as it comes.

    `superseded` holds the positions of members that a later one replaces.
    """

    def __init__(self, where: str, limits: Limits) -> None:
        self.members: list[Member] = []
        self.superseded: set[int] = set()
        self._where, self._limits = where, limits
        self._error = partial(member_error, where)
        self._at: dict[str, int] = {}
        self._implied: set[str] = {""}
        self._implied_bytes = self._named_bytes = 0
        self._holders: dict[str, str] = {}
        self._shared: set[str] = set()

    def add(self, member: Member) -> None:
        """Take in the next member. Errors: `ArchiveError` where it contradicts an earlier one."""
        path = member.path
        position = len(self.members)
        self.members.append(member)
        self._named_bytes += len(path) + len(member.target) + len(member.linked)
        if not path:
            return  # the root itself
        earlier = self._at.get(path)
        if earlier is not None:
            self._repeat(member, earlier)
        if member.kind == "folder":
            self._implied.add(path)
        elif path in self._implied:
            raise self._error(path, "is not a folder, but earlier members lie in it")
        self._at[path] = position
        folder = parent(path)
        while folder not in self._implied:
            above = self._at.get(folder)
            if above is not None:
                kind = "a link" if self.members[above].kind == "link" else "not a folder"
                raise self._error(path, f"lies below {printable(folder)!r}, which is {kind}")
            self._implied.add(folder)
            self._implied_bytes += len(folder)
            folder = parent(folder)
        self._check_names(path)
        if member.linked:
            self._check_hard_link(member)

    def _check_names(self, path: str) -> None:
        implied = self._implied_bytes
        if implied > _IMPLIED:
            given = self._named_bytes + _HEADER * len(self.members)
            if implied > _IMPLIED + _IMPLIED_RATE * given:
                raise self._error(path, "lies in folders whose names are too long for so few files")
        entries, names = len(self.members) + len(self._implied), self._named_bytes + implied
        self._limits.check(self._where, entries=entries, names=names, member=path)

    def _repeat(self, member: Member, earlier: int) -> None:
        before = self.members[earlier]
        if member.kind == before.kind == "folder":
            return
        plain = member.kind == before.kind == "file" and not member.linked and not before.linked
        if plain and member.path not in self._shared and member.path.endswith(SCRIPTS):
            self.superseded.add(earlier)
            return
        raise self._error(member.path, "appears twice")

    def _check_hard_link(self, member: Member) -> None:
        first = self._at.get(member.linked)
        if first is None or self.members[first].kind == "folder" or member.linked == member.path:
            raise self._error(
                member.path,
                f"is a hard link to {printable(member.linked)!r}, which is not an earlier file",
            )
        holder = self._holders[member.path] = self._holders.get(member.linked, member.linked)
        self._shared.add(holder)

    def content_of(self, path: str) -> str:
        """The path of the member that holds a file's content: its own or that of its hard link."""
        return self._holders.get(path, path)

    def finish(self) -> tuple[str, dict[str, Entry]]:
        """The folder all members lie in (empty for none), and the entries below it, in order.

        Errors: `ArchiveError` for links that leave the root, and where no environment is found.
        """
        root = self._root()
        entries = self._entries(root)
        if "conda-meta" not in entries:
            raise ArchiveError(
                "holds no conda environment: it has no conda-meta folder",
                where=self._where,
                remedy="Name an archive that conda-pack or condaprune made",
            )
        if not self._limits.links_out:
            targets = {p: e.target for p, e in entries.items() if e.kind == "link"}
            for path in links_out(targets):
                raise self._error(
                    f"{root}/{path}" if root else path,
                    f"is a link that leaves the root: {_shortened(targets[path])!r}",
                    "If you trust the archive, allow it with --links-out",
                )
        return root, entries

    def _root(self) -> str:
        if "conda-meta" in self._implied or "conda-meta" in self._at:
            return ""
        tops = {path.partition("/")[0] for path in self._at}
        if len(tops) == 1:
            top = tops.pop()
            if f"{top}/conda-meta" in self._implied:
                return top
        return ""

    def _entries(self, root: str) -> dict[str, Entry]:
        """One entry a path; folders that are only implied are mode 0755 and of no time."""
        cut = len(root) + 1 if root else 0
        holders: dict[str, int] = {}
        counts: dict[int, int] = {}
        for path in self._at:
            position = self._at[self.content_of(path)]
            holders[path] = position
            counts[position] = counts.get(position, 0) + 1
        entries: list[Entry] = []
        for path, position in holders.items():
            if len(path) <= cut and cut:
                continue
            content, member = self.members[position], self.members[self._at[path]]
            entries.append(
                Entry(
                    path[cut:],
                    content.kind,
                    content.size,
                    member.mode,
                    member.mtime * 1_000_000_000,
                    0,
                    position,
                    counts[position],
                    content.target,
                )
            )
        number = len(self.members)
        for path in self._implied:
            if path not in self._at and len(path) > cut:
                number += 1
                entries.append(Entry(path[cut:], "folder", 0, 0o755, 0, 0, number, 1))
        entries.sort(key=lambda entry: sort_key(entry.path))
        return {entry.path: entry for entry in entries}
