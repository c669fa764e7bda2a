"""The sinks behind ``-o``: archives in all their formats, and folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from condaprune.errors import UsageProblem
from condaprune.model import Outcome, Plan, Progress, nearest, unique_bytes
from condaprune.sinks.base import Sink
from condaprune.sinks.compress import Codec, check_level, open_compressor
from condaprune.sinks.feed import Findings, Modes, Wishes
from condaprune.sources.base import Source
from condaprune.sources.members import Body, Buffer, Member

_CODECS: dict[str, Codec] = {
    "tar": "none",
    "tar.gz": "gzip",
    "tar.bz2": "bzip2",
    "tar.xz": "xz",
    "tar.zst": "zstd",
}
_EXTENSIONS = {
    ".tar": "tar",
    ".tar.gz": "tar.gz",
    ".tgz": "tar.gz",
    ".tar.bz2": "tar.bz2",
    ".tbz2": "tar.bz2",
    ".tar.xz": "tar.xz",
    ".txz": "tar.xz",
    ".tar.zst": "tar.zst",
    ".tzst": "tar.zst",
}
FORMATS = (*_CODECS, "folder")


@dataclass(frozen=True, slots=True)
class Options:
    """How an output is made; see `open_sink`."""

    output: str
    format: str
    force: bool = False
    level: int | None = None
    threads: int = 0
    owner: tuple[int, int] = (0, 0)
    arcroot: str | None = None
    prefix: str = ""
    wishes: Wishes = field(default_factory=Wishes)


def open_sink(
    output: str,
    *,
    force: bool = False,
    format: str | None = None,  # noqa: A002 - as the option is called
    level: int | None = None,
    threads: int = 0,
    dest_prefix: str | None = None,
    owner: str | tuple[int, int] = (0, 0),
    mode: str = "normal",
    arcroot: str | None = None,
    ignore_editable: bool = False,
    prefix: str = "",
) -> Sink:
    """The sink that writes *output*, ``-`` being the standard output.

    *format* is told by the extension unless given; a name without an extension that is known is
    a folder. *level* is the codec's own, *threads* 0 for all cores; *owner* is the user and group
    id of all members, *arcroot* a folder put around them (None: as in the archive read).
    *dest_prefix* is the absolute path the environment is rewritten for. *prefix*, where given,
    is the environment that the output must not lie in.

    Errors: `UsageProblem` for values that do not fit, `SinkError` for an output that cannot be
    written.
    """
    from condaprune.sinks.output import check_output

    chosen = _format_of(output, format)
    if dest_prefix is not None and not os.path.isabs(dest_prefix):
        raise UsageProblem(
            f"not an absolute path: {dest_prefix!r}",
            where="--dest-prefix",
            remedy="Name the folder that the environment will lie in",
        )
    Modes(mode)
    if chosen in _CODECS:
        check_level(_CODECS[chosen], level)
    if output != "-":
        check_output(output, force=force, prefix=prefix)
    dest = dest_prefix.rstrip("/") if dest_prefix else dest_prefix
    options = Options(
        output,
        chosen,
        force,
        level,
        threads,
        _owner(owner),
        _root(arcroot),
        prefix,
        Wishes(dest, mode, ignore_editable),
    )
    return FolderSink(options) if chosen == "folder" else ArchiveSink(options)


def _format_of(output: str, wanted: str | None) -> str:
    """The name of the format. Errors: `UsageProblem`."""
    if wanted is not None:
        name = _EXTENSIONS.get("." + wanted.lstrip("."), wanted)
        if name not in FORMATS:
            raise UsageProblem(
                f"no such format: {wanted!r}", where="--format", remedy=nearest(wanted, FORMATS)
            )
        if output == "-" and name == "folder":
            raise UsageProblem(
                "a folder cannot be written to the standard output",
                where="-o -",
                remedy="Choose a tar format",
            )
        return name
    if output == "-":
        raise UsageProblem(
            "the standard output has no extension that tells the format",
            where="-o -",
            remedy="Add the format, such as tar.zst",
        )
    name = os.path.basename(output).lower()
    for extension in sorted(_EXTENSIONS, key=len, reverse=True):
        if name.endswith(extension) and name != extension:
            return _EXTENSIONS[extension]
    stem, extension = os.path.splitext(name)
    if extension and stem and not output.endswith("/") and not os.path.isdir(output):
        raise UsageProblem(
            f"no format has the extension {extension!r}",
            where=output,
            remedy=nearest(extension, list(_EXTENSIONS))
            + ". For a folder with a dot in its name, end it with /",
        )
    return "folder"


def _owner(owner: str | tuple[int, int]) -> tuple[int, int]:
    """User and group id. Errors: `UsageProblem`."""
    if isinstance(owner, tuple):
        return owner
    user, colon, group = owner.partition(":")
    if user.isdigit() and (group.isdigit() if colon else not group):
        return int(user), int(group or user)
    raise UsageProblem(
        f"no user and group id: {owner!r}", where="--owner", remedy="Write it as 1000:1000"
    )


def _root(arcroot: str | None) -> str | None:
    """The folder around all members. Errors: `UsageProblem`."""
    if arcroot is None:
        return None
    parts = [part for part in arcroot.split("/") if part not in ("", ".")]
    if arcroot.startswith("/") or ".." in parts:
        raise UsageProblem(
            f"not a folder inside the archive: {arcroot!r}",
            where="--arcroot",
            remedy="Write it as a relative path, such as env",
        )
    return "/".join(parts)


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
    from condaprune.sources.archive import ArchiveSource

    if isinstance(source, ArchiveSource):
        from condaprune.sinks.refeed import from_archive

        return from_archive(plan, source, wishes, findings)
    from condaprune.sinks.feed import from_prefix

    return from_prefix(plan, source, wishes, findings)


class _OutputSink:
    """What all outputs have in common: checks before, an account after."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def _check(self, plan: Plan) -> None:
        from condaprune.sinks.output import check_output

        options = self._options
        if options.output != "-":
            prefix = options.prefix or plan.inventory.prefix
            check_output(options.output, force=options.force, prefix=prefix)

    def _arcroot(self, source: Source) -> str:
        if self._options.arcroot is not None:
            return self._options.arcroot
        return str(getattr(source, "arcroot", ""))

    def _fill(
        self, writer: Writer, plan: Plan, source: Source, findings: Findings, progress: Progress
    ) -> None:
        total = len(plan.inventory.entries)
        done = 0
        for done, (member, body) in enumerate(
            members_of(plan, source, self._options.wishes, findings)
        ):
            writer.add(member, body)
            if not done % 500:
                progress("pack", min(done, total), total)
        writer.finish()
        progress("pack", total, total)

    def _outcome(self, plan: Plan, findings: Findings, size: int, compressor: str = "") -> Outcome:
        entries = plan.inventory.entries
        after = unique_bytes(plan.kept())
        for edit in plan.edits:
            after += len(edit.data) - (entries[edit.path].size if edit.path in entries else 0)
        details = {"format": self._options.format, "content_bytes": str(findings.bytes)}
        if compressor:
            details["compressor"] = compressor
        if findings.added:
            details["added"] = "\n".join(findings.added)
        if findings.notes:
            details["notes"] = "\n".join(findings.notes)
        return Outcome(
            files_removed=sum(e.kind != "folder" for e in plan.removed()),
            bytes_before=unique_bytes(entries.values()),
            bytes_after=after,
            output=self._options.output,
            output_size=size,
            details=details,
        )


class ArchiveSink(_OutputSink):
    """Writes a tar, compressed or not."""

    def carry_out(self, plan: Plan, source: Source, progress: Progress) -> Outcome:
        """Write the archive, whole or not at all. Errors: `SinkError`, those of the source."""
        from condaprune.sinks.tarwriter import TarWriter

        self._check(plan)
        options = self._options
        findings = Findings()
        size = 0
        with self._destination() as file:

            def write(data: Buffer) -> None:
                nonlocal size
                size += len(data)
                file.write(data)

            compressor = open_compressor(
                _CODECS[options.format], write, options.level, options.threads
            )
            try:
                source.inventory()  # the folder around all members is known from here on
                writer = TarWriter(compressor.write, self._arcroot(source), options.owner)
                self._fill(writer, plan, source, findings, progress)
                compressor.close()
            except BaseException:
                compressor.abort()
                raise
        return self._outcome(plan, findings, size, compressor.name)

    def _destination(self) -> AbstractContextManager[BinaryIO]:
        from condaprune.sinks.output import new_file, standard_output

        return standard_output() if self._options.output == "-" else new_file(self._options.output)


class FolderSink(_OutputSink):
    """Writes a folder that shares nothing with the source."""

    def carry_out(self, plan: Plan, source: Source, progress: Progress) -> Outcome:
        """Write the folder, whole or not at all. Errors: `SinkError`, those of the source."""
        from condaprune.sinks.folder import FolderWriter
        from condaprune.sinks.output import new_folder

        self._check(plan)
        options = self._options
        findings = Findings()
        owner = options.owner if options.owner != (0, 0) else None
        with new_folder(options.output) as folder:
            root = self._options.arcroot or ""
            inner = os.path.join(folder, root) if root else folder
            os.makedirs(inner, exist_ok=True)
            self._fill(FolderWriter(inner, owner), plan, source, findings, progress)
        return self._outcome(plan, findings, findings.bytes)
