"""All formats of outputs, and which one is meant."""

from __future__ import annotations

import os

from condaprune.errors import UsageProblem, nearest
from condaprune.sinks.outputs import folder, oci, squashfs, tar, ziparchive
from condaprune.sinks.outputs.format import Format

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
        if output == "-" and not chosen.streams:
            raise UsageProblem(
                f"the format {chosen.name} cannot be written to the standard output",
                where="-o -",
                remedy="Choose a tar format",
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
        raise UsageProblem(
            f"no format has the extension {extension!r}",
            where=output,
            remedy=f"{nearest(extension, list(_BY_EXTENSION))} (End the name with / for a folder)",
        )
    return folder.FORMAT
