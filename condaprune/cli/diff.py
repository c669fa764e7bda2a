"""``condaprune diff``: what changed between two environments."""

from __future__ import annotations

import click

from condaprune.cli import effects
from condaprune.cli.command import Command
from condaprune.cli.outputs import (
    make_show,
    open_outputs,
    output_options,
    parse_outputs,
    write_all,
)
from condaprune.report.audit.compare import VIEWS


@click.command(cls=Command)
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--by", multiple=True, type=click.Choice(VIEWS), help="Only these views; repeatable.")
@click.option(
    "--depth",
    type=click.IntRange(min=1, max=64),
    default=2,
    show_default=True,
    metavar="N",
    help="Levels of folders.",
)
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave out what matches.")
@output_options
def diff(
    before: str,
    after: str,
    by: tuple[str, ...],
    depth: int,
    exclude: tuple[str, ...],
    outputs: tuple[str, ...],
    form: str | None,
    top: int,
    quiet: bool,
    no_progress: bool,
) -> None:
    """Show what changed from A to B: prefixes, archives, saved audits, path lists, or manifests.

    Rows without a change are left out, the largest change comes first. An upgrade is one row.

    \b
    condaprune diff base.json /env
    condaprune diff old.tar.zst new.tar.zst --by package -o md=-
    """
    from condaprune.app.audit import audit as make_audit
    from condaprune.cli.progress import Reporter
    from condaprune.errors import UsageProblem
    from condaprune.report.audit.compare import compare
    from condaprune.report.audit.make import Wanted
    from condaprune.report.audit.model import Audit
    from condaprune.report.audit.subject import open_subject
    from condaprune.report.forms import COMPARISON
    from condaprune.request.find import read_config
    from condaprune.request.request import Request

    wanted_outputs = parse_outputs(outputs, form, COMPARISON)
    files = open_outputs(wanted_outputs)
    subjects = [open_subject(name) for name in (before, after)]
    # A saved audit has the depth and the excludes it was made with, and may count what a prune
    # would leave; the other side follows.
    documents = [subject for subject in subjects if isinstance(subject, Audit)]
    for document in documents:
        depth = min(depth, document.depth) if not document.items else depth
        exclude = exclude or document.exclude
    wanted = Wanted(depth=depth, exclude=exclude)
    if exclude and not documents:
        inventories = [s.inventory() for s in subjects if not isinstance(s, Audit)]
        effects.warn_of_excludes(exclude, *inventories)
    with Reporter(quiet=quiet, bars=not no_progress) as progress:
        pruned = any(document.pruned for document in documents)
        request = (
            Request().configured(read_config(environments=(before, after))) if pruned else None
        )
        first, second = (
            make_audit(subject, wanted)
            if isinstance(subject, Audit)
            else make_audit(subject, wanted, request, pruned=pruned, progress=progress)
            for subject in subjects
        )
    if first.pruned != second.pruned:
        raise UsageProblem(
            "one of these audits counts what a prune would leave, the other the whole",
            where=f"{before}, {after}",
            remedy="Save both in the same way",
        )
    if (first.source == "manifest") != (second.source == "manifest"):
        raise UsageProblem(
            "a manifest says what was removed, and can be compared only with another manifest",
            where=f"{before}, {after}",
            remedy="Compare environments, archives or saved audits",
        )
    if "file" in by and not (first.items and second.items):
        raise UsageProblem(
            "a saved audit without its files cannot be compared file by file",
            where="--by file",
            remedy="Save it with `condaprune audit ENV --all-files -o json=FILE`",
        )
    comparison = compare(first, second, by)
    write_all(wanted_outputs, COMPARISON, comparison, make_show(by, top), files, quiet=quiet)
