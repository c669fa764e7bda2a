"""Workflow commands of GitHub Actions: a notice, and an error for each limit that is not kept.

The tables go into the summary of the job, as Markdown.
"""

from __future__ import annotations

from collections.abc import Iterator

from condaprune.paths import printable
from condaprune.report.audit.check import Verdict
from condaprune.report.audit.compare import Comparison
from condaprune.report.audit.model import Audit
from condaprune.report.forms.text import finding_text, headline
from condaprune.report.layout import Show, changed, size


def audit(audit: Audit, _show: Show) -> Iterator[str]:
    """A notice with the total."""
    total = audit.total
    yield _notice(f"{audit.label}: {size(total.bytes)} in {total.files:,} files")


def comparison(comparison: Comparison, _show: Show) -> Iterator[str]:
    """A notice with the change of the total."""
    total = comparison.total
    yield _notice(f"{comparison.after.label}: {changed(total.before.bytes, total.after.bytes)}")


def verdict(verdict: Verdict, _show: Show) -> Iterator[str]:
    """An error for each limit that is not kept, and a notice with the verdict."""
    for finding in verdict.failed:
        message = f". {finding.limit.message}" if finding.limit.message else ""
        title = _data(f"condaprune: {finding.limit.label} is over budget")
        title = title.replace(":", "%3A").replace(",", "%2C")
        yield f"::error title={title}::{_data(finding_text(finding) + message)}"
    yield _notice(headline(verdict))


def _notice(text: str) -> str:
    return f"::notice title=condaprune::{_data(text)}"


def _data(text: str) -> str:
    """A text as the data of a workflow command: no line end in it starts another command."""
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
