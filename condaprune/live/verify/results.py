"""What a verification found, as immutable data that becomes JSON and text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Culprit:
    """A removed file that explains a loss, and the rule that removed it (empty: not known)."""

    path: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that worked before and does not work after.

    `check` is the check that saw it, `kind` its type (module, command, library, ...), `before`
    and `after` the observation on either side, `evidence` one line such as the exception,
    `removed` the removed files that explain it. `announcement` is the sentence of a rule's
    ``breaks`` that announced it, `rule` the rule that removed the thing itself on purpose.
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
    """Something that could not be checked, and why; `subject` is empty for a whole check."""

    check: str
    subject: str
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The findings of one check; `counted` things worked before and were compared."""

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
    announces; `removed` are things whose own files went on purpose. `notes` are findings about
    the verification itself, one sentence each (isolation, files that were written meanwhile).
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
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything that worked before still works, or a rule announces the loss."""
        return not self.lost

    def to_json(self) -> dict[str, object]:
        """The report as plain data; paths and names are text, times are seconds."""
        first = {"schema": SCHEMA, "before": self.before, "after": self.after, "ok": self.ok}
        return {**first, **asdict(self)}
