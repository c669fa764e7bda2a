"""What a check found, as text, JSON, Markdown and GitHub annotations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from condaprune.paths import printable
from condaprune.report.audit.check import Finding, Verdict
from condaprune.report.audit.saved import SCHEMA
from condaprune.report.forms.markdown import changes_table, escaped
from condaprune.report.forms.text import change_label, percent, shorten, signed
from condaprune.report.units import size
from condaprune.version import __version__


def text(verdict: Verdict, width: int) -> str:
    """The verdict as text: what failed and by how much first, then what grew most."""
    return "\n".join(_text(verdict, width)) + "\n"


def _text(verdict: Verdict, width: int) -> Iterator[str]:
    failed = verdict.failed
    pruned = " (as a prune would leave it)" if verdict.audit.pruned else ""
    yield f"{printable(verdict.audit.label)}{pruned}: {headline(verdict)}"
    if failed and verdict.grew:
        yield ""
        yield "  grew most since the baseline"
        names = [change_label(change) for change in verdict.grew]
        room = min(max(map(len, names)), max(20, width - 36))
        for change, name in zip(verdict.grew, names, strict=True):
            old, new = change.before.bytes, change.after.bytes
            yield (
                f"    {shorten(name, room):<{room}}  {signed(new - old):>9}  "
                f"{percent(new - old, old):>8}  to {size(new)}"
            )
    yield ""
    for finding in verdict.findings:
        yield f"  {'ok  ' if finding.kept else 'FAIL'}  {finding_text(finding)}"
        if not finding.kept and finding.limit.message:
            yield f"        {finding.limit.message}"


def headline(verdict: Verdict) -> str:
    """The verdict in one sentence."""
    count, failed = len(verdict.findings), len(verdict.failed)
    if not failed:
        return f"within budget ({count} {'check' if count == 1 else 'checks'})"
    most = ""
    if verdict.grew:
        change = verdict.grew[0]
        grown = f"is new with {size(change.after.bytes)}"
        if change.old:
            grown = f"grew most, by {size(change.grown)}"
        most = f"; {change_label(change)} {grown}"
    return f"over budget ({failed} of {count} {'check' if count == 1 else 'checks'} failed{most})"


def finding_text(finding: Finding) -> str:
    """One finding as a line: what, how it stands, over by how much."""
    over = ""
    if not finding.kept and finding.kind in ("max", "growth"):
        over = f", over by {size(finding.over)}"
    elif not finding.kept and finding.kind == "max_files":
        over = f", {finding.over:,} too many"
    measure = "" if finding.limit.measure == "bytes" else f" ({finding.limit.measure})"
    return f"{printable(finding.limit.label)}{measure}: {finding.text}{over}"


def document(verdict: Verdict) -> str:
    """The verdict as JSON."""
    data: dict[str, Any] = {
        "format": "condaprune-check",
        "schema": SCHEMA,
        "tool": {"name": "condaprune", "version": __version__},
        "environment": verdict.audit.label,
        "baseline": verdict.baseline.label if verdict.baseline else None,
        "passed": not verdict.failed,
        "checks": [
            {
                "scope": finding.limit.scope,
                "name": finding.limit.name,
                "kind": finding.kind,
                "measure": finding.limit.measure,
                "passed": finding.kept,
                "actual": finding.actual,
                "limit": finding.allowed,
                "over": finding.over,
                "baseline": finding.base,
                "text": finding.text,
                "message": finding.limit.message,
            }
            for finding in verdict.findings
        ],
        "grew_most": [
            {
                "name": change.name,
                "before": change.before.bytes if change.old else None,
                "after": change.after.bytes,
                "delta": change.grown,
                "version_before": change.before.version,
                "version_after": change.after.version,
            }
            for change in verdict.grew
        ],
    }
    return json.dumps(data, indent=1) + "\n"


def markdown(verdict: Verdict) -> str:
    """The verdict as Markdown, for the summary of a CI job."""
    lines = [f"## {escaped(verdict.audit.label)}: {escaped(headline(verdict))}", ""]
    if verdict.grew:
        lines += [*changes_table("grew most", verdict.grew, 0), ""]
    lines += ["| | check | found |", "|:--|:--|:--|"]
    for finding in verdict.findings:
        mark = "✅" if finding.kept else "❌"
        found = finding_text(finding).partition(": ")[2]
        message = finding.limit.message if not finding.kept else ""
        found = f"{found}. {message}" if message else found
        lines.append(f"| {mark} | {escaped(finding.limit.label)} | {escaped(found)} |")
    return "\n".join(lines) + "\n"


def github(verdict: Verdict) -> str:
    """Workflow commands of GitHub Actions: an error for each limit that is not kept."""
    lines = []
    for finding in verdict.failed:
        message = f". {finding.limit.message}" if finding.limit.message else ""
        title = _property(f"condaprune: {finding.limit.label} is over budget")
        body = _data(finding_text(finding) + message)
        lines.append(f"::error title={title}::{body}")
    lines.append(f"::notice title=condaprune::{_data(headline(verdict))}")
    return "\n".join(lines) + "\n"


def _data(text: str) -> str:
    """A text as the data of a workflow command: no line end of it starts another command."""
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
