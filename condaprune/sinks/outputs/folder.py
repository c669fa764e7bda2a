"""Writes members as a folder: files of their own, shared with nothing."""

from __future__ import annotations

import os

from condaprune.errors import UsageProblem
from condaprune.paths import parent, to_bytes
from condaprune.sinks.attributes import note_on_lost, set_all
from condaprune.sinks.outputs.carried import HELD_BY_TAR
from condaprune.sinks.outputs.format import Format, Job, Writer
from condaprune.sinks.outputs.members import FileBody, file_changed
from condaprune.sinks.outputs.options import OutputOptions
from condaprune.sinks.outputs.places import Place, new_folder
from condaprune.sources.base import Body, Member

_FICLONE = 0x40049409
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def _check(options: OutputOptions) -> None:
    if options.level is not None:
        raise UsageProblem(
            "a folder is not compressed", where="--compress-level", remedy="Leave it out"
        )


class FolderWriter(Writer):
    """Writes below the open folder *root*, which is empty; *owner* gets everything, where given.

    Files are cloned where the file system can, else copied; hard links are made between members
    only, so that rewriting a file here changes nothing elsewhere. Links and times come last:
    nothing is ever written through a link, and a folder keeps its time.
    """

    holds = HELD_BY_TAR

    def __init__(self, root: int, owner: tuple[int, int] | None = None) -> None:
        self._root = root
        self._owner = owner
        self._made: set[str] = {""}
        self._links: list[Member] = []
        self._folders: list[Member] = []
        self._clones = True
        self._lost: dict[str, str] = {}

    def add(self, member: Member, body: Body) -> None:
        if member.kind == "folder":
            self._folder(member.path)
            self._folders.append(member)
            return
        self._folder(parent(member.path))
        if member.kind == "link":
            self._links.append(member)
            return
        path, root = to_bytes(member.path), self._root
        if member.linked:
            os.link(
                to_bytes(member.linked), path,
                src_dir_fd=root, dst_dir_fd=root, follow_symlinks=False,
            )  # fmt: skip
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(path, flags, 0o600, dir_fd=root)
        try:
            if self._content(handle, body) != member.size:
                raise file_changed(member.path)
            self._stamp(handle, member)
        finally:
            os.close(handle)

    def finish(self) -> None:
        for member in self._links:
            path = to_bytes(member.path)
            os.symlink(to_bytes(member.target), path, dir_fd=self._root)
            self._stamp_link(path, member)
        for member in reversed(self._folders):  # the inner ones first
            handle = os.open(to_bytes(member.path), _FOLDER, dir_fd=self._root)
            try:
                self._stamp(handle, member)
            finally:
                os.close(handle)
        self.notes = tuple(note_on_lost(self._lost, "could not be set"))

    def _stamp(self, handle: int, member: Member) -> None:
        """Give an open file or folder its owner, permissions and time."""
        if self._owner is not None:
            os.chown(handle, *self._owner)
        os.chmod(handle, member.mode)
        if member.attributes:  # after the owner: that takes capabilities off
            for name in set_all(handle, member.attributes):
                self._lost.setdefault(member.path, name)
        os.utime(handle, (member.mtime, member.mtime))

    def _stamp_link(self, path: bytes, member: Member) -> None:
        if self._owner is not None:
            os.chown(path, *self._owner, dir_fd=self._root, follow_symlinks=False)
        times = (member.mtime, member.mtime)
        os.utime(path, times, dir_fd=self._root, follow_symlinks=False)

    def _folder(self, path: str) -> None:
        if path not in self._made:
            self._folder(parent(path))
            os.mkdir(to_bytes(path), dir_fd=self._root)
            self._made.add(path)

    def _content(self, handle: int, body: Body) -> int:
        if isinstance(body, FileBody) and self._clones:
            if _clone(handle, body.handle):
                body.check()
                return os.fstat(handle).st_size
            self._clones = False
        size = 0
        for piece in body:
            view = memoryview(piece)
            size += len(view)
            while view:
                view = view[os.write(handle, view) :]
        return size


def _clone(target: int, source: int) -> bool:
    """Share the blocks of a file until one side writes, as btrfs, xfs and overlays on them can."""
    import fcntl

    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def _open(place: Place, job: Job) -> FolderWriter:
    owner = job.options.owner
    return FolderWriter(place.folder, owner if owner != (0, 0) else None)


FORMAT = Format("folder", (), _open, _check, new_folder, keeps_root=False)
