"""The sink that writes something new: an archive in any format, a folder, an image."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace

from condaprune.errors import UsageProblem, nearest
from condaprune.model import Outcome, Plan, Progress, unique_bytes
from condaprune.sinks.outputs import folder, oci, squashfs, tar, ziparchive
from condaprune.sinks.outputs.feed import Feed, PrefixFeed
from condaprune.sinks.outputs.format import Format, Job
from condaprune.sinks.outputs.members import below
from condaprune.sinks.outputs.options import OutputOptions
from condaprune.sinks.outputs.places import (
    Place,
    check_apart,
    check_output,
    clear_errors,
    goes_on,
    standard_output,
)
from condaprune.sources.base import Source

FORMATS: tuple[Format, ...] = (
    *tar.FORMATS,
    ziparchive.FORMAT,
    squashfs.FORMAT,
    *oci.FORMATS,
    folder.FORMAT,
)
_BY_NAME = {form.name: form for form in FORMATS}
_BY_EXTENSION = {extension: form for form in FORMATS for extension in form.extensions}


def format_of(output: str, name: str) -> Format:
    """The format called *name*, or by the extension of *output* where that is empty.

    A name without an extension is a folder. Errors: `UsageProblem`.
    """
    if name:
        chosen = _BY_EXTENSION.get("." + name.lstrip("."), _BY_NAME.get(name))
        if chosen is None:
            raise UsageProblem(
                f"not a format: {name!r}",
                where="--archive-format",
                remedy=nearest(name, list(_BY_NAME)),
            )
        return chosen
    if output == "-":
        raise UsageProblem(
            "the standard output has no extension that says the format",
            where="-o -",
            remedy="Add --archive-format, such as tar.zst",
        )
    last = os.path.basename(output).lower()
    for extension in sorted(_BY_EXTENSION, key=len, reverse=True):
        if last.endswith(extension) and last != extension:
            return _BY_EXTENSION[extension]
    stem, extension = os.path.splitext(last)
    if stem.endswith(".tar"):
        stem, extension = stem[:-4], ".tar" + extension
    if extension and stem and not output.endswith("/") and not os.path.isdir(output):
        known = ", ".join(sorted(_BY_EXTENSION))
        raise UsageProblem(
            f"no format has the extension {extension!r}",
            where=output,
            remedy=f"There are {known}; end the name with / for a folder",
        )
    if goes_on(output):
        raise UsageProblem(
            "this is no regular file, and has no extension that says the format",
            where=output,
            remedy="Add --archive-format, such as tar.zst",
        )
    return folder.FORMAT


class OutputSink:
    """Writes the output that *options* ask for.

    *prefix*, where given, is the environment that the output must not lie in. Errors:
    `UsageProblem` for options that do not fit the format, `SinkError` for an output that cannot
    be written.
    """

    def __init__(self, options: OutputOptions, prefix: str = "") -> None:
        self._options = options
        self._format = format_of(options.output, options.format)
        self._stream = goes_on(options.output)
        if self._stream and not self._format.streams:
            standard = options.output == "-"
            name = "the standard output" if standard else "what is no regular file"
            raise UsageProblem(
                f"the format {self._format.name} cannot be written to {name}",
                where="-o -" if standard else options.output,
                remedy="Choose a tar format" if standard else "Name a file, or choose a tar format",
            )
        self._format.check(options)
        self._check(prefix)
        self._run: _OutputRun | None = None

    def begin(self, plan: Plan, source: Source) -> _OutputRun:
        """Open the output under a temporary name, before anything is read. Errors: `SinkError`."""
        self._check(source.prefix)
        output = self._options.output
        if source.prefix and output != "-":
            check_apart(output, plan.inventory)
        place = standard_output if output == "-" else self._format.place
        with contextlib.ExitStack() as end:
            opened = end.enter_context(place(output))
            self._run = _OutputRun(self._options, self._format, opened, end.pop_all(), plan, source)
        return self._run

    def close(self) -> None:
        """Remove an output that was begun and not committed."""
        if self._run is not None:
            self._run.undo()

    def _check(self, prefix: str) -> None:
        if self._options.output != "-":
            options = self._options
            check_output(options.output, force=options.force, stream=self._stream, prefix=prefix)


class _Undone(Exception):
    """Ends a place without its output."""


@dataclass(slots=True)
class _OutputRun:
    """One output on its way; what ends `end` ends the output, well or not."""

    options: OutputOptions
    form: Format
    place: Place
    end: contextlib.ExitStack
    plan: Plan
    source: Source
    compressor: str = ""
    content_bytes: int = 0
    added: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def apply(self, progress: Progress) -> None:
        """Write the output. Errors: `SinkError`, those of the source."""
        plan, options, form = self.plan, self.options, self.form
        stream = self.source.members()
        root = options.arcroot or ""
        if form.home:
            dest = options.dest_prefix or form.home
            options, root = replace(options, dest_prefix=dest), dest.strip("/")
        elif options.arcroot is None and stream is not None and form.keeps_root:
            root = stream.arcroot
        with clear_errors(options.output):
            job = Job(options, plan, root, stream is not None)
            writer = form.open(self.place, job)
            try:
                if stream is not None:
                    from condaprune.sinks.outputs.refeed import ArchiveFeed

                    feed: Feed = ArchiveFeed(plan, self.source, stream, options)
                else:
                    feed = PrefixFeed(plan, self.source, options, writer.layer_of, writer.holds)
                members = feed.members()
                total = len(plan.inventory.entries)
                for done, (member, body) in enumerate(below(members, root) if root else members):
                    writer.add(member, body)
                    if member.kind != "folder":
                        self.content_bytes += member.size
                    if not done % 500:
                        progress("pack", min(done, total), total)
                writer.finish()
                self.compressor, self.added = writer.compressor, feed.added
                self.notes = (*writer.notes, *feed.notes)
            except BaseException:
                writer.abort()
                raise
        progress("pack", total, total)

    def commit(self) -> Outcome:
        """Let the output appear under its name. Errors: `SinkError`."""
        self.end.close()
        plan = self.plan
        entries = plan.inventory.entries
        after = unique_bytes(plan.kept())
        for edit in plan.edits:
            old = entries[edit.path].size if edit.path in entries else 0
            after += edit.size(old) - old
        return Outcome(
            bytes_before=unique_bytes(entries.values()),
            bytes_after=after,
            output=self.options.output,
            output_size=self.place.size,
            format=self.form.name,
            compressor=self.compressor,
            content_bytes=self.content_bytes,
            added=self.added,
            notes=self.notes,
        )

    def undo(self) -> None:
        """Remove what was written; what is committed stays."""
        with contextlib.suppress(_Undone), self.end:
            raise _Undone
