"""The sink that ``-o`` asks for."""

from __future__ import annotations

from collections.abc import Sequence

from condaprune.sinks.base import CarryOut as Sink
from condaprune.sinks.outputs.compress import Codec
from condaprune.sinks.outputs.oci import Image
from condaprune.sinks.outputs.options import (
    FORMATS,
    Options,
    check_format,
    format_of,
    parse_owner,
    parse_root,
    wishes_of,
)
from condaprune.sinks.outputs.output import check_output
from condaprune.sinks.outputs.writing import ArchiveSink, FolderSink, OciSink, SquashfsSink, ZipSink

__all__ = ["FORMATS", "open_sink"]


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
    zip_symlinks: bool = False,
    layers: int = 1,
    env: Sequence[str] = (),
    entrypoint: Sequence[str] = (),
    command: Sequence[str] = (),
    user: str = "",
    workdir: str = "",
    base: str = "",
    layer_compression: Codec = "gzip",
    prefix: str = "",
) -> Sink:
    """The sink that writes *output*, ``-`` being the standard output.

    *format* is told by the extension unless given; a name without an extension is a folder.
    *level* is the codec's own, *threads* 0 for all cores; *owner* is the user and group id of all
    members, *mode* ``normal``, ``keep`` or an octal mask, *arcroot* a folder put around them
    (None: as in the archive read). *dest_prefix* is the absolute path the environment is
    rewritten for. *zip_symlinks* stores links as links. *layers* to *layer_compression* are an
    image's, see `condaprune.sinks.outputs.oci.Image`. *prefix*, where given, is the
    environment that the output must not lie in.

    Errors: `UsageProblem` for values that do not fit, `SinkError` for an output that cannot be
    written.
    """
    chosen = format_of(output, format)
    image = Image(
        layers,
        tuple(env),
        tuple(entrypoint),
        tuple(command),
        user,
        workdir,
        base,
        codec=layer_compression,
    )
    check_format(chosen, level, arcroot, image)
    options = Options(
        output,
        chosen,
        force,
        level,
        threads,
        parse_owner(owner),
        parse_root(arcroot),
        prefix,
        zip_symlinks,
        image,
        wishes_of(dest_prefix, mode, ignore_editable=ignore_editable),
    )
    if output != "-":
        check_output(output, force=force, prefix=prefix)
    if chosen == "folder":
        return FolderSink(options)
    if chosen == "zip":
        return ZipSink(options)
    if chosen == "squashfs":
        return SquashfsSink(options)
    if chosen in ("oci", "oci.tar"):
        return OciSink(options)
    return ArchiveSink(options)
