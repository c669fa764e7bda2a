"""``condaprune verify``: the differential proof by hand."""

from __future__ import annotations

import json
import os
import sys

import click


@click.command()
@click.argument("before")
@click.argument("after")
@click.option(
    "--check",
    "checks",
    multiple=True,
    metavar="NAME",
    help="Run this check only; repeatable. One of links, elf, metadata, environment, unpack, "
    "commands, imports.",
)
@click.option(
    "--manifest",
    metavar="FILE",
    help="What `condaprune prune --manifest FILE` wrote: names the rule behind each loss.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="How many processes run at a time.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="What one import or command may take.",
)
@click.option(
    "--format",
    "shown",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The form of the report.",
)
@click.option("-o", "--output", metavar="FILE", help="Write the report to FILE, not to stdout.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
@click.option("--no-progress", is_flag=True, help="No bars on a terminal.")
def verify(
    before: str,
    after: str,
    checks: tuple[str, ...],
    manifest: str | None,
    jobs: int,
    timeout: float,
    shown: str,
    output: str | None,
    quiet: bool,
    no_progress: bool,
) -> int:
    """Prove that AFTER still does what BEFORE did; each is a prefix or an archive of one.

    Runs code of both environments in a scratch folder, without network. Exit status: 0 nothing
    was lost, 1 something was, 2 could not run.

    \b
    condaprune verify /env.before /env
    condaprune verify /env slim.tar.zst --manifest slim.json
    """
    from condaprune.cli.progress import Reporter
    from condaprune.live.verify import compare
    from condaprune.live.verify.render import render

    with Reporter(quiet=quiet, bars=not no_progress) as progress:
        found = compare(
            before,
            after,
            checks=checks,
            jobs=jobs,
            timeout=timeout,
            manifest=manifest,
            progress=progress,
        )
    text = json.dumps(found.to_json(), indent=1) + "\n" if shown == "json" else render(found)
    if output:
        temporary = f"{output}.part"
        with open(temporary, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        os.replace(temporary, output)
    else:
        sys.stdout.write(text)
    return 0 if found.ok else 1
