"""``--verify imports``: every module that could be imported before still can be."""

from __future__ import annotations

from condaprune.live.trials.base import Failure
from condaprune.live.verify import ImportResults, compare_imports, sweep
from condaprune.model import Plan, Progress

_TIMEOUT = 60.0
_SHOWN = 200


class ImportsTrial:
    """The differential import sweep of `condaprune verify`."""

    name = "imports"

    def __init__(self) -> None:
        self._baseline: ImportResults | None = None

    def prepare(self, prefix: str, progress: Progress) -> None:
        """Import everything once before anything goes. Errors: `SourceError`."""
        if self._baseline is None:
            self._baseline = sweep(prefix, progress=progress)

    def run(self, prefix: str, plan: Plan, *, seconds: float = 0.0) -> Failure | None:
        """Import everything again and compare; *seconds* bounds a single import."""
        assert self._baseline is not None
        limit = min(seconds, _TIMEOUT) if seconds else _TIMEOUT
        found = compare_imports(self._baseline, prefix, removed=plan, timeout=limit)
        if found.ok:
            return None
        lines = [f"{finding.name}: {finding.evidence}" for finding in found.lost[:_SHOWN]]
        count = len(found.lost)
        return Failure(
            self.name,
            f"{count} module{'s' * (count != 1)} can be imported no more",
            "\n".join(lines),
        )
