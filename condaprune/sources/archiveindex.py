"""Checks the members of an archive against each other and turns them into entries."""

from __future__ import annotations

from condaprune.errors import ArchiveError
from condaprune.formats.unpack_list import PROGRESS, UNPACK
from condaprune.model import Entry
from condaprune.paths import follow, parent, printable, sort_key
from condaprune.sources.members import Limits, Member, member_error

_REPEATED = (UNPACK, PROGRESS, "bin/activate", "bin/deactivate", "bin/activate.fish")
"""conda-pack adds these a second time to an environment that holds them; the last one counts."""


class Index:
    """The members of an archive in its order, each checked as it comes.

    `superseded` holds the positions of members that a later one replaces.
    """

    def __init__(self, where: str, limits: Limits) -> None:
        self.members: list[Member] = []
        self.superseded: set[int] = set()
        self._where, self._limits = where, limits
        self._at: dict[str, int] = {}
        self._implied: set[str] = {""}

    def add(self, member: Member) -> None:
        """Take in the next member. Errors: `ArchiveError` where it contradicts an earlier one."""
        path, where = member.path, self._where
        position = len(self.members)
        self.members.append(member)
        if not path:
            return  # the root itself
        earlier = self._at.get(path)
        if earlier is not None:
            self._repeat(member, earlier)
        if member.kind == "folder":
            self._implied.add(path)
        elif path in self._implied:
            raise member_error(where, path, "is not a folder, but earlier members lie in it")
        self._at[path] = position
        folder = parent(path)
        while folder not in self._implied:
            above = self._at.get(folder)
            if above is not None:
                kind = "a link" if self.members[above].kind == "link" else "not a folder"
                raise member_error(
                    where, path, f"lies below {printable(folder)!r}, which is {kind}"
                )
            self._implied.add(folder)
            folder = parent(folder)
        if member.linked:
            self._check_hard_link(member)

    def _repeat(self, member: Member, earlier: int) -> None:
        before = self.members[earlier]
        if member.kind == before.kind == "folder":
            return
        plain = member.kind == before.kind == "file" and not member.linked and not before.linked
        if plain and member.path.endswith(_REPEATED):
            self.superseded.add(earlier)
            return
        raise member_error(self._where, member.path, "appears twice")

    def _check_hard_link(self, member: Member) -> None:
        first = self._at.get(member.linked)
        if first is None or self.members[first].kind == "folder" or member.linked == member.path:
            raise member_error(
                self._where,
                member.path,
                f"is a hard link to {printable(member.linked)!r}, which is not an earlier file",
            )

    def content_of(self, path: str) -> str:
        """The path of the member that holds a file's content: its own or that of its hard link."""
        while linked := self.members[self._at[path]].linked:
            path = linked
        return path

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
            for path, target in targets.items():
                if follow(path, targets.get).outside:
                    raise member_error(
                        self._where,
                        f"{root}/{path}" if root else path,
                        f"is a link that leaves the root: {printable(target)!r}",
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
        for path, position in self._at.items():
            member = self.members[position]
            while member.linked:
                position = self._at[member.linked]
                member = self.members[position]
            holders[path] = position
            counts[position] = counts.get(position, 0) + 1
        found: list[Entry] = []
        for path, position in holders.items():
            if len(path) <= cut and cut:
                continue
            held, own = self.members[position], self.members[self._at[path]]
            found.append(
                Entry(
                    path[cut:],
                    held.kind,
                    held.size,
                    own.mode,
                    own.mtime * 1_000_000_000,
                    0,
                    position,
                    counts[position],
                    held.target,
                )
            )
        number = len(self.members)
        for path in self._implied:
            if path not in self._at and len(path) > cut:
                number += 1
                found.append(Entry(path[cut:], "folder", 0, 0o755, 0, 0, number, 1))
        found.sort(key=lambda entry: sort_key(entry.path))
        return {entry.path: entry for entry in found}
