"""The files of one prefix as a listing that can follow links without leaving the prefix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from condaprune.model import Entry
from condaprune.paths import parent, to_bytes
from condaprune.sources.walk import walk

_LINKS_AT_MOST = 40


@dataclass(frozen=True, slots=True)
class Listing:
    """All entries of a prefix; `root` is its absolute path without a trailing slash.

    `aliases` are further absolute paths that mean the same prefix to a link or an RPATH written
    when the environment lay elsewhere.
    """

    root: str
    entries: Mapping[str, Entry]
    aliases: tuple[str, ...] = ()

    def __contains__(self, path: str) -> bool:
        return path in self.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def absolute(self, path: str) -> str:
        """Where an entry lies on this machine."""
        return f"{self.root}/{path}"

    def inside(self, absolute: str) -> str | None:
        """The relative path of an absolute one, or None where it lies outside of the prefix."""
        for root in (self.root, *self.aliases):
            if absolute == root:
                return ""
            if absolute.startswith(root + "/"):
                return normalise(absolute[len(root) + 1 :])
        return None

    def resolve(self, path: str) -> str | None:
        """The entry that a path leads to through any links, or None where it leads nowhere.

        A link that leads out of the prefix is answered by the path that was asked for: what lies
        outside is not the environment's to lose.
        """
        pending = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        done: list[str] = []
        hops = 0
        while pending:
            part = pending.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if not done:
                    return path
                done.pop()
                continue
            here = "/".join([*done, part])
            entry = self.entries.get(here)
            if entry is None:
                return None
            if entry.kind != "link":
                done.append(part)
                continue
            hops += 1
            if hops > _LINKS_AT_MOST:
                return None
            target = entry.target
            if target.startswith("/"):
                within = self.inside(target)
                if within is None:
                    return path
                done, target = [], within
            pending.extend(reversed(target.split("/")))
        return "/".join(done)

    def chain(self, path: str) -> list[str]:
        """The paths that a link names, one link after the other; empty for other entries."""
        found: list[str] = []
        entry = self.entries.get(path)
        while entry is not None and entry.kind == "link" and len(found) < _LINKS_AT_MOST:
            if entry.target.startswith("/"):
                named = self.inside(entry.target)
            else:
                named = normalise(f"{parent(entry.path)}/{entry.target}")
            if named is None:
                break
            found.append(named)
            entry = self.entries.get(named)
        return found

    def is_file(self, path: str) -> bool:
        """Whether a path leads to a file of the prefix."""
        found = self.resolve(path)
        entry = self.entries.get(found) if found else None
        return entry is not None and entry.kind == "file"

    def read(self, path: str, size: int = -1) -> bytes:
        """The content of an entry, links followed; empty where it cannot be read."""
        try:
            with open(to_bytes(self.absolute(path)), "rb") as file:
                return file.read(size)
        except OSError:
            return b""

    def folders_with(self, suffixes: tuple[str, ...]) -> frozenset[str]:
        """All folders that hold, at any depth, a file whose name ends with one of *suffixes*."""
        found: set[str] = set()
        for path, entry in self.entries.items():
            if entry.kind != "folder" and path.endswith(suffixes):
                folder = parent(path)
                while folder and folder not in found:
                    found.add(folder)
                    folder = parent(folder)
        return frozenset(found)


def list_prefix(root: str, aliases: tuple[str, ...] = ()) -> Listing:
    """The listing of the prefix at *root*. Errors: `SourceError` where it cannot be read."""
    return Listing(root, walk(to_bytes(root)), tuple(a for a in aliases if a and a != root))


def normalise(path: str) -> str:
    """A relative path without ``.``, ``..`` and doubled slashes; leading ``..`` stay."""
    parts: list[str] = []
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def changed(before: Listing, after: Listing) -> tuple[str, ...]:
    """The paths whose entry is new, gone or different between two listings of one prefix.

    Folders count as different only by being new or gone: their times move with their content.
    """
    paths = []
    for path in {**before.entries, **after.entries}:
        old, new = before.entries.get(path), after.entries.get(path)
        if (
            old is None
            or new is None
            or (
                old.kind != "folder"
                and (
                    (old.kind, old.size, old.mtime_ns, old.inode, old.target)
                    != (new.kind, new.size, new.mtime_ns, new.inode, new.target)
                )
            )
        ):
            paths.append(path)
    return tuple(paths)
