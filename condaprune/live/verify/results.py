"""What a verification found, as immutable data that goes to JSON and text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

SCHEMA = 1

Verdict = Literal["lost", "announced", "removed"]


@dataclass(frozen=True, slots=True)
class Culprit:
    """A removed file that explains a loss, and the rule that removed it (empty: not known)."""

    path: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that worked before and does not work after.

    `check` is the check that saw it, `kind` what it is (module, command, library, ...), `before`
    and `after` what was seen on either side, `evidence` one line such as the exception, `removed`
    the removed files that explain it. `announcement` is the sentence of a rule's ``breaks`` that
    told of it; `rule` the rule that removed the thing itself on purpose.
    """

    check: str
    kind: str
    name: str
    before: str
    after: str
    evidence: str = ""
    removed: tuple[Culprit, ...] = ()
    rule: str = ""
    announcement: str = ""


@dataclass(frozen=True, slots=True)
class Unchecked:
    """What could not be checked, and why. `subject` is empty for a whole check."""

    check: str
    subject: str
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one check found: `counted` is how many things worked before and were compared."""

    counted: int = 0
    lost: tuple[Finding, ...] = ()
    removed: tuple[Finding, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """The numbers of one check: worked before and compared, lost, announced, removed, unchecked."""

    compared: int
    lost: int
    announced: int
    removed: int
    unchecked: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Verification:
    """The differential proof of one environment against another.

    `lost` worked before and does not work after; `announced` are losses that a rule's ``breaks``
    told of; `removed` are things whose own files went on purpose. `notes` are findings about the
    verification itself, one sentence each (isolation, files that were written meanwhile).
    """

    before: str
    after: str
    checks: tuple[str, ...]
    lost: tuple[Finding, ...]
    announced: tuple[Finding, ...]
    removed: tuple[Finding, ...]
    unchecked: tuple[Unchecked, ...]
    counts: Mapping[str, Count]
    seconds: float
    notes: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether nothing that worked before stopped working unannounced."""
        return not self.lost

    def to_json(self) -> dict[str, object]:
        """The report as plain data; paths and names are text, times are seconds."""
        return {
            "schema": SCHEMA,
            "before": self.before,
            "after": self.after,
            "ok": self.ok,
            "checks": list(self.checks),
            "lost": [_finding(f) for f in self.lost],
            "announced": [_finding(f) for f in self.announced],
            "removed": [_finding(f) for f in self.removed],
            "unchecked": [
                {"check": u.check, "subject": u.subject, "why": u.why} for u in self.unchecked
            ],
            "counts": {
                name: {
                    "compared": c.compared,
                    "lost": c.lost,
                    "announced": c.announced,
                    "removed": c.removed,
                    "unchecked": c.unchecked,
                    "seconds": round(c.seconds, 3),
                }
                for name, c in self.counts.items()
            },
            "seconds": round(self.seconds, 3),
            "notes": list(self.notes),
        }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "check": finding.check,
        "kind": finding.kind,
        "name": finding.name,
        "before": finding.before,
        "after": finding.after,
        "evidence": finding.evidence,
        "removed": [{"path": c.path, "rule": c.rule} for c in finding.removed],
        "rule": finding.rule,
        "announcement": finding.announcement,
    }
