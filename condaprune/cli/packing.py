"""The options that say how an output is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from condaprune.cli.options import option_group

if TYPE_CHECKING:
    from condaprune.sinks.outputs.options import OutputOptions

_NAME = re.compile(r"[a-z][a-z0-9.]*")
_COMMANDLINE = ParameterSource.COMMANDLINE
_OPTIONS = (
    click.option("-o", "--output", metavar="[FORM=]FILE",
                 help="Write a relocatable archive or a folder instead of pruning in place. FORM "
                 "where the name does not say it (`-` is stdout)."),
    click.option("-f", "--force", is_flag=True, help="Overwrite an output that exists."),
    click.option("--archive-format", "format", metavar="NAME", default="",
                 help="The output's format where its name does not say (tar.zst, zip, oci, ...)."),
    click.option("--compress-level", "level", type=int, metavar="N",
                 help="The compressor's own level."),
    click.option("-j", "--threads", "--n-threads", "threads", type=click.IntRange(min=-1),
                 default=0, metavar="N",
                 help="Threads that compress; 0 (the default) or -1 for all cores."),
    click.option("-d", "--dest-prefix", metavar="DIR",
                 help="Write for this folder: no conda-unpack needed there."),
    click.option("--owner", metavar="UID:GID", default="0:0",
                 help="Who owns the members (default 0:0)."),
    click.option("--mode", metavar="NAME", default="normal",
                 help="Permissions: normal (0755 and 0644, the default) or keep."),
    click.option("--arcroot", metavar="NAME", help="A folder to put around all members."),
    click.option("--ignore-editable-packages", "ignore_editable", is_flag=True,
                 help="Pack although packages are installed in editable mode."),
    click.option("--zip-symlinks", is_flag=True, help="Store links in a zip as links."),
    click.option("--layers", "image_layers", type=click.IntRange(min=1), default=1, metavar="N",
                 help="Layers of an image; big packages get one of their own (default 1)."),
    click.option("--layer-compression", "image_codec", default="gzip",
                 type=click.Choice(["gzip", "zstd", "none"]),
                 help="Of an image's layers (default gzip)."),
    click.option("--base", "image_base", metavar="LAYOUT", default="",
                 help="An OCI layout that an image is built on."),
    click.option("--env", "image_env", multiple=True, metavar="NAME=VALUE",
                 help="A variable of the image; repeatable."),
    click.option("--entrypoint", "image_entrypoint", multiple=True, metavar="WORD",
                 help="The image's entry point, a word at a time; repeatable."),
    click.option("--cmd", "image_command", multiple=True, metavar="WORD",
                 help="The image's default arguments, a word at a time; repeatable."),
    click.option("--user", "image_user", metavar="UID[:GID]", default="",
                 help="The image's user."),
    click.option("--workdir", "image_workdir", metavar="DIR", default="",
                 help="The image's working folder."),
)  # fmt: skip
"""Each is called like the field of `OutputOptions` that it fills, or, after ``image_``, of
`ImageOptions`."""


def _output(*, output: str | None, **values: Any) -> OutputOptions | None:
    """What the options say of an output; None without one. Errors: `UsageProblem`."""
    from dataclasses import fields

    if output is None:
        _check_unused(values)
        return None
    from condaprune.sinks.outputs.options import ImageOptions, OutputOptions, parse_owner

    image = ImageOptions(**{f.name: values.pop(f"image_{f.name}") for f in fields(ImageOptions)})
    owner = parse_owner(values.pop("owner"))
    threads = max(0, values.pop("threads"))  # conda-pack says -1 for all cores
    path, form = _split(output, values.pop("format"))
    return OutputOptions(path, format=form, threads=threads, owner=owner, image=image, **values)


def _split(output: str, form: str) -> tuple[str, str]:
    """The path of an output and its format, from ``FORM=FILE`` or the option for it."""
    name, equals, path = output.partition("=")
    if not (equals and path and _NAME.fullmatch(name)):
        return output, form
    from condaprune.errors import UsageProblem
    from condaprune.sinks.outputs.sink import format_of

    try:
        format_of(path, name)
    except UsageProblem:
        return output, form
    if form and form != name:
        raise UsageProblem(
            f"-o says {name}, --archive-format {form}",
            where="--archive-format",
            remedy="Leave one of them out",
        )
    return path, name


def _check_unused(values: dict[str, Any]) -> None:
    """Refuse a wrong value of an option that is not used. Errors: `UsageProblem`."""
    context = click.get_current_context()
    named = [param.name for param in context.command.params if param.name in values]
    if any(context.get_parameter_source(str(name)) is _COMMANDLINE for name in named):
        made = _output(output="unused/", **values)
        if made is not None and made.format:
            from condaprune.sinks.outputs.sink import format_of

            format_of(made.output, made.format)


output_group = option_group("output", _OPTIONS, _output)
"""The options of an output, as ``output``; None for a run in place."""
