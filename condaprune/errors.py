"""What can go wrong, typed: every error says what, where and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from condaprune.paths import printable

_LONGEST = 100  # characters of a name that is offered
_MOST = 500


class CondapruneError(Exception):
    """The base of all errors a user can meet; the command line prints it and exits with 2.

    *what* is one sentence without a trailing full stop, *where* the file, folder or option it is
    about (may be empty), *remedy* what the user can do about it. *details* are lines for below.
    All may hold text of an environment; `str` gives them fit for a terminal.
    """

    exit_code = 2

    def __init__(
        self, what: str, *, where: str = "", remedy: str = "", details: Sequence[str] = ()
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy
        self.details = tuple(details)

    def __str__(self) -> str:
        said = f"{self.where}: {self.what}." if self.where else f"{self.what}."
        if not self.details:
            return printable(f"{said} {self.remedy}".rstrip())
        remedy = [self.remedy] if self.remedy else []
        return "\n".join(map(printable, (said, *self.details, *remedy)))


class UsageProblem(CondapruneError):
    """Options that do not fit together, or a value no option takes."""


class SourceError(CondapruneError):
    """The environment cannot be read: missing, no conda prefix, not readable."""


class ProtectedPathError(SourceError):
    """A folder that is never touched: `/`, the home folder, condaprune's own environment."""


class ArchiveError(SourceError):
    """An archive that is truncated, unknown, hostile or damaged."""


class RuleError(CondapruneError):
    """A rule file that cannot be used."""


class ConfigError(CondapruneError):
    """A configuration file that cannot be used."""


class SinkError(CondapruneError):
    """The result cannot be written: the output exists, is inside the prefix, is read-only, ..."""


class TraceError(CondapruneError):
    """A trace that cannot be recorded or read."""


class VerificationFailed(CondapruneError):
    """The pruned environment does not do what the original did; the answer is no."""

    exit_code = 1


def nearest(word: str, known: Sequence[str]) -> str:
    """A ``did you mean`` remedy for a misspelt word, or the list of what there is."""
    import difflib

    # Comparing takes time by the square of the length, and a name may be of any length.
    short = [name for name in known if len(name) <= _LONGEST]
    close = difflib.get_close_matches(word[:_LONGEST], short, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]!r}?"
    more = f" and {len(short) - _MOST:,} more" if len(short) > _MOST else ""
    return f"Known: {', '.join(sorted(short)[:_MOST])}{more}"
