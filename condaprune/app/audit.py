"""An audit: an environment's account by package, category and folder, with a plan laid over."""

from __future__ import annotations

from dataclasses import replace

from condaprune.errors import UsageProblem
from condaprune.model import Progress, no_progress
from condaprune.report.audit.make import Wanted, make_audit, regrouped
from condaprune.report.audit.model import Audit
from condaprune.report.audit.subject import Subject, open_subject
from condaprune.request.request import DEFAULT_PROFILE, Request
from condaprune.sources.base import Source


def audit(
    name: str | Subject,
    wanted: Wanted | None = None,
    request: Request | None = None,
    *,
    pruned: bool = False,
    progress: Progress = no_progress,
) -> Audit:
    """The audit of what *name* is: a saved one is handed back, grouped as *wanted*.

    The plan of a *request* is laid over; *pruned* counts only what that would leave. Errors:
    `SourceError`, `ArchiveError`, `UsageProblem`, and those of `condaprune.planning.make_plan`.
    """
    wanted = wanted or Wanted()
    subject = open_subject(name) if isinstance(name, str) else name
    if isinstance(subject, Audit):
        if pruned:
            raise _not_prunable()
        profile = "" if request is None else request.profile or DEFAULT_PROFILE
        return regrouped(subject, replace(wanted, profile=profile))
    if request is None:
        return make_audit(subject, wanted, progress=progress)
    from condaprune.planning.planner import make_plan

    if pruned and not subject.readable:
        raise _not_prunable()
    plan = make_plan(subject, request, progress=progress)
    return make_audit(subject, wanted, plan, pruned=pruned, progress=progress)


def readable_environment(name: str, option: str) -> Source:
    """What *name* is, if it is an environment with contents. Errors: `UsageProblem`."""
    subject = open_subject(name)
    if isinstance(subject, Audit) or not subject.readable:
        raise UsageProblem(
            "this reads the files themselves, and a list of files is all there is",
            where=option,
            remedy="Name the environment or an archive of it",
        )
    return subject


def _not_prunable() -> UsageProblem:
    return UsageProblem(
        "only an environment or an archive can be counted as pruned",
        where="--pruned",
        remedy="Name the environment itself",
    )
