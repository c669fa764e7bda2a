"""Thousands of files may ask for the same thousands of others: each is gone through once."""

from __future__ import annotations

from collections.abc import Iterator


class Once:
    """Goes through tuples of paths, each tuple once however many files share it.

    The tuples must live as long as this, since they are known by their identity.
    """

    def __init__(self) -> None:
        self._left_out: dict[int, str] = {}

    def of(self, targets: tuple[str, ...], but: str = "") -> Iterator[str]:
        """Those of *targets* that were not given before, *but* the file that asks for them: that
        is given to the next one."""
        left_out = self._left_out.get(id(targets))
        if left_out is None:
            self._left_out[id(targets)] = but if but in targets else ""
            yield from (target for target in targets if target != but)
        elif left_out and left_out != but:
            self._left_out[id(targets)] = ""
            yield left_out
