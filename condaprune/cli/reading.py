"""The options that bound what an archive may ask of its reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from condaprune.sources.base import Source

_COUNT = click.IntRange(min=1)
_OPTIONS = (
    click.option("--max-entries", type=_COUNT, metavar="N",
                 help="Refuse archives with more members (default 2,000,000)."),
    click.option("--max-size", type=_COUNT, metavar="BYTES",
                 help="Refuse archives that unpack to more (default 256 GiB)."),
    click.option("--max-ratio", type=_COUNT, metavar="N",
                 help="Refuse archives that grow more on unpacking (default 300 times)."),
    click.option("--links-out", is_flag=True,
                 help="Take an archive whose links point out of it; they are never followed."),
)  # fmt: skip


def reading_options(command: Any) -> Any:
    """Add the options; `take_source` takes them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_source(environment: str, options: dict[str, Any]) -> Source:
    """Open ENV under these options, which are taken out of what the command was given."""
    from condaprune import api

    given = {
        "entries": options.pop("max_entries"),
        "size": options.pop("max_size"),
        "ratio": options.pop("max_ratio"),
        "links_out": options.pop("links_out"),
    }
    wanted = {name: value for name, value in given.items() if value}
    if not wanted:
        return api.open_source(environment)
    from condaprune.sources.members import Limits

    return api.open_source(environment, Limits(**wanted))
