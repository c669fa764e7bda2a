"""Runs the command line in this process and catches what it prints."""

from __future__ import annotations

import contextlib
import io
import sys
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
        stdin, sys.stdin = sys.stdin, io.StringIO()  # nobody is there to be asked
        try:
            status = run([str(argument) for argument in arguments])
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else 1
        finally:
            sys.stdin = stdin
    return Ran(status, out.getvalue(), err.getvalue())
