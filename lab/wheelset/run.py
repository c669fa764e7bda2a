"""Runs the checks of a group before and after a prune, and says what no longer works."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
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
    with tempfile.TemporaryDirectory(prefix="check-", ignore_cleanup_errors=True) as folder:
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


def regressions(
    before: Mapping[str, Outcome], after: Mapping[str, Outcome], announced: Collection[str] = ()
) -> dict[str, str]:
    """The checks that passed before and do not now, with what they said.

    A check that cannot import one of the *announced* top-level modules is not a regression: a rule
    of the profile says that it removes that package as a whole.
    """
    return {
        name: after[name].said
        for name, outcome in before.items()
        if outcome.passed and not after[name].passed and _missing(after[name]) not in announced
    }


def _missing(outcome: Outcome) -> str:
    """The module whose absence ended a check; empty where it ended for another reason."""
    last = outcome.said.rpartition("\n")[2]
    found = re.fullmatch(r"ModuleNotFoundError: No module named '(\w+)'", last)
    return found[1] if found else ""


def announced_modules(manifest: Path) -> set[str]:
    """What the rules that were applied say they break, by the names they quote."""
    rules = json.loads(manifest.read_text("utf-8"))["rules"]
    texts = [text for row in rules for text in row.get("breaks", ())]
    return {name for text in texts for name in re.findall(r"`(\w+)`", text)}


def prune(prefix: Path, profile: str, manifest: Path, *options: str) -> None:
    """Prune an environment in place, as a user would from a terminal."""
    subprocess.run(
        [sys.executable, "-m", "condaprune", prefix, "--profile", profile, "--manifest", manifest,
         "--yes", "-q", "--isolated", *options],
        check=True,
    )  # fmt: skip
