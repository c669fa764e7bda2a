"""Records a run: finds its prefix, runs the command under the recorders, makes the trace."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import IO

from condaprune.errors import TraceError, UsageProblem
from condaprune.live.trace.command import (
    Notice,
    find_program,
    run_command,
    signals_blocked,
    wait_for_signal,
)
from condaprune.live.trace.place import mount_of, recording_alone
from condaprune.live.trace.recorders.base import Launch
from condaprune.live.trace.team import AUTO, Team
from condaprune.paths import from_bytes, printable
from condaprune.processes import running_from
from condaprune.traces.ageing import fingerprint
from condaprune.traces.trace import Run, Trace, union

_SHOWN_CHANGES = 20


def record(
    command: Sequence[str],
    prefix: str,
    recorders: Sequence[str] = (AUTO,),
    *,
    seconds: float = 0.0,
    attach: bool = False,
    environment: Mapping[str, str] | None = None,
    stdout: IO[bytes] | None = None,
    notice: Notice | None = None,
) -> Trace:
    """Run *command* and record what it, and all it starts, touches of *prefix*.

    *recorders* are names of `recorders.NAMES`, or ``auto``. After *seconds* (0: never) the
    command is told to end. With *attach* there is no command: whatever runs meanwhile is
    recorded, until a signal or *seconds* end it. *environment* replaces the process's own,
    *stdout* the command's output; *notice* is called with each line that a user should see on
    the way. Nothing is written to the prefix (the atime recorder sets access times). Errors:
    `TraceError`, `UsageProblem`.
    """
    notice = notice or _ignore
    prefix = os.path.realpath(prefix)
    if attach and command:
        raise UsageProblem(
            "a command cannot be attached to", where="--attach", remedy="Omit one of the two"
        )
    if not attach:
        find_program(command)
    variables = dict(os.environ if environment is None else environment)
    # Bytecode that the run would write changes the prefix, and the workload does not need it.
    variables.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    before = fingerprint(prefix)
    started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    notes: list[str] = []
    with recording_alone(prefix) as scratch, signals_blocked():
        team = Team(recorders, prefix, scratch, attach=attach, notice=notice)
        team.start()
        try:
            if attach:
                notes.extend(_running_already(prefix))
                for line in (*notes, "recording what uses the prefix; end with Ctrl-C"):
                    notice(line)
                finish = wait_for_signal(seconds)
            else:
                launch = team.launch(Launch(tuple(command), variables))
                finish = run_command(launch, seconds=seconds, stdout=stdout)
        except BaseException:
            team.abandon()
            raise
        recordings = team.stop()
        changed = team.changes(recordings)
    if fingerprint(prefix) != before:
        notes.append("packages were installed or removed while it was recorded")
    for recording in recordings:
        notes.extend(recording.notes)
    run = Run(
        prefix=prefix,
        recorders=team.names,
        command=tuple(from_bytes(os.fsencode(word)) for word in command),
        exit_code=finish.exit_code,
        ended=finish.ended,
        started=started,
        duration=round(finish.duration, 3),
        filesystem=mount_of(prefix).label,
        overflow=any(recording.overflow for recording in recordings),
        canary=", ".join(filter(None, (recording.canary for recording in recordings))),
        changed=changed[:_SHOWN_CHANGES],
        changes=len(changed),
        fingerprint=before,
        notes=(*team.notes, *notes),
    )
    entries = union((recording.entries for recording in recordings), same_run=True)
    return Trace((run,), entries)


def find_prefix(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """The environment that a command belongs to: that of its program, else of the interpreter
    that its first line names, else the active one (CONDA_PREFIX).

    Errors: `TraceError` where there is none.
    """
    if command:
        program = find_program(command)
        for path in (program, os.path.realpath(program), _interpreter(program)):
            folder = os.path.dirname(os.path.abspath(path)) if path else "/"
            while folder != "/":
                if os.path.isdir(os.path.join(folder, "conda-meta")):
                    return folder
                folder = os.path.dirname(folder)
    active = environment.get("CONDA_PREFIX", "")
    if active and os.path.isdir(os.path.join(active, "conda-meta")):
        return active
    about = f": {printable(command[0])} belongs to none and none is active" if command else ""
    raise TraceError(
        f"it is not clear which environment to record{about}",
        remedy="Name it with `--prefix ENV`",
    )


def _interpreter(program: str) -> str:
    """The interpreter of a script, from its first line; empty for other files."""
    try:
        with open(program, "rb") as stream:
            line = stream.readline(256)
    except OSError:
        return ""
    words = line[2:].split() if line.startswith(b"#!") else []
    return os.fsdecode(words[0]) if words else ""


def _running_already(prefix: str) -> list[str]:
    """A warning where processes use the prefix: what they have opened by now is not seen."""
    users = running_from(prefix)
    if not users:
        return []
    number, program = users[0]
    who = f"{len(users)} processes use the prefix already (such as {number}, {printable(program)})"
    return [f"{who}; what they have opened is not recorded: start them again now"]


def _ignore(_line: str) -> None:
    return None
