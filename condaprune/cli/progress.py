"""Progress on stderr: a bar on a terminal, one plain line a phase and a heartbeat elsewhere.

Both say how much time is left where a phase knows how long it is.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from condaprune.cli.terminal import say
from condaprune.paths import printable

HEARTBEAT_SECONDS = 10.0


class Reporter:
    """Shows the progress of a run; a context manager, called as `condaprune.model.Progress`."""

    def __init__(self, *, quiet: bool = False, bars: bool = True) -> None:
        self._quiet = quiet
        self._bars = bars and not quiet and sys.stderr.isatty()
        self._phase = ""
        self._bar: Any = None
        self._began = self._last = 0.0

    def __enter__(self) -> Reporter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()

    def __call__(self, phase: str, done: int, total: int) -> None:
        if self._quiet:
            return
        if self._bars:
            self._show(phase, done, total)
            return
        now = time.monotonic()
        if phase != self._phase:
            self._phase, self._began, self._last = phase, now, now
            say(f"{phase} ...")
        elif now - self._last >= HEARTBEAT_SECONDS:
            self._last = now
            part = f" of {total:,}" if total else ""
            say(f"{phase}: {done:,}{part}{_left(done, total, now - self._began)}")

    def _show(self, phase: str, done: int, total: int) -> None:
        if phase != self._phase:
            from tqdm import tqdm

            self.clear()
            self._phase = phase
            self._bar = tqdm(
                total=total or None,
                desc=printable(phase),
                leave=False,
                mininterval=0.5,
                file=sys.stderr,
            )
        if self._bar is not None:
            self._bar.update(done - self._bar.n)

    def clear(self) -> None:
        """Take the bar off the terminal, for what is to be read there."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _left(done: int, total: int, seconds: float) -> str:
    """How much time is left of a phase that has done a part of its steps in these seconds."""
    if not 0 < done < total:
        return ""
    left = seconds * (total - done) / done
    return f", about {left / 60:.0f} min left" if left >= 120 else f", about {left:.0f} s left"
