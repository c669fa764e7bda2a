"""Workflow commands of GitHub Actions: a notice, and an error for each limit that is not kept.

The tables go into the summary of the job, as Markdown.
"""

from __future__ import annotations

from condaprune.paths import printable
from condaprune.report.audit.check import Verdict
from condaprune.report.audit.compare import Comparison
from condaprune.report.audit.model import Audit
from condaprune.report.forms.text import finding_text, headline
from condaprune.report.layout import Show, percent, signed, size


def audit(audit: Audit, _show: Show) -> str:
    """A notice with the total."""
    total = audit.total
    return _notice(f"{audit.label}: {size(total.bytes)} in {total.files:,} files")


def comparison(comparison: Comparison, _show: Show) -> str:
    """A notice with the change of the total."""
    old, grown = comparison.total.before.bytes, comparison.total.grown
    return _notice(f"{comparison.after.label}: {signed(grown)} ({percent(grown, old)})")


def verdict(verdict: Verdict, _show: Show) -> str:
    """An error for each limit that is not kept, and a notice with the verdict."""
    lines = []
    for finding in verdict.failed:
        message = f". {finding.limit.message}" if finding.limit.message else ""
        title = _data(f"condaprune: {finding.limit.label} is over budget")
        title = title.replace(":", "%3A").replace(",", "%2C")
        lines.append(f"::error title={title}::{_data(finding_text(finding) + message)}\n")
    return "".join(lines) + _notice(headline(verdict))


def _notice(text: str) -> str:
    return f"::notice title=condaprune::{_data(text)}\n"


def _data(text: str) -> str:
    """A text as the data of a workflow command: no line end in it starts another command."""
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
