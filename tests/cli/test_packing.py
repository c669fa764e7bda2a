"""Each option of an output fills the field that is called like it."""

from __future__ import annotations

import click
from click.testing import CliRunner

from condaprune.cli.packing import output_group
from condaprune.sinks.outputs.options import ImageOptions, OutputOptions

ALL = (
    "--archive-format oci --compress-level 3 --threads 2 --dest-prefix /opt/x --owner 7:8"
    " --mode keep --arcroot a --ignore-editable-packages --zip-symlinks --layers 5"
    " --layer-compression zstd --base b --env A=1 --env B=2 --entrypoint e --entrypoint f"
    " --cmd c --user 9 --workdir /w"
)


def parsed(arguments: str, output: str | None = "o") -> OutputOptions | None:
    taken: list[OutputOptions | None] = []

    @click.command()
    @output_group
    def command(output: OutputOptions | None) -> None:
        taken.append(output)

    given = ["--force", *(["-o", output] if output else []), *arguments.split()]
    result = CliRunner().invoke(command, given)
    assert result.exit_code == 0, result.output
    return taken[0]


def test_every_option_reaches_its_field() -> None:
    image = ImageOptions(5, ("A=1", "B=2"), ("e", "f"), ("c",), "9", "/w", "b", "zstd")
    assert parsed(ALL) == OutputOptions(
        "o", "oci", True, 3, 2, "/opt/x", (7, 8), "keep", "a", True, True, image
    )


def test_the_defaults_are_those_of_the_options() -> None:
    assert parsed("") == OutputOptions("o", force=True)


def test_without_an_output_nothing_is_asked_for() -> None:
    assert parsed(ALL, None) is None
