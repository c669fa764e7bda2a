"""Runs a command trial under a recorder: what it looked for in vain, or what it opened."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence

from condaprune.errors import TraceError
from condaprune.live.trace.recorders import make_recorder
from condaprune.live.trace.recorders.base import Launch, Recording
from condaprune.live.trials.base import Failure, Trial
from condaprune.live.trials.command import CommandTrial
from condaprune.model import Plan


def looked_for(trial: Trial, prefix: str, plan: Plan, *, seconds: float = 0.0) -> Mapping[str, str]:
    """The paths of the prefix that a trial asks for in vain, with the reason in words.

    Empty for what is no command, and where strace is missing or not allowed.
    """
    found = _record("strace", trial, prefix, plan, seconds)
    if found is None:
        return {}
    return {
        path: "looked for in vain"
        for path, entry in found[0].entries.items()
        if "enoent" in entry.kinds
    }


def touched(
    trial: Trial, prefix: str, plan: Plan, *, seconds: float = 0.0
) -> tuple[Mapping[str, str], Failure | None] | None:
    """The paths of the prefix that a trial opens, with the reason, and whether it failed.

    None for what is no command, and where nothing can be recorded.
    """
    for name in ("strace", "inotify"):
        found = _record(name, trial, prefix, plan, seconds)
        if found is not None:
            recording, failure = found
            kinds = {"open", "exec", "readlink", "stat"}
            paths = {
                path: f"used by {trial.name!r} before anything was removed"
                for path, entry in recording.entries.items()
                if kinds & entry.kinds
            }
            return paths, failure
    return None


def _record(
    name: str, trial: Trial, prefix: str, plan: Plan, seconds: float
) -> tuple[Recording, Failure | None] | None:
    if not isinstance(trial, CommandTrial):
        return None
    with tempfile.TemporaryDirectory(prefix="condaprune-record-") as scratch:
        recorder = make_recorder(name, prefix, scratch)
        try:
            recorder.check()
            recorder.start()
        except TraceError:
            return None

        def wrap(
            words: Sequence[str], variables: Mapping[str, str]
        ) -> tuple[Sequence[str], Mapping[str, str]]:
            launch = recorder.launch(Launch(tuple(words), variables))
            return launch.command, launch.environment

        try:
            failure = trial.run(prefix, plan, seconds=seconds, wrap=wrap)
        finally:
            recording = recorder.stop()
    return recording, failure
