"""``condaprune audit --runtime`` and ``--dockerfile``: what an image has to bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from condaprune.cli.outputs import Output, write_all
from condaprune.errors import UsageProblem


def show_runtime(
    env: str,
    outputs: Sequence[Output],
    *,
    dockerfile: bool,
    run: bool,
    quiet: bool,
    planned: Mapping[str, Any] | None = None,
) -> None:
    """Show the runtime needs of ENV, or the final stage of a Dockerfile for it.

    With *planned*, options of `condaprune.api.plan`, the needs are those of what it keeps.
    Errors: `SourceError`; `UsageProblem` for what has no contents to read.
    """
    from condaprune.report.audit.baseimages import fits
    from condaprune.report.audit.model import Audit
    from condaprune.report.audit.runtime import runtime_needs
    from condaprune.report.audit.subject import open_subject
    from condaprune.report.forms import needs as shown

    for output in outputs:
        if output.form not in ("text", "json"):
            raise UsageProblem(
                f"the form {output.form} cannot hold runtime needs",
                where="--runtime",
                remedy="Forms that can: text, json",
            )
    subject = open_subject(env)
    if isinstance(subject, Audit) or subject.kind == "path list":
        raise UsageProblem(
            "runtime needs are read from the files themselves, and this holds none",
            where=env,
            remedy="Name the environment or an archive of it",
        )
    removed: set[str] = set()
    if planned is not None:
        from condaprune import api

        plan = api.plan(subject.source, **planned)
        removed = {path for path in plan.decisions if plan.removes(path)}
    needs = runtime_needs(subject, subject.source.inventory(), removed)
    if run:
        from condaprune.report.audit.activation import run_activation

        if not subject.prefix:
            raise UsageProblem(
                "activation scripts can be run only in an environment on disk",
                where="--run-activation",
                remedy="Unpack the archive, or leave the option out",
            )
        scripts = [path for path in needs.activation if path.endswith(".sh")]
        needs = replace(needs, variables=run_activation(subject.prefix, scripts))
    bases = fits(needs)

    def render(output: Output) -> str:
        if dockerfile:
            return shown.dockerfile(needs, bases)
        if output.form == "json":
            return shown.document(needs, bases)
        return shown.text(needs, bases)

    write_all(outputs, render, quiet)
