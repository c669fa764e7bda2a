"""``condaprune rules``: what the rules are, and whether they pass their tests."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from condaprune.cli.completion import rule_ids
from condaprune.cli.options import quiet_option
from condaprune.cli.terminal import put
from condaprune.report.rendering import as_json, as_text
from condaprune.version import DOCS

if TYPE_CHECKING:
    from condaprune.rule import Rule

_FILES = click.option(
    "--rules", "files", multiple=True, metavar="FILE", help="Also the rules of FILE; repeatable."
)
_FORMAT = click.option(
    "--format", "shown", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="The form of the answer.",
)  # fmt: skip


def _load(files: tuple[str, ...]) -> tuple[Rule, ...]:
    from condaprune.ruleset import combine, load_builtin, load_file

    return combine(load_builtin(), *(load_file(file) for file in files))


@click.group(epilog=f"Docs: {DOCS}")
def rules() -> None:
    """Show the rules, and test them."""


@rules.command("list")
@_FILES
@_FORMAT
@click.option("--profile", metavar="NAME", help="Only the rules of a profile.")
@click.option("--package", metavar="NAME", help="Only the rules of a package.")
@click.option("--category", metavar="NAME", help="Only the rules of a category.")
def list_(
    files: tuple[str, ...],
    shown: str,
    profile: str | None,
    package: str | None,
    category: str | None,
) -> None:
    """One line for each rule: id, risk, category, package."""
    from condaprune.errors import UsageProblem, nearest
    from condaprune.report.rules import render_list, rule_data
    from condaprune.ruleset import choose

    found = _load(files)
    categories = {rule.category for rule in found}
    if category and category not in categories:
        raise UsageProblem(
            f"no category {category!r}", where="--category",
            remedy=nearest(category, sorted(categories)),
        )  # fmt: skip
    if profile:
        found = choose(found, profile)
    found = tuple(
        rule
        for rule in found
        if (not package or package in {name.partition(":")[2] or name for name in rule.package})
        and (not category or rule.category == category)
    )
    if shown == "json":
        put(as_json([json.dumps([rule_data(rule) for rule in found], indent=1)]))
    else:
        put(render_list(found))


@rules.command()
@click.argument("identity", metavar="ID", shell_complete=rule_ids)
@click.argument("env", required=False)
@_FILES
@_FORMAT
def show(identity: str, env: str | None, files: tuple[str, ...], shown: str) -> None:
    """The page of rule ID: what, why, what breaks; with ENV what it saves there."""
    from condaprune.errors import UsageProblem, nearest
    from condaprune.report.rules import render_page, rule_data

    by_id = {rule.id: rule for rule in _load(files)}
    if identity not in by_id:
        raise UsageProblem(
            f"no rule {identity!r}", where="rules show", remedy=nearest(identity, sorted(by_id))
        )
    rule = by_id[identity]
    plan = None
    if env is not None:
        from condaprune.planning.planner import make_plan
        from condaprune.request.request import Request
        from condaprune.sources.find import find_source

        others = tuple(name for name in by_id if name != identity)
        request = Request(rule_files=files, select=(identity,), ignore=others)
        plan = make_plan(find_source(env), request)
    if shown == "json":
        put(as_json([json.dumps(rule_data(rule), indent=1)]))
    else:
        put(render_page(rule, plan))


@rules.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@quiet_option
def test(files: tuple[str, ...], quiet: bool) -> None:
    """Run the examples of every rule, the built-in ones and those of each FILE.

    Every pattern needs an example that it alone decides, ids are unique, and no rule hides another.
    Exits with 1 when a rule fails.
    """
    from condaprune.ruleset.check import check_rules

    found = _load(files)
    problems = check_rules(found)
    put(as_text(map(str, problems)))
    if not quiet:
        packages = sum(bool(rule.package) for rule in found)
        verdict = f"{len(problems)} problems" if problems else "all pass"
        put(as_text([f"{len(found)} rules, {packages} of them for packages: {verdict}"]))
    if problems:
        sys.exit(1)


@rules.command()
def schema() -> None:
    """The JSON Schema of rule files, for editors and validators."""
    from condaprune.ruleset import rule_schema

    put(as_json([json.dumps(rule_schema(), indent=2)]))
