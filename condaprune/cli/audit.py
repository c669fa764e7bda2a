"""``condaprune audit``: where the bytes go."""

from __future__ import annotations

import click

from condaprune.cli import completion
from condaprune.cli.outputs import (
    Output,
    append_summary,
    output_options,
    parse_outputs,
    plain_bars,
    terminal_width,
    write_all,
    write_text,
)
from condaprune.report.audit.model import VIEWS


@click.command()
@click.argument("env", metavar="ENV")
@click.option(
    "--by",
    multiple=True,
    type=click.Choice(VIEWS),
    help="Only these views (text, Markdown, CSV); repeatable. `rule` is a dry run.",
)
@click.option(
    "--depth",
    type=click.IntRange(min=1, max=64),
    default=1,
    show_default=True,
    metavar="N",
    help="Levels of folders.",
)
@click.option(
    "--profile",
    metavar="NAME",
    shell_complete=completion.profiles,
    help="Lay the rules of a profile over: what would go.",
)
@click.option("--guards", is_flag=True, help="Ask the guards too, as a prune would; slower.")
@click.option(
    "--rules", "rule_files", multiple=True, metavar="FILE", help="A rule file of your own."
)
@click.option(
    "--select",
    multiple=True,
    metavar="RULE",
    shell_complete=completion.rules_and_categories,
    help="Add a rule or a category.",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="RULE",
    shell_complete=completion.rules_and_categories,
    help="Leave out a rule or a category.",
)
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave out what matches.")
@click.option("--exact", is_flag=True, help="Compress everything instead of a sample.")
@click.option("--quick", is_flag=True, help="Read no contents: no compressed sizes, no symbols.")
@click.option("--duplicates", is_flag=True, help="Find files of equal content.")
@click.option("--exclusive", is_flag=True, help="What would go with each package.")
@click.option("--unused", metavar="TRACE", help="What no run of this trace touched.")
@click.option("--runtime", is_flag=True, help="What a runtime image has to bring, instead.")
@click.option(
    "--run-activation", is_flag=True, help="With --runtime: run the activation scripts in a shell."
)
@click.option("--dockerfile", is_flag=True, help="Print a final stage for a Dockerfile, instead.")
@click.option("--save", metavar="FILE", help="Save a baseline, small enough to commit.")
@click.option("--all-files", is_flag=True, help="List every file in JSON and CSV.")
@output_options
def audit(
    env: str,
    by: tuple[str, ...],
    depth: int,
    profile: str | None,
    guards: bool,
    rule_files: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    exclude: tuple[str, ...],
    exact: bool,
    quick: bool,
    duplicates: bool,
    exclusive: bool,
    unused: str | None,
    runtime: bool,
    run_activation: bool,
    dockerfile: bool,
    save: str | None,
    all_files: bool,
    outputs: tuple[str, ...],
    form: str | None,
    top: int,
    quiet: bool,
    no_progress: bool,
) -> None:
    """Show where the bytes of ENV go; nothing is changed.

    ENV is a prefix, an archive, the name of an environment, the manifest of a prune, a path list,
    or a saved audit.

    \b
    condaprune audit /env                                packages, categories, folders
    condaprune audit /env --profile runtime -o html=a.html   with what a prune would take
    condaprune audit /env --save base.json               a baseline for `condaprune check`
    """
    wanted_outputs = parse_outputs(outputs, form)
    if runtime or dockerfile or run_activation:
        from condaprune.cli.runtime import show_runtime

        planned = None
        if profile or select or ignore or rule_files:
            names = _configured(profile or "runtime", select, ignore)
            planned = dict(zip(("profile", "select", "ignore"), names, strict=True))
            planned["rule_files"] = rule_files
        show_runtime(
            env,
            wanted_outputs,
            dockerfile=dockerfile,
            run=run_activation,
            quiet=quiet,
            planned=planned,
        )
        return
    from condaprune.cli.progress import Reporter
    from condaprune.report.audit.make import Wanted
    from condaprune.report.audit.make import audit as make_audit
    from condaprune.report.audit.model import Audit
    from condaprune.report.audit.saved import to_json
    from condaprune.report.audit.subject import open_subject
    from condaprune.report.forms import Show, audit_format
    from condaprune.report.forms.github import summary_of

    subject = open_subject(env)
    rules_wanted = guards or "rule" in by or select or ignore or rule_files
    if rules_wanted and not isinstance(subject, Audit):
        profile = profile or "runtime"
    if profile and not isinstance(subject, Audit):
        profile, select, ignore = _configured(profile, select, ignore)
    wanted = Wanted(
        depth=depth,
        compressed="exact" if exact else "no" if quick else "sample",
        strippable=not quick,
        duplicates=duplicates,
        exclusive=exclusive,
        profile=profile or "",
        guards=guards,
        rule_files=rule_files,
        select=select,
        ignore=ignore,
        exclude=exclude,
        trace=unused or "",
    )
    with Reporter(quiet=quiet, bars=not no_progress) as progress:
        made = make_audit(subject, wanted, progress=progress)
    show = Show(tuple(by), top, terminal_width(), all_files, plain_bars())

    def render(output: Output) -> str:
        if output.form == "github":
            append_summary(summary_of(made, show))
        return audit_format(output.form)(made, show)

    write_all(wanted_outputs, render, quiet)
    if save:
        write_text(save, to_json(made, baseline=True))
        if not quiet:
            click.echo(f"condaprune: saved the baseline {save}", err=True)


def _configured(
    profile: str, select: tuple[str, ...], ignore: tuple[str, ...]
) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """A profile as the configuration beside the working folder knows it, where it is its own.

    Errors: `ConfigError`.
    """
    from condaprune.cli.selection import read_config

    config = read_config(None, False)
    if config is None:
        return profile, select, ignore
    base, more, less = config.profile(profile)
    return base, (*more, *select), (*less, *ignore)
