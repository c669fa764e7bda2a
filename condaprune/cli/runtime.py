"""``condaprune audit --runtime`` and ``--dockerfile``: what an image has to bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from condaprune.cli.files import Files
from condaprune.cli.outputs import Output, make_show, write_all, write_output
from condaprune.errors import UsageProblem
from condaprune.request.request import Request


def show_runtime(
    env: str,
    outputs: Sequence[Output],
    files: Files,
    *,
    dockerfile: bool,
    run: bool,
    quiet: bool,
    request: Request | None = None,
) -> None:
    """Show the runtime needs of ENV, or the final stage of a Dockerfile for it.

    With a *request* the needs are those of what its plan keeps.
    Errors: `SourceError`; `UsageProblem` for what has no contents to read.
    """
    from condaprune.app.audit import readable_environment
    from condaprune.report.audit.runtime import run_activation, runtime_needs
    from condaprune.report.forms import NEEDS
    from condaprune.report.forms.needs import dockerfile as final_stage

    subject = readable_environment(env, "--runtime")
    removed: set[str] = set()
    if request is not None:
        from condaprune.planning.planner import make_plan

        removed = {entry.path for entry in make_plan(subject, request).removed()}
    needs = runtime_needs(subject, removed)
    if run:
        if not subject.prefix:
            raise UsageProblem(
                "activation scripts can be run only in an environment on disk",
                where="--run-activation",
                remedy="Unpack the archive, or leave the option out",
            )
        scripts = [path for path in needs.activation if path.endswith(".sh")]
        needs = replace(needs, variables=run_activation(subject.prefix, scripts))
    if not dockerfile:
        write_all(outputs, NEEDS, needs, make_show(), files, quiet=quiet)
    for output in outputs if dockerfile else ():
        write_output(output, final_stage(needs), files, quiet=quiet)
