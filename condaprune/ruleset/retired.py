"""Rule ids that were given up: a renamed one still works, none is ever used again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from condaprune.ruleset.format import RetiredFile


@dataclass(frozen=True, slots=True)
class Retired:
    """An id that was given up; `now` is the one that took its place, or empty."""

    id: str
    since: str
    why: str
    now: str

    @property
    def note(self) -> str:
        """One sentence for whoever still uses the id."""
        if self.now:
            return f"Rule {self.id} is called {self.now} since {self.since}: {self.why}"
        return f"Rule {self.id} is gone since {self.since}: {self.why}"


def table(document: RetiredFile) -> Mapping[str, Retired]:
    """The retired ids by id."""
    return {t.id: Retired(t.id, t.since, t.why, t.now) for t in document.retired}
