"""The options that say how an output is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

_OPTIONS = (
    click.option("--archive-format", metavar="NAME",
                 help="The output's format where its name does not tell (tar.zst, zip, oci, ...)."),
    click.option("--compress-level", type=int, metavar="N", help="The compressor's own level."),
    click.option("--threads", type=click.IntRange(min=0), default=0, metavar="N",
                 help="Threads that compress; 0 (the default) for all cores."),
    click.option("--dest-prefix", metavar="DIR",
                 help="Write for this folder: no conda-unpack needed there."),
    click.option("--owner", metavar="UID:GID", help="Who owns the members (default 0:0)."),
    click.option("--mode", metavar="NAME",
                 help="Permissions: normal (0755 and 0644, the default) or keep."),
    click.option("--arcroot", metavar="NAME", help="A folder to put around all members."),
    click.option("--ignore-editable-packages", "ignore_editable", is_flag=True,
                 help="Pack although packages are installed in editable mode."),
    click.option("--zip-symlinks", is_flag=True, help="Store links in a zip as links."),
    click.option("--layers", type=click.IntRange(min=1), metavar="N",
                 help="Layers of an image; big packages get one of their own (default 1)."),
    click.option("--layer-compression", type=click.Choice(["gzip", "zstd", "none"]),
                 help="Of an image's layers (default gzip)."),
    click.option("--base", metavar="LAYOUT", help="An OCI layout that an image is built on."),
    click.option("--env", "image_env", multiple=True, metavar="NAME=VALUE",
                 help="A variable of the image; repeatable."),
    click.option("--entrypoint", multiple=True, metavar="WORD",
                 help="The image's entry point, a word at a time; repeatable."),
    click.option("--cmd", "image_command", multiple=True, metavar="WORD",
                 help="The image's default arguments, a word at a time; repeatable."),
    click.option("--user", metavar="UID[:GID]", help="The image's user."),
    click.option("--workdir", metavar="DIR", help="The image's working folder."),
)  # fmt: skip
_NAMES = {"archive_format": "format", "compress_level": "level", "image_env": "env",
          "image_command": "command"}  # fmt: skip
_KEYS = ("archive_format", "compress_level", "threads", "dest_prefix", "owner", "mode",
         "arcroot", "ignore_editable", "zip_symlinks", "layers", "layer_compression", "base",
         "image_env", "entrypoint", "image_command", "user", "workdir")  # fmt: skip
_UNSET: tuple[object, ...] = (None, ())


def packing_options(command: Any) -> Any:
    """Add the options; `take_packing` collects them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_packing(options: dict[str, Any]) -> Mapping[str, Any]:
    """Take these options out of what a command was given, as `open_sink` calls them.

    Those left at their defaults are left out, so that `open_sink` alone knows its defaults.
    """
    taken = {key: options.pop(key) for key in _KEYS}
    return {_NAMES.get(key, key): value for key, value in taken.items() if value not in _UNSET}
