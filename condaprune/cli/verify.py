"""``condaprune verify``: the differential proof by hand."""

from __future__ import annotations

import json
import sys

import click

from condaprune.live.verify.checks import NAMES


@click.command()
@click.argument("before")
@click.argument("after")
@click.option(
    "--check",
    "checks",
    multiple=True,
    metavar="NAME",
    help=f"Run only this check; repeatable. One of {', '.join(NAMES)}.",
)
@click.option(
    "--manifest",
    metavar="FILE",
    help="The file that `condaprune prune --manifest FILE` wrote: names the rule behind each loss.",
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
    help="The longest that one import or command may take.",
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
    was lost, 1 something was lost, 2 could not run.

    \b
    condaprune verify /env.before /env
    condaprune verify /env slim.tar.zst --manifest slim.json
    """
    from condaprune.cli.progress import Reporter
    from condaprune.files import write_whole
    from condaprune.live.verify import compare
    from condaprune.live.verify.render import render

    with Reporter(quiet=quiet, bars=not no_progress) as progress:
        verification = compare(
            before,
            after,
            checks=checks,
            jobs=jobs,
            timeout=timeout,
            manifest=manifest,
            progress=progress,
        )
    if shown == "json":
        text = json.dumps(verification.to_json(), indent=1) + "\n"
    else:
        text = render(verification)
    if output:
        write_whole(output, text.encode("utf-8", "backslashreplace"))
    else:
        sys.stdout.write(text)
    return 0 if verification.ok else 1
