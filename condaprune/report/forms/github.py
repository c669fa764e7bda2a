"""An audit or a comparison for GitHub Actions: a notice, and the tables in the job's summary."""

from __future__ import annotations

from condaprune.paths import printable
from condaprune.report.audit.compare import Comparison
from condaprune.report.audit.model import Audit
from condaprune.report.forms import Show, markdown
from condaprune.report.forms.text import percent, signed
from condaprune.report.units import size


def audit_text(audit: Audit, show: Show) -> str:
    """A notice with the total; `summary_of` has the tables."""
    total = audit.total
    label = _data(audit.label)
    return f"::notice title=condaprune::{label}: {size(total.bytes)} in {total.files:,} files\n"


def comparison_text(comparison: Comparison, show: Show) -> str:
    """A notice with the change of the total."""
    old, grown = comparison.total.before.bytes, comparison.total.grown
    change = f"{signed(grown)} ({percent(grown, old).replace('%', '%25')})"
    label = _data(comparison.after.label)
    return f"::notice title=condaprune::{label}: {change}\n"


def summary_of(found: Audit | Comparison, show: Show) -> str:
    """The Markdown that belongs into the summary of the job."""
    if isinstance(found, Audit):
        return markdown.audit_text(found, show)
    return markdown.comparison_text(found, show)


def _data(text: str) -> str:
    return printable(text).replace("%", "%25")
