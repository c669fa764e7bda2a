"""The forms of reports, and which reports each can hold: a new form is one file and one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Generic, TypeVar

from condaprune.errors import UsageProblem
from condaprune.report.layout import Show

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
    """A kind of report; `words` name it in messages."""

    name: str
    words: str


AUDIT: Report[Audit] = Report("audit", "an audit")
COMPARISON: Report[Comparison] = Report("comparison", "a comparison")
VERDICT: Report[Verdict] = Report("verdict", "a verdict")
PRUNE: Report[Prune] = Report("prune", "the report of a prune")
NEEDS: Report[Needs] = Report("needs", "runtime needs")
WHY: Report[Why] = Report("why", "the reasons for a package")
EXPLANATION: Report[Answers] = Report("explanation", "an explanation")
STATUS: Report[Status] = Report("status", "a status")
VERIFICATION: Report[Verification] = Report("verification", "a verification")


@dataclass(frozen=True, slots=True)
class Form:
    """The suffixes of its files, and by module the reports it can hold.

    In that module, below `condaprune.report`, the function ``REPORT_as_FORM`` gives its lines.
    """

    suffixes: tuple[str, ...]
    modules: Mapping[str, str]

    def module(self, report: str) -> str:
        """The module that renders a report; empty where the form cannot hold it."""
        return next((name for name, held in self.modules.items() if report in held.split()), "")


FORMS: Mapping[str, Form] = {
    "text": Form(
        (".txt",),
        {
            "forms.text": "audit comparison verdict",
            "forms.needs": "needs",
            "forms.answers": "why status verification",
            "explain": "explanation",
            "prune": "prune",
        },
    ),
    "json": Form(
        (".json",),
        {
            "forms.document": "audit comparison verdict needs why",
            "forms.answers": "status verification",
            "explain": "explanation",
            "prune": "prune",
        },
    ),
    "csv": Form((".csv",), {"forms.exports": "audit comparison"}),
    "md": Form((".md",), {"forms.ci": "audit comparison verdict"}),
    "ncdu": Form((".ncdu",), {"forms.exports": "audit"}),
    "html": Form((".html", ".htm"), {"forms.page": "audit comparison"}),
    "github": Form((), {"forms.ci": "audit comparison verdict"}),
}


def form_of(path: str) -> str:
    """The form that the suffix of a file names; empty where there is none."""
    ends = path.lower()
    return next((name for name, form in FORMS.items() if ends.endswith(form.suffixes)), "")


def able(report: Report[T]) -> tuple[str, ...]:
    """The forms that can hold a report."""
    return tuple(name for name, form in FORMS.items() if form.module(report.name))


def check_form(name: str, report: Report[T]) -> None:
    """Refuse a form that cannot hold a report. Errors: `UsageProblem`."""
    forms = able(report)
    if name not in forms:
        raise UsageProblem(
            f"the form {name} cannot hold {report.words}",
            where="-o",
            remedy=f"Forms that can: {', '.join(forms)}",
        )


def render(name: str, report: Report[T], data: T, show: Show) -> str:
    """A report in a form. Errors: `UsageProblem` where the form cannot hold it."""
    check_form(name, report)
    module = import_module(f"condaprune.report.{FORMS[name].module(report.name)}")
    lines: Callable[[T, Show], Iterable[str]] = getattr(module, f"{report.name}_as_{name}")
    return "".join(f"{line}\n" for line in lines(data, show))
