"""``condaprune verify``: the differential proof by hand."""

from __future__ import annotations

import click

from condaprune.cli import effects
from condaprune.cli.command import Command
from condaprune.cli.options import quiet_option
from condaprune.cli.outputs import Output, form_option, make_show, open_outputs, write_output
from condaprune.live.verify.checks import NAMES
from condaprune.report.forms import FORMS, VERIFICATION, able, check_form, form_of, render


@click.command(cls=Command)
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
    "--package",
    "packages",
    multiple=True,
    metavar="NAME",
    help="Try imports and commands of this package alone; repeatable.",
)
@click.option(
    "--changed-only",
    is_flag=True,
    help="Try imports and commands of those packages alone of which a file went or changed.",
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
@form_option(VERIFICATION, "shown")
@click.option(
    "-o", "--output", metavar="[FORM=]FILE", help="Write the report to FILE, not to stdout."
)
@quiet_option
@click.option("--no-progress", is_flag=True, help="No bars on a terminal.")
def verify(
    before: str,
    after: str,
    checks: tuple[str, ...],
    packages: tuple[str, ...],
    changed_only: bool,
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
    from condaprune.live.verify.proof import compare

    target = _target(output, shown)
    files = open_outputs([target])
    with Reporter(quiet=quiet, bars=not no_progress) as progress:
        verification = compare(
            before,
            after,
            checks=checks,
            jobs=jobs,
            timeout=timeout,
            manifest=manifest,
            packages=packages,
            changed_only=changed_only,
            progress=progress,
        )
    text = render(target.form, VERIFICATION, verification, make_show())
    write_output(target, text, files, quiet=True)
    return 0 if verification.ok else 1


def _target(output: str | None, shown: str) -> Output:
    """Where the report goes, and its form. Errors: `UsageProblem`."""
    if output is None:
        return Output(shown, "-")
    form, equals, path = output.partition("=")
    if equals and form in FORMS:
        check_form(form, VERIFICATION)
        return Output(form, path)
    named = form_of(output)
    if any(effects.given(("shown",))):
        if named != shown:
            effects.warn(f"--format is for stdout: say the form by -o {shown}={output}")
        return Output(shown, output)
    if named and named not in able(VERIFICATION):
        effects.warn(f"the form {named} cannot hold {VERIFICATION.words}: -o {output} gets text")
        named = "text"
    return Output(named or "text", output)
