"""The one error this package raises on purpose."""

from __future__ import annotations

from pathlib import Path


class BuildError(RuntimeError):
    """An environment could not be built: what failed, where, and what to do about it."""

    def __init__(
        self, what: str, *, where: str | Path | None = None, fix: str | None = None
    ) -> None:
        super().__init__(what, where, fix)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where is not None else ""
        remedy = f"\n  what to do: {self.fix}" if self.fix else ""
        return f"{self.what}{place}{remedy}"
