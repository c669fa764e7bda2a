"""What a group of wheels is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Group:
    """Wheels that are installed together: `requirements` for PyPI, `checks` by name."""

    requirements: tuple[str, ...]
    checks: dict[str, str]
