"""The sinks that write something new: archives in all their formats, folders, images."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import BinaryIO, Protocol

from condaprune.model import Outcome, Plan, Progress, unique_bytes
from condaprune.sinks.outputs.compress import open_compressor
from condaprune.sinks.outputs.feed import Findings, Modes, Wishes, from_prefix
from condaprune.sinks.outputs.options import CODECS, Options
from condaprune.sinks.outputs.output import check_output, new_file, new_folder, standard_output
from condaprune.sinks.outputs.packages import record_facts
from condaprune.sinks.outputs.times import EARLIEST, SECOND, source_date_epoch
from condaprune.sources.archive import ArchiveSource
from condaprune.sources.base import Source
from condaprune.sources.members import Body, Buffer, Member


class Writer(Protocol):
    """Takes members in order."""

    def add(self, member: Member, body: Body) -> None:
        """Write one member."""
        ...

    def finish(self) -> None:
        """Write what is left."""
        ...


def members_of(
    plan: Plan, source: Source, wishes: Wishes, findings: Findings
) -> Iterator[tuple[Member, Body]]:
    """What goes into an output, whatever the source."""
    if isinstance(source, ArchiveSource):
        from condaprune.sinks.outputs.refeed import from_archive

        return from_archive(plan, source, wishes, findings)
    return from_prefix(plan, source, wishes, findings)


class _OutputSink:
    """What all outputs have in common: checks before, an account after."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def _check(self, plan: Plan) -> None:
        options = self._options
        if options.output != "-":
            prefix = options.prefix or plan.inventory.prefix
            check_output(options.output, force=options.force, prefix=prefix)

    def _arcroot(self, source: Source) -> str:
        if self._options.arcroot is not None:
            return self._options.arcroot
        if isinstance(source, ArchiveSource):
            source.inventory()  # tells the folder around all members
            return source.arcroot
        return ""

    def _fill(
        self,
        writer: Writer,
        plan: Plan,
        source: Source,
        findings: Findings,
        progress: Progress,
        wishes: Wishes | None = None,
    ) -> None:
        total = len(plan.inventory.entries)
        members = members_of(plan, source, wishes or self._options.wishes, findings)
        for done, (member, body) in enumerate(members):
            writer.add(member, body)
            if not done % 500:
                progress("pack", min(done, total), total)
        writer.finish()
        progress("pack", total, total)

    def _outcome(self, plan: Plan, findings: Findings, size: int, compressor: str = "") -> Outcome:
        entries = plan.inventory.entries
        after = unique_bytes(plan.kept())
        for edit in plan.edits:
            old = entries[edit.path].size if edit.path in entries else 0
            after += edit.size(old) - old
        return Outcome(
            bytes_before=unique_bytes(entries.values()),
            bytes_after=after,
            output=self._options.output,
            output_size=size,
            format=self._options.format,
            compressor=compressor,
            content_bytes=findings.bytes,
            added=tuple(findings.added),
            notes=tuple(findings.notes),
        )


class ArchiveSink(_OutputSink):
    """Writes a tar, compressed or not."""

    def carry_out(self, plan: Plan, source: Source, progress: Progress) -> Outcome:
        """Write the archive, whole or not at all. Errors: `SinkError`, those of the source."""
        from condaprune.sinks.outputs.tarwriter import TarWriter

        self._check(plan)
        options = self._options
        findings = Findings()
        size = 0
        with self._destination() as file:

            def write(data: Buffer) -> None:
                nonlocal size
                size += len(data)
                file.write(data)

            codec = CODECS[options.format]
            compressor = open_compressor(codec, write, options.level, options.threads)
            try:
                writer = TarWriter(compressor.write, self._arcroot(source), options.owner)
                self._fill(writer, plan, source, findings, progress)
                compressor.close()
            except BaseException:
                compressor.abort()
                raise
        return self._outcome(plan, findings, size, compressor.name)

    def _destination(self) -> AbstractContextManager[BinaryIO]:
        return standard_output() if self._options.output == "-" else new_file(self._options.output)


class ZipSink(_OutputSink):
    """Writes a zip."""

    def carry_out(self, plan: Plan, source: Source, progress: Progress) -> Outcome:
        """Write the archive, whole or not at all. Errors: `SinkError`, those of the source."""
        from condaprune.sinks.outputs.zipwriter import DEFAULT_LEVEL, ZipWriter

        self._check(plan)
        options = self._options
        findings = Findings()
        level = DEFAULT_LEVEL if options.level is None else options.level
        with new_file(options.output) as file:
            writer = ZipWriter(
                file, self._arcroot(source), level, options.threads, symlinks=options.zip_symlinks
            )
            try:
                self._fill(writer, plan, source, findings, progress)
            except BaseException:
                writer.abort()
                raise
            size = file.seek(0, os.SEEK_END)
        return self._outcome(plan, findings, size, writer.name)


class SquashfsSink(_OutputSink):
    """Writes a squashfs image."""

    def carry_out(self, plan: Plan, source: Source, progress: Progress) -> Outcome:
        """Write the image, whole or not at all. Errors: `SinkError`, those of the source."""
        from condaprune.sinks.outputs.squashfs import SquashfsPipe, WithFolders
        from condaprune.sinks.outputs.tarwriter import TarWriter

        self._check(plan)
        options = self._options
        findings = Findings()
        with new_file(options.output) as file:
            pipe = SquashfsPipe(
                str(file.name),
                options.level,
                options.threads,
                _newest(plan, source),
                options.output,
            )
            try:
                tar = TarWriter(pipe.write, "", options.owner)
                writer = WithFolders(tar, self._arcroot(source), _common_time())
                self._fill(writer, plan, source, findings, progress)
                pipe.close()
            except BaseException:
                pipe.abort()
                raise
            size = os.path.getsize(file.name)
        return self._outcome(plan, findings, size, pipe.name)


class FolderSink(_OutputSink):
    """Writes a folder that shares nothing with the source."""

    def carry_out(self, plan: Plan, source: Source, progress: Progress) -> Outcome:
        """Write the folder, whole or not at all. Errors: `SinkError`, those of the source."""
        from condaprune.sinks.outputs.folder import FolderWriter

        self._check(plan)
        options = self._options
        findings = Findings()
        owner = options.owner if options.owner != (0, 0) else None
        with new_folder(options.output) as folder:
            inner = os.path.join(folder, options.arcroot or "")
            os.makedirs(inner, exist_ok=True)
            self._fill(FolderWriter(inner, owner), plan, source, findings, progress)
        return self._outcome(plan, findings, findings.bytes)


class OciSink(_OutputSink):
    """Writes an OCI image layout, as a folder or as a tar of one."""

    def carry_out(self, plan: Plan, source: Source, progress: Progress) -> Outcome:
        """Write the layout, whole or not at all. Errors: `SinkError`, those of the source."""
        from condaprune.sinks.outputs.ocibase import pack_layout

        self._check(plan)
        options = self._options
        findings = Findings()
        if _compiles_always(plan, options.image.env):
            findings.notes.append(
                "without bytecode and with PYTHONDONTWRITEBYTECODE every start compiles what it "
                "imports: --bytecode keep, or leave the variable out"
            )
        if options.format == "oci":
            with new_folder(options.output) as folder:
                name = self._layout(folder, plan, source, findings, progress)
                size = sum(
                    os.path.getsize(os.path.join(root, file))
                    for root, _, files in os.walk(folder)
                    for file in files
                )
            return self._outcome(plan, findings, size, name)
        import tempfile

        around = os.path.dirname(os.path.abspath(options.output))
        with new_file(options.output) as file:
            with tempfile.TemporaryDirectory(prefix=".condaprune-", dir=around) as folder:
                name = self._layout(folder, plan, source, findings, progress)
                pack_layout(folder, file)
            size = file.tell()
        return self._outcome(plan, findings, size, name)

    def _layout(
        self, folder: str, plan: Plan, source: Source, findings: Findings, progress: Progress
    ) -> str:
        from condaprune.sinks.outputs.oci import (
            USUAL_DEST,
            OciWriter,
            architecture_of,
            group_by_package,
        )

        options = self._options
        inventory = source.inventory()
        group = group_by_package(inventory, options.image.layers)
        dest = options.wishes.dest or USUAL_DEST
        writer = OciWriter(
            folder,
            options.image,
            dest,
            group,
            architecture=architecture_of(inventory),
            level=options.level,
            threads=options.threads,
            owner=options.owner,
            mtime=_common_time(),
            folder_mode=Modes(options.wishes.mode).of("folder", 0o755),
            in_order=not isinstance(source, ArchiveSource),
        )
        try:
            wishes = replace(options.wishes, dest=dest, group=group)
            self._fill(writer, plan, source, findings, progress, wishes)
        except BaseException:
            writer.abort()
            raise
        return writer.name


def _compiles_always(plan: Plan, variables: Iterable[str]) -> bool:
    """Whether bytecode goes from an image whose Python is told to write none."""
    name = "PYTHONDONTWRITEBYTECODE="
    told = any(variable.startswith(name) and variable != name for variable in variables)
    return told and any(entry.path.endswith(".pyc") for entry in plan.removed())


def _newest(plan: Plan, source: Source) -> int:
    """A time that no member is later than."""
    epoch = source_date_epoch()
    if epoch is not None:
        return epoch
    if isinstance(source, ArchiveSource):
        times = [entry.mtime_ns // SECOND for entry in plan.inventory.entries.values()]
    else:
        times = list(record_facts(plan.inventory, source).built.values())
    return max(times, default=EARLIEST)


def _common_time() -> int:
    epoch = source_date_epoch()
    return EARLIEST if epoch is None else epoch
