"""Writes a squashfs image by feeding a tar to ``mksquashfs``, without a copy on disk."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import replace

from condaprune.errors import SinkError, UsageProblem
from condaprune.paths import parent
from condaprune.sinks.outputs.compress import thread_count
from condaprune.sinks.outputs.tarwriter import TarWriter
from condaprune.sources.members import NO_BODY, Body, Buffer, Member

DEFAULT_LEVEL = 15
_OLDEST = (4, 5)


class SquashfsPipe:
    """A running ``mksquashfs`` that reads a tar from `write` and makes the image *path*.

    *output* is what the image will be called, for messages; *newest* the time that no member is
    later than.

    Errors: `SinkError` where the program is missing, too old, or fails.
    """

    def __init__(
        self, path: str, level: int | None, threads: int, newest: int, output: str
    ) -> None:
        program = shutil.which("mksquashfs")
        if program is None:
            raise SinkError(
                "squashfs images are made by the program mksquashfs, which is not installed",
                where=output,
                remedy="Install squashfs-tools, or choose another format such as .tar.zst",
            )
        level = DEFAULT_LEVEL if level is None else level
        if not 1 <= level <= 22:
            raise UsageProblem(
                f"no such compression level for squashfs: {level}",
                where="--compress-level",
                remedy="Take one from 1 to 22",
            )
        version = _version(program, output)
        self.name = f"squashfs zstd -{level} (mksquashfs {version})"
        self._output = output
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close and abort
        # It also cuts the root's time, which would be that of now: older tools know no other way.
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(newest)}
        self._process = subprocess.Popen(
            [
                program, "-", path, "-tar", "-noappend", "-no-progress", "-quiet",
                "-comp", "zstd", "-Xcompression-level", str(level), "-b", "256K",
                "-processors", str(thread_count(threads)),
                "-root-mode", "0755", "-root-uid", "0", "-root-gid", "0",
            ],
            stdin=subprocess.PIPE,
            stdout=self._messages,
            stderr=self._messages,
            env=environment,
        )  # fmt: skip

    def write(self, data: Buffer) -> object:
        """Feed a piece of the tar. Errors: `SinkError`."""
        assert self._process.stdin is not None
        try:
            return self._process.stdin.write(data)
        except BrokenPipeError as error:
            raise self._failed() from error

    def close(self) -> None:
        """Wait for the image. Errors: `SinkError`."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except BrokenPipeError as error:
            raise self._failed() from error
        if self._process.wait():
            raise self._failed()
        self._messages.close()

    def abort(self) -> None:
        """Stop the program."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._messages.close()

    def _failed(self) -> SinkError:
        self._process.wait()
        self._messages.seek(0)
        said = self._messages.read()[-500:].decode(errors="replace").strip().splitlines()
        return SinkError(
            f"mksquashfs failed: {said[-1] if said else self._process.returncode}",
            where=self._output,
            remedy="Update squashfs-tools, or choose another format such as .tar.zst",
        )


class WithFolders:
    """Passes members on to *writer*, and the folders they lie in before them where no member
    brought them: archives need not hold those, an image of a file system does."""

    def __init__(self, writer: TarWriter, root: str, mtime: int) -> None:
        self._writer, self._mtime = writer, mtime
        self._root = f"{root}/" if root else ""
        self._made = {""}

    def add(self, member: Member, body: Body) -> None:
        """Write a member after its folders."""
        if self._root:
            linked = self._root + member.linked if member.linked else ""
            member = replace(member, path=self._root + member.path, linked=linked)
        self._above(parent(member.path))
        if member.kind == "folder":
            self._made.add(member.path)
        self._writer.add(member, body)

    def finish(self) -> None:
        """Write the end."""
        self._writer.finish()

    def _above(self, folder: str) -> None:
        if folder not in self._made:
            self._above(parent(folder))
            self._made.add(folder)
            self._writer.add(Member(folder, "folder", 0, 0o755, self._mtime), NO_BODY)


def _version(program: str, output: str) -> str:
    run = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r"version (\d+)\.(\d+)", run.stdout + run.stderr)
    if found is None or (int(found[1]), int(found[2])) < _OLDEST:
        raise SinkError(
            "mksquashfs is older than 4.5 and cannot read a tar",
            where=output,
            remedy="Update squashfs-tools, or choose another format such as .tar.zst",
        )
    return f"{found[1]}.{found[2]}"
