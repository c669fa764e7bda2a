"""Runs the command line in this process and catches what it prints."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass

from condaprune.cli import run


@dataclass(frozen=True, slots=True)
class Ran:
    """Exit status and streams of a finished command."""

    status: int
    out: str
    err: str


def condaprune(*arguments: object) -> Ran:
    """Run condaprune with *arguments*."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = run([str(argument) for argument in arguments])
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else 1
    return Ran(status, out.getvalue(), err.getvalue())
