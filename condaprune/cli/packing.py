"""The options that say how an output is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from condaprune.sinks.outputs.options import OutputOptions

_OPTIONS = (
    click.option("--archive-format", metavar="NAME", default="",
                 help="The output's format where its name does not say (tar.zst, zip, oci, ...)."),
    click.option("--compress-level", type=int, metavar="N", help="The compressor's own level."),
    click.option("--threads", type=click.IntRange(min=0), default=0, metavar="N",
                 help="Threads that compress; 0 (the default) for all cores."),
    click.option("--dest-prefix", metavar="DIR",
                 help="Write for this folder: no conda-unpack needed there."),
    click.option("--owner", metavar="UID:GID", default="0:0",
                 help="Who owns the members (default 0:0)."),
    click.option("--mode", metavar="NAME", default="normal",
                 help="Permissions: normal (0755 and 0644, the default) or keep."),
    click.option("--arcroot", metavar="NAME", help="A folder to put around all members."),
    click.option("--ignore-editable-packages", "ignore_editable", is_flag=True,
                 help="Pack although packages are installed in editable mode."),
    click.option("--zip-symlinks", is_flag=True, help="Store links in a zip as links."),
    click.option("--layers", type=click.IntRange(min=1), default=1, metavar="N",
                 help="Layers of an image; big packages get one of their own (default 1)."),
    click.option("--layer-compression", type=click.Choice(["gzip", "zstd", "none"]),
                 default="gzip",
                 help="Of an image's layers (default gzip)."),
    click.option("--base", metavar="LAYOUT", default="",
                 help="An OCI layout that an image is built on."),
    click.option("--env", "image_env", multiple=True, metavar="NAME=VALUE",
                 help="A variable of the image; repeatable."),
    click.option("--entrypoint", multiple=True, metavar="WORD",
                 help="The image's entry point, a word at a time; repeatable."),
    click.option("--cmd", "image_command", multiple=True, metavar="WORD",
                 help="The image's default arguments, a word at a time; repeatable."),
    click.option("--user", metavar="UID[:GID]", default="", help="The image's user."),
    click.option("--workdir", metavar="DIR", default="",
                 help="The image's working folder."),
)  # fmt: skip


def packing_options(command: Any) -> Any:
    """Add the options; `take_packing` collects them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_packing(output: str | None, force: bool, given: dict[str, Any]) -> OutputOptions | None:
    """What the options *given* say of an output; None without one.

    Errors: `UsageProblem` for values that do not fit.
    """
    if output is None:
        return None
    from condaprune.sinks.outputs.options import ImageOptions, OutputOptions, parse_owner

    return OutputOptions(
        output,
        given["archive_format"],
        force,
        given["compress_level"],
        given["threads"],
        given["dest_prefix"],
        parse_owner(given["owner"]),
        given["mode"],
        given["arcroot"],
        given["ignore_editable"],
        given["zip_symlinks"],
        ImageOptions(
            given["layers"],
            given["image_env"],
            given["entrypoint"],
            given["image_command"],
            given["user"],
            given["workdir"],
            given["base"],
            codec=given["layer_compression"],
        ),
    )
