"""``condaprune why``: who needs a package, and can it go?"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from condaprune.cli.completion import packages

if TYPE_CHECKING:
    from condaprune.report.audit.needs import Why

_FEW = 12


@click.command()
@click.argument("env", metavar="ENV")
@click.argument("package", metavar="PACKAGE", shell_complete=packages)
@click.option("--unused", metavar="TRACE", help="Say too whether a run of this trace touched it.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The form of the answer.",
)
def why(env: str, package: str, unused: str | None, form: str) -> None:
    """Show who needs PACKAGE in ENV, by which chain, what would go with it, and whether it can go.

    PACKAGE is a conda package or a Python distribution. What counts is what packages declare:
    `--trace` and the guards of a prune see what the code does.

    \b
    condaprune why /env icu
    condaprune why /env pypi:numpy --unused app.trace
    """
    from condaprune.app.audit import readable_environment
    from condaprune.report.audit.make import Wanted, make_audit
    from condaprune.report.audit.needs import explain_package

    subject = readable_environment(env, "why")
    made = make_audit(subject, Wanted(trace=unused or ""))
    found = explain_package(made, subject.source.inventory(), package)
    sys.stdout.write(_json(found) if form == "json" else "\n".join(_text(found)) + "\n")


def _text(found: Why) -> Iterator[str]:
    from condaprune.paths import printable
    from condaprune.report.units import size

    own = found.own
    yield f"{printable(found.label)} {printable(found.version)}".rstrip()
    yield ""
    yield f"  its own      {size(own.bytes)} in {own.files:,} files"
    alone = f"{len(found.goes_along):,} packages that only it needs"
    yield f"  exclusive    {size(found.exclusive)}, with {alone}"
    for label in found.goes_along[:_FEW]:
        yield f"                 {printable(label)}"
    if len(found.goes_along) > _FEW:
        yield f"                 ... and {len(found.goes_along) - _FEW:,} more"
    yield f"  asked for    {'yes, by a spec' if found.asked else 'not as far as the records tell'}"
    if found.direct:
        yield f"  needed by    {', '.join(map(printable, found.direct[:_FEW]))}"
        if len(found.direct) > _FEW:
            yield f"               ... and {len(found.direct) - _FEW:,} more"
    for number, chain in enumerate(found.chains):
        head = "by way of" if not number else ""
        yield f"  {head:<11}  {' -> '.join(map(printable, chain))}"
    if found.roots > len(found.chains):
        yield f"               ... and from {found.roots - len(found.chains):,} more"
    if found.unused is not None:
        yield f"  trace        {'touched nothing of it' if found.unused else 'touched it'}"
    yield ""
    yield f"  {_verdict(found)}"


def _verdict(found: Why) -> str:
    from condaprune.paths import printable
    from condaprune.report.units import size

    if not found.can_go:
        users = f"{len(found.direct):,} packages say that they need it"
        if len(found.direct) == 1:
            users = f"{printable(found.direct[0])} says that it needs it"
        return f"It cannot go by itself: {users}."
    if found.asked:
        return (
            f"It can go if you do not use it yourself: you asked for it. {size(found.exclusive)}."
        )
    return (
        f"It can go if your code does not import or run it: nothing needs it. "
        f"{size(found.exclusive)}."
    )


def _json(found: Why) -> str:
    from condaprune.report.audit.saved import SCHEMA
    from condaprune.version import __version__

    data = {
        "format": "condaprune-why",
        "schema": SCHEMA,
        "tool": {"name": "condaprune", "version": __version__},
        "package": found.label,
        "version": found.version,
        "bytes": found.own.bytes,
        "files": found.own.files,
        "exclusive": found.exclusive,
        "goes_along": list(found.goes_along),
        "needed_by": list(found.direct),
        "needs": list(found.needs),
        "chains": [list(chain) for chain in found.chains],
        "asked_for": found.asked,
        "can_go": found.can_go,
        "unused": found.unused,
    }
    return json.dumps(data, indent=1) + "\n"
