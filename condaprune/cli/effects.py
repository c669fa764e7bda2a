"""Nothing silent: wrong values found before the scan, options without an effect, patterns that
match nothing."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from condaprune.cli.terminal import say
from condaprune.errors import UsageProblem, nearest
from condaprune.paths import printable

if TYPE_CHECKING:
    from condaprune.model import Inventory
    from condaprune.request.request import Request
    from condaprune.rule import Rule
    from condaprune.sinks.outputs.options import OutputOptions

_OWN = "condaprune.own"
_OUTPUT = (
    "force", "format", "level", "threads", "dest_prefix", "owner", "mode", "arcroot",
    "ignore_editable", "zip_symlinks",
)  # fmt: skip
_IMAGE = (
    "image_layers", "image_codec", "image_base", "image_env", "image_entrypoint", "image_command",
    "image_user", "image_workdir",
)  # fmt: skip
_ONE_THREAD = ("folder", "tar", "zip")
_CLOSURE = "imports"
_LIMITS = ("entries", "size", "ratio", "links_out")


def warn(text: str) -> None:
    """Say that something was not as it may have been meant; not where only errors are wanted."""
    if not click.get_current_context().params.get("quiet"):
        say(f"warning: {text}")


def given(names: Iterable[str]) -> Iterator[str]:
    """As they are written, those of the options called *names* that the command line gives."""
    context = click.get_current_context()
    options = {param.name: param for param in context.command.params}
    for name in names:
        source = context.get_parameter_source(name)
        if name in options and source is ParameterSource.COMMANDLINE:
            yield next(word for word in options[name].opts if word.startswith("--"))


def warn_idle(names: Iterable[str], why: str) -> None:
    """Warn of each of these options that is given: it has no effect, and *why*."""
    for option in given(names):
        warn(f"{option} has no effect {why}")


def remember_own(request: Request) -> None:
    """Note what the command line itself asks for, without the configuration."""
    click.get_current_context().meta[_OWN] = request


def check_values(request: Request) -> None:
    """Refuse what is wrong whatever the environment is. Errors: `CondapruneError`."""
    if request.closure != _CLOSURE:
        from condaprune.traces.needs import CLOSURES

        if request.closure not in CLOSURES:
            what = f"there is no closure {request.closure!r}"
            raise UsageProblem(what, where="--closure", remedy=nearest(request.closure, CLOSURES))
    if request.no_guard:
        from condaprune.guards import GUARDS

        for name in request.no_guard:
            if name != "all" and name not in GUARDS:
                raise UsageProblem(
                    f"there is no guard named {name!r}",
                    where="--no-guard",
                    remedy=nearest(name, list(GUARDS)),
                )
    if request.keep or request.drop:
        from condaprune.ruleset.match import check_patterns

        check_patterns("--keep", request.keep)
        check_patterns("--drop", request.drop)
    for file in request.traces:
        if not os.path.lexists(file):
            from condaprune.traces.format import read_trace

            read_trace(file)
    named = request.select or request.ignore or request.settings or request.rule_files
    if named or request.profile or request.suppress:
        from condaprune.request.rules import choose_rules

        choose_rules(request)


def warn_of_request(request: Request) -> None:
    """Warn of options of a request that have no effect beside the others."""
    if not request.drop_packages:
        warn_idle(("with_orphans",), "without --drop-package")
    if not request.only_traced:
        warn_idle(("closure",), "without --only-traced")
    if not request.traces:
        warn_idle(("accept_failed",), "without --trace")
    if click.get_current_context().params.get("isolated"):
        warn_idle(("config_file",), "with --isolated")


def warn_of_output(output: OutputOptions | None) -> None:
    """Warn of options of an output that have no effect on this one, or without one."""
    if output is None:
        warn_idle((*_OUTPUT, *_IMAGE), "without -o")
        return
    from condaprune.sinks.outputs.sink import format_of

    form = format_of(output.output, output.format).name
    if not form.startswith("oci"):
        warn_idle(_IMAGE, "but on an image (-o env.oci)")
    if form == "zip":
        warn_idle(("owner",), "on a zip, which holds no owners")
    else:
        warn_idle(("zip_symlinks",), "but on a zip")
    if form in _ONE_THREAD:
        warn_idle(("threads",), f"on the format {form}, which is written by one")
    warn_idle(("allow_self", "yes"), "with -o, which leaves ENV as it is")


def warn_of_limits(prefix: str) -> None:
    """Warn of limits for archives where the environment is a prefix."""
    if prefix:
        warn_idle(_LIMITS, "on an environment that is no archive")


def check_matches(request: Request, inventory: Inventory) -> None:
    """Hold what a request names against an environment.

    What the command line keeps and is not there is an error, since it is a slip that would cost a
    file. All else that is not there is a warning: a configuration may serve several environments.
    Errors: `UsageProblem`.
    """
    own: Request = click.get_current_context().meta.get(_OWN) or request
    if request.keep or request.drop:
        _check_patterns(request, own, inventory)
    if own.select or own.ignore or own.settings:
        _check_rules(request, own, inventory)


def _check_patterns(request: Request, own: Request, inventory: Inventory) -> None:
    from condaprune.ruleset.unmatched import nearest_path, unmatched

    kept = unmatched(request.keep, inventory)
    for pattern in kept:
        near = nearest_path(pattern, inventory)
        if pattern in own.keep and not pattern.startswith("!"):
            option, text = _written(pattern, "keep")
            raise UsageProblem(
                f"matches nothing in {printable(inventory.label)}",
                where=f"{option} {text!r}",
                remedy=f"The nearest path is {near}" if near else "Nothing there is like it",
            )
        if pattern not in own.keep:
            warn(f"{printable(request.origin)}: keep {pattern!r} matches nothing{_near(near)}")
    for pattern in unmatched(request.drop, inventory):
        if pattern.startswith("!") and pattern[1:] in own.keep:
            continue  # --include, which is said above
        option, text = _written(pattern, "drop")
        if pattern not in own.drop:
            option = f"{printable(request.origin)}: drop"
        warn(f"{option} {text!r} matches nothing{_near(nearest_path(pattern, inventory))}")


def warn_of_excludes(patterns: Sequence[str], *inventories: Inventory) -> None:
    """Warn of patterns of ``--exclude`` that match nothing in any of these environments."""
    from condaprune.ruleset.match import check_patterns
    from condaprune.ruleset.unmatched import nearest_path, unmatched

    check_patterns("--exclude", patterns)
    for pattern in patterns:
        if all(unmatched((pattern,), inventory) for inventory in inventories):
            near = nearest_path(pattern, inventories[0])
            warn(f"--exclude {pattern!r} matches nothing{_near(near)}")


def _written(pattern: str, option: str) -> tuple[str, str]:
    """The option that made a pattern, and the pattern as it was given."""
    from condaprune.ruleset.patterns import GLOB

    if not pattern.startswith(GLOB):
        return f"--{option}", pattern
    return "--include" if option == "keep" else "--exclude", pattern.removeprefix(GLOB)


def _near(path: str) -> str:
    return f"; the nearest path is {path}" if path else ""


def _check_rules(request: Request, own: Request, inventory: Inventory) -> None:
    from condaprune.names import canonical_name
    from condaprune.request.rules import choose_rules

    packages = {canonical_name(owner.name) for owner in inventory.packages}
    rules = choose_rules(replace(request, ignore=(), select=(*request.select, *own.ignore)))[0]
    without = tuple(name for name in request.ignore if name not in own.ignore)
    apply = {rule.id for rule in choose_rules(replace(request, ignore=without))[0]}
    set_ = [text.partition(".")[0] for text in own.settings]
    for option, names in (("--select", own.select), ("--ignore", own.ignore), ("--set", set_)):
        for name in names:
            named = [rule for rule in rules if name in (rule.id, rule.category)]
            lacking = _lacking(named, packages)
            if option != "--ignore" and name in own.ignore:
                warn(f"{option} {name} has no effect: --ignore {name} leaves it out")
            elif lacking:
                warn(f"{option} {name} has no effect here: there is no {' or '.join(lacking)}")
            elif option == "--ignore" and named and not apply & {rule.id for rule in named}:
                profile = request.profile or "runtime"
                warn(f"--ignore {name} has no effect: profile {profile} leaves it out as it is")


def _lacking(rules: Collection[Rule], packages: Collection[str]) -> list[str]:
    """The packages that all of *rules* are about, where there is none of them."""
    from condaprune.names import canonical_name

    if not rules or not all(rule.package for rule in rules):
        return []
    names = {name.rpartition(":")[2] for rule in rules for name in rule.package}
    return [] if {canonical_name(n) for n in names} & set(packages) else sorted(names)[:3]
