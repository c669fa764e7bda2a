"""Runs the checks of a group before and after a prune, and tells what no longer works."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check came to: whether it passed, and the end of what it said if it did not."""

    passed: bool
    said: str = ""


def run_checks(prefix: Path, checks: Mapping[str, str]) -> dict[str, Outcome]:
    """Every check in a process and folder of its own, with the environment's Python.

    Nothing of the caller's Python reaches them, and no bytecode is written into the environment.
    """
    return {name: _run(prefix, code) for name, code in checks.items()}


def _run(prefix: Path, code: str) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="check-") as folder:
        script = Path(folder, "check_.py")
        script.write_text(code + "\n", "utf-8")
        environment = {
            "PATH": f"{prefix}/bin{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "HOME": folder,
            "TMPDIR": folder,
            "PYTHONDONTWRITEBYTECODE": "1",
            "LANG": "C.UTF-8",
        }
        try:
            done = subprocess.run(
                [prefix / "bin/python", script],
                cwd=folder, env=environment, capture_output=True, text=True, errors="replace",
                timeout=_SECONDS, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Outcome(False, f"no end after {_SECONDS} s")
        said = (done.stdout + done.stderr).strip()
        return Outcome(done.returncode == 0, "" if done.returncode == 0 else said[-1500:])


def regressions(before: Mapping[str, Outcome], after: Mapping[str, Outcome]) -> dict[str, str]:
    """The checks that passed before and do not now, with what they said."""
    return {
        name: after[name].said
        for name, outcome in before.items()
        if outcome.passed and not after[name].passed
    }


def prune(prefix: Path, profile: str, manifest: Path) -> None:
    """Prune an environment in place, as a user would from a terminal."""
    subprocess.run(
        [sys.executable, "-m", "condaprune", prefix, "--profile", profile, "--manifest", manifest,
         "-q", "--isolated"],
        check=True,
    )  # fmt: skip
