"""The options that say what may go, shared by all commands that make a plan."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from condaprune.cli import completion

if TYPE_CHECKING:
    from condaprune.model import Plan, Progress
    from condaprune.report.audit.subject import Subject
    from condaprune.request.config import Config
    from condaprune.sources.base import Source
    from condaprune.traces.trace import Trace


Completion = Callable[[click.Context, click.Parameter, str], list[str]]


def _list(
    name: str, metavar: str, text: str, *more: str, complete: Completion | None = None
) -> Callable[[Any], Any]:
    return click.option(
        name, *more, multiple=True, metavar=metavar, help=f"{text}; repeatable.",
        shell_complete=complete,
    )  # fmt: skip


_OPTIONS = (
    click.option("--profile", metavar="NAME", shell_complete=completion.profiles,
                 help="Which rules apply: safe, runtime (the default), minimal, or your own."),
    _list("--rules", "FILE", "A rule file of your own (TOML); its rules apply", "rule_files"),
    _list("--select", "RULE", "Add a rule or a category",
          complete=completion.rules_and_categories),
    _list("--ignore", "RULE", "Leave out a rule or a category",
          complete=completion.rules_and_categories),
    _list("--set", "RULE.NAME=A,B", "Set a rule's parameter", "settings"),
    _list("--keep", "PATTERN", "Keep what matches, whatever else says"),
    _list("--drop", "PATTERN", "Remove what matches, unless a guard needs it"),
    _list("--drop-package", "NAME", "Remove a package as a whole", "drop_packages",
          complete=completion.packages),
    click.option("--with-orphans", is_flag=True,
                 help="With --drop-package: also what only it needs."),
    _list("--only-packages", "NAME", "Keep only these packages and what they need",
          complete=completion.packages),
    click.option("--keep-conda-meta", type=click.Choice(["drop", "slim", "full"]),
                 help="What stays of conda's records (default: drop; an SBOM takes their place)."),
    click.option("--bytecode", type=click.Choice(["drop", "keep", "hash"]),
                 help="Compiled Python: drop (what the default profile does), keep, or hash: keep, "
                 "and load it without a look at its source."),
    click.option("--strip", is_flag=True,
                 help="Take symbols and debug data off programs and libraries; what is loaded "
                 "stays byte by byte."),
    _list("--trace", "FILE", "Keep what a trace touched", "traces"),
    click.option("--accept-failed", is_flag=True,
                 help="Use a trace whose command failed."),
    click.option("--only-traced", is_flag=True,
                 help="Keep what the traces touched and what that needs, nothing else."),
    click.option("--closure", metavar="NAME", default="imports",
                 help="How far --only-traced keeps more: none, imports (the default), package."),
    _list("--no-guard", "NAME", "Switch a guard off, or all (the report says so)", "guards_off",
          complete=completion.guards),
    click.option("--config", "config_file", metavar="FILE",
                 help="The configuration (default: the nearest condaprune.toml or pyproject)."),
    click.option("--isolated", is_flag=True, help="Ignore any configuration."),
)  # fmt: skip


def selection_options(command: Any) -> Any:
    """Add the options; the command passes what they collect to `plan_for`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_config(config_file: str | None, isolated: bool) -> Config | None:
    """The configuration that applies to this run; None without one. Errors: `ConfigError`."""
    from condaprune.request.find import find_config

    path = "" if isolated else config_file or find_config(os.getcwd())
    if not path:
        return None
    from condaprune.request.config import load_config

    return load_config(path)


def _merge(options: Mapping[str, Any], config: Config | None) -> dict[str, Any]:
    """The options with the configuration's lists before their own, and its values where they
    have none."""
    found = dict(options)
    if config is not None:
        values = config.values
        found["rule_files"] = (*config.beside(values.rules), *options["rule_files"])
        found["traces"] = (*config.beside(values.trace), *options["traces"])
        found["settings"] = (*values.set, *options["settings"])
        found["guards_off"] = (*values.no_guard, *options["guards_off"])
        for name in ("select", "ignore", "keep", "drop", "drop_packages", "only_packages"):
            found[name] = (*getattr(values, name), *options[name])
        for name in ("profile", "keep_conda_meta", "bytecode", "strip"):
            found[name] = options[name] or getattr(values, name)
    return found


def configured_plan(subject: Subject, progress: Progress) -> Plan:
    """The plan of ``condaprune ENV`` without options: what the configuration asks for.

    Errors: `UsageProblem` for a subject that cannot be pruned.
    """
    from condaprune.errors import UsageProblem
    from condaprune.report.audit.model import Audit

    if isinstance(subject, Audit) or subject.kind == "path list":
        raise UsageProblem(
            "only an environment or an archive can be counted as pruned",
            where="--pruned",
            remedy="Name the environment itself",
        )
    command: click.Command = selection_options(click.Command("prune"))
    return plan_for(subject.source, command.make_context("prune", []).params, progress)


def plan_for(source: Source, options: Mapping[str, Any], progress: Progress) -> Plan:
    """The plan that the command line and the configuration ask for.

    Options of the command line add to the configuration's lists and overrule its single values.
    """
    from condaprune import api

    config = read_config(options["config_file"], options["isolated"])
    options = _merge(options, config)
    traces = _read(options["traces"], source)
    traced: Mapping[str, str] | None = None
    dropped: Mapping[str, str] | None = None
    guards_off: tuple[str, ...] = options["guards_off"]
    notes = traces.notes
    failed = options["accept_failed"]
    if options["only_traced"]:
        from condaprune.traces.only import only_traced

        only = only_traced(
            traces.traces, source.inventory(), closure=options["closure"], accept_failed=failed
        )
        traced, dropped, notes = only.kept, only.dropped, notes + only.risks
        guards_off = (*guards_off, *only.guards_off)
    elif traces.traces:
        from condaprune.traces.needs import traced_needs

        traced = traced_needs(traces.traces, source.inventory(), accept_failed=failed)
    plan = api.plan(
        source,
        profile=options["profile"] or "runtime",
        rule_files=options["rule_files"],
        select=options["select"],
        ignore=options["ignore"],
        settings=options["settings"],
        keep=options["keep"],
        drop=options["drop"],
        traced=traced,
        dropped=dropped,
        guards_off=guards_off,
        drop_packages=options["drop_packages"],
        with_orphans=options["with_orphans"],
        only_packages=options["only_packages"],
        keep_conda_meta=options["keep_conda_meta"] or "drop",
        bytecode=options["bytecode"] or "profile",
        strip=options["strip"],
        config=config,
        progress=progress,
    )
    return replace(plan, notes=plan.notes + notes) if notes else plan


class _Traces(NamedTuple):
    """Traces as read, with a note for each that is of another environment."""

    traces: list[Trace]
    notes: tuple[str, ...]


def _read(files: Sequence[str], source: Source) -> _Traces:
    if not files:
        return _Traces([], ())
    from condaprune.traces.ageing import fingerprint_difference
    from condaprune.traces.format import read_trace

    traces = [read_trace(file) for file in files]
    inventory = source.inventory()
    differences = [fingerprint_difference(trace, inventory) for trace in traces]
    notes = tuple(
        f"{file} was recorded in another environment: {difference}"
        for file, difference in zip(files, differences, strict=True)
        if difference
    )
    return _Traces(traces, notes)
