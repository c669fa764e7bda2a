"""The forms of reports, and by which module each report gets which form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Generic, TypeVar

from condaprune.errors import UsageProblem
from condaprune.report.layout import Show
from condaprune.report.rendering import SEAMS, Rendering

if TYPE_CHECKING:
    from condaprune.live.verify.results import Verification
    from condaprune.report.audit.check import Verdict
    from condaprune.report.audit.compare import Comparison
    from condaprune.report.audit.model import Audit
    from condaprune.report.audit.needs import Why
    from condaprune.report.audit.runtime import Needs
    from condaprune.report.explain import Answers
    from condaprune.report.forms.answers import Status
    from condaprune.report.prune import Prune

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Report(Generic[T]):
    """A kind of report; `words` name it in messages, `modules` are by form those that render it.

    In that module, below `condaprune.report`, the function ``REPORT_as_FORM`` gives its lines, rows
    or whatever else `condaprune.report.rendering` writes that form from.
    """

    name: str
    words: str
    modules: Mapping[str, str]


FORMS: Mapping[str, tuple[str, ...]] = {
    "text": (".txt",),
    "json": (".json",),
    "csv": (".csv",),
    "md": (".md",),
    "ncdu": (".ncdu",),
    "html": (".html", ".htm"),
    "github": (),
}
"""The forms with the suffixes of their files."""


def _text_and_json(module: str) -> Mapping[str, str]:
    return {"text": module, "json": module}


_VERDICT = {"text": "forms.text", "json": "forms.document", "md": "forms.ci", "github": "forms.ci"}
_COMPARISON = {**_VERDICT, "csv": "forms.exports", "html": "forms.page"}
_AUDIT = {**_COMPARISON, "ncdu": "forms.exports"}
_ANSWER = _text_and_json("forms.answers")

AUDIT: Report[Audit] = Report("audit", "an audit", _AUDIT)
COMPARISON: Report[Comparison] = Report("comparison", "a comparison", _COMPARISON)
VERDICT: Report[Verdict] = Report("verdict", "a verdict", _VERDICT)
PRUNE: Report[Prune] = Report("prune", "the report of a prune", _text_and_json("prune"))
EXPLANATION: Report[Answers] = Report("explanation", "an explanation", _text_and_json("explain"))
NEEDS: Report[Needs] = Report("needs", "runtime needs", _text_and_json("forms.needs"))
WHY: Report[Why] = Report("why", "the reasons for a package", _ANSWER)
STATUS: Report[Status] = Report("status", "a status", _ANSWER)
VERIFICATION: Report[Verification] = Report("verification", "a verification", _ANSWER)


def form_of(path: str) -> str:
    """The form that the suffix of a file names; empty where there is none."""
    ends = path.lower()
    return next((name for name, suffixes in FORMS.items() if ends.endswith(suffixes)), "")


def able(report: Report[T]) -> tuple[str, ...]:
    """The forms that can hold a report."""
    return tuple(name for name in FORMS if name in report.modules)


def check_form(name: str, report: Report[T]) -> None:
    """Refuse a form that cannot hold a report. Errors: `UsageProblem`."""
    forms = able(report)
    if name not in forms:
        raise UsageProblem(
            f"the form {name} cannot hold {report.words}",
            where="-o",
            remedy=f"Forms that can: {', '.join(forms)}",
        )


def render(name: str, report: Report[T], data: T, show: Show) -> Rendering:
    """A report in a form. Errors: `UsageProblem` where the form cannot hold it."""
    check_form(name, report)
    module = import_module(f"condaprune.report.{report.modules[name]}")
    parts: Callable[[T, Show], Iterable[object]] = getattr(module, f"{report.name}_as_{name}")
    return SEAMS[name](parts(data, show))
