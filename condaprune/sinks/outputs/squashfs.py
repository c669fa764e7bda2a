"""Writes a squashfs image by feeding a tar to ``mksquashfs``, without a copy on disk."""

from __future__ import annotations

import contextlib
import os
import re
import shutil

from condaprune.errors import SinkError
from condaprune.model import Buffer
from condaprune.sinks.attributes import CAPABILITY
from condaprune.sinks.outputs.compress import check_level, thread_count
from condaprune.sinks.outputs.format import Format, Job
from condaprune.sinks.outputs.members import EARLIEST, newest_time, source_date_epoch
from condaprune.sinks.outputs.options import OutputOptions
from condaprune.sinks.outputs.places import Place
from condaprune.sinks.outputs.tar import WithFolders

_OLDEST = (4, 5)


def _check(options: OutputOptions) -> None:
    check_level("squashfs", options.level)
    _program(options.output)


def _program(output: str) -> str:
    """The path of ``mksquashfs``. Errors: `SinkError`."""
    program = shutil.which("mksquashfs")
    if program is None:
        raise SinkError(
            "squashfs images are made by the program mksquashfs, which is not installed",
            where=output,
            remedy="Install squashfs-tools, or choose another format such as .tar.zst",
        )
    return program


class _SquashfsWriter(WithFolders):
    """A running ``mksquashfs`` that reads a tar. Errors: `SinkError` where it is too old."""

    holds: tuple[str, ...] = ("user.", CAPABILITY)

    def __init__(self, place: Place, job: Job) -> None:
        import subprocess
        import tempfile

        options = job.options
        self._output = options.output
        program = _program(self._output)
        level = check_level("squashfs", options.level)
        reply = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
        version = re.search(r"version (\d+)\.(\d+)", reply.stdout + reply.stderr)
        if version is None or (int(version[1]), int(version[2])) < _OLDEST:
            raise self._error("mksquashfs is older than 4.5 and cannot read a tar")
        self.compressor = f"squashfs zstd -{level} (mksquashfs {version[1]}.{version[2]})"
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115 - closed by finish and abort
        # It also cuts the root's time, which would be that of now: older tools know no other way.
        file = place.file.fileno()
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(_newest(job))}
        self._process = subprocess.Popen(
            [
                # By its handle: what has the file's name may be a link of somebody else by now.
                program, "-", f"/dev/fd/{file}", "-tar", "-noappend", "-no-progress", "-quiet",
                "-comp", "zstd", "-Xcompression-level", str(level), "-b", "256K",
                "-processors", str(thread_count(options.threads)),
                "-root-mode", "0755", "-root-uid", "0", "-root-gid", "0",
            ],
            stdin=subprocess.PIPE,
            stdout=self._messages,
            stderr=self._messages,
            env=environment,
            pass_fds=(file,),
        )  # fmt: skip
        assert self._process.stdin is not None
        self._pipe = self._process.stdin
        super().__init__(self._feed, options.owner, {})

    def finish(self) -> None:
        super().finish()
        try:
            self._pipe.close()
        except BrokenPipeError as error:
            raise self._failed() from error
        if self._process.wait():
            raise self._failed()
        self._messages.close()

    def abort(self) -> None:
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(BrokenPipeError):
            self._pipe.close()
        self._messages.close()

    def _feed(self, data: Buffer) -> object:
        try:
            return self._pipe.write(data)
        except BrokenPipeError as error:
            raise self._failed() from error

    def _failed(self) -> SinkError:
        self._process.wait()
        self._messages.seek(0)
        lines = self._messages.read()[-500:].decode(errors="replace").strip().splitlines()
        return self._error(f"mksquashfs failed: {lines[-1] if lines else self._process.returncode}")

    def _error(self, text: str) -> SinkError:
        return SinkError(
            text,
            where=self._output,
            remedy="Update squashfs-tools, or choose another format such as .tar.zst",
        )


def _newest(job: Job) -> int:
    """A time that no member is later than."""
    epoch = source_date_epoch()
    if epoch is not None:
        return epoch
    inventory = job.plan.inventory
    if job.streamed:
        return newest_time(inventory.entries.values())
    return max((record.built for record in inventory.records if record.built), default=EARLIEST)


FORMAT = Format("squashfs", (".squashfs", ".sqfs"), _SquashfsWriter, _check)
