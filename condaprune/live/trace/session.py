"""Records a run: starts its recorders, runs the command under them, and makes the trace."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from condaprune.errors import TraceError, UsageProblem
from condaprune.live.processes import adopted
from condaprune.live.trace.command import (
    find_program,
    run_command,
    signals_blocked,
    wait_for_signal,
)
from condaprune.live.trace.recorders import FALLBACKS, NAMES, make_recorder
from condaprune.live.trace.recorders.base import Launch, Recorder, Recording, walk
from condaprune.paths import from_bytes, printable, to_bytes
from condaprune.proc import mount_of, running_from
from condaprune.traces.ageing import fingerprint
from condaprune.traces.trace import Run, Trace, union

AUTO = "auto"
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
    notice: Callable[[str], None] | None = None,
    alone: bool = False,
) -> Trace:
    """Run *command* and record what it, and all it starts, touches of *prefix*.

    *recorders* are names of `recorders.NAMES`, or ``auto``. After *seconds* (0: never) the
    command is told to end. With *attach* there is no command: whatever runs meanwhile is
    recorded, until a signal or *seconds* end it. *environment* replaces the process's own,
    *stdout* the command's output; *notice* is called with each line that a user should see on
    the way. Nothing is written to the prefix (the atime recorder sets access times).

    Where this process runs nothing else (*alone*) and a signal or *seconds* end the command, what
    it has left running is ended too. Errors: `TraceError`, `UsageProblem`.
    """
    say = notice or (lambda _line: None)
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
    with (
        recording_alone(prefix) as scratch,
        signals_blocked(),
        adopted() if alone and not attach else contextlib.nullcontext() as family,
        contextlib.closing(_Team(recorders, prefix, scratch, attach=attach)) as team,
    ):
        team.start()
        notes = [*team.notes, *(_running_already(prefix) if attach else ())]
        for note in notes:
            say(note)
        if attach:
            say("recording what uses the prefix; end with Ctrl-C")
            finish = wait_for_signal(seconds)
        else:
            launch = team.launch(Launch(tuple(command), variables))
            finish = run_command(launch, seconds=seconds, stdout=stdout, family=family)
        recordings = team.stop()
        if family is not None and finish.ended in ("signal", "time"):
            family.end()
        changed = team.changes(recordings)
    if fingerprint(prefix) != before:
        notes.append("packages were installed or removed while it was recorded")
    for recording in recordings:
        notes.extend(recording.notes)
    run = Run(
        prefix=prefix,
        recorders=tuple(team.names),
        command=tuple(from_bytes(os.fsencode(word)) for word in command),
        exit_code=finish.exit_code,
        ended=finish.ended,
        started=started,
        duration=round(finish.duration, 3),
        filesystem=mount_of(prefix).label,
        overflow=any(recording.overflow for recording in recordings),
        canary=", ".join(filter(None, (recording.canary for recording in recordings))),
        changed=tuple(changed[:_SHOWN_CHANGES]),
        changes=len(changed),
        fingerprint=before,
        notes=tuple(notes),
    )
    entries = union((recording.entries for recording in recordings), same_run=True)
    return Trace((run,), entries)


@contextlib.contextmanager
def recording_alone(prefix: str) -> Iterator[str]:
    """Hold the lock of a prefix (its real path) and yield a fresh folder, removed afterwards.

    The lock is that of in-place runs: it writes nothing, and the kernel releases it however the
    process ends. Errors: `TraceError` where it is taken.
    """
    import fcntl

    with contextlib.ExitStack() as stack:
        try:
            handle = os.open(to_bytes(prefix), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise TraceError(
                f"the prefix cannot be read: {error.strerror}",
                where=printable(prefix),
                remedy="Check its name and permissions",
            ) from None
        stack.callback(os.close, handle)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TraceError(
                "another recorder, or a run in place, is at work on this prefix",
                where=printable(prefix),
                remedy="Wait until it has ended, or stop it with Ctrl-C",
            ) from None
        except OSError:
            pass  # a network file system without locks
        try:
            folder = tempfile.TemporaryDirectory(
                prefix="condaprune-trace-", ignore_cleanup_errors=True
            )
        except OSError as error:
            raise TraceError(
                f"a temporary folder cannot be made: {error.strerror}",
                remedy="Set TMPDIR to a folder that you may write to",
            ) from None
        yield stack.enter_context(folder)


class _Team:
    """The recorders of one run: started in the order of `NAMES`, stopped in the reverse one.

    They are those that are *asked* for; with *attach*, each must see processes that it did not
    start. *scratch* is a folder for their files. `names` are those that were started, `notes` say
    why ``auto`` took another than its first.
    """

    def __init__(self, asked: Sequence[str], prefix: str, scratch: str, *, attach: bool) -> None:
        self.names: list[str] = []
        self.notes: list[str] = []
        self._place = (prefix, scratch)
        self._attach = attach
        self._watching: list[Recorder] = []
        self._before: frozenset[str] | None = None
        self._auto = AUTO in asked and not {*asked} & {*FALLBACKS}
        unknown = {*asked} - {AUTO, *NAMES}
        known = [name for name in NAMES if name in asked]
        self._named = [make_recorder(name, *self._place) for name in (*unknown, *known)]
        for recorder in self._named:
            if attach and not recorder.attaches:
                raise UsageProblem(
                    f"the recorder {recorder.name} sees only a command that it starts itself",
                    where="--attach",
                    remedy="Use `--recorder inotify`",
                )

    def start(self) -> None:
        """Start all of them. Errors: `TraceError` where one asked for cannot work."""
        for recorder in self._named:
            recorder.check()
        if self._auto:
            self._start_first()
        for recorder in self._named:
            self._start(recorder)
        if not any(recorder.sees_changes for recorder in self._watching):
            self._before = self._paths()

    def launch(self, launch: Launch) -> Launch:
        """The command as all of them need it."""
        for recorder in self._watching:
            launch = recorder.launch(launch)
        return launch

    def stop(self) -> list[Recording]:
        """What each of them saw, the one started last first. Errors: `TraceError`."""
        recordings = []
        while self._watching:
            recordings.append(self._watching.pop().stop())
        return recordings

    def close(self) -> None:
        """Stop those that still watch, and drop what they saw."""
        while self._watching:
            with contextlib.suppress(TraceError, OSError):
                self._watching.pop().stop()

    def changes(self, recordings: Iterable[Recording]) -> list[str]:
        """The entries created, deleted or (as far as it was seen) written during the run."""
        changed = {path for recording in recordings for path in recording.changed}
        if self._before is not None:
            changed |= self._before ^ self._paths()
        return sorted(changed)

    def _start(self, recorder: Recorder) -> None:
        recorder.start()
        self._watching.append(recorder)
        self.names.append(recorder.name)

    def _start_first(self) -> None:
        """Start the first recorder that works here."""
        problems: list[TraceError] = []
        for name in FALLBACKS:
            recorder = make_recorder(name, *self._place)
            if self._attach and not recorder.attaches:
                continue
            try:
                recorder.check()
                self._start(recorder)
            except TraceError as problem:
                problems.append(problem)
                continue
            self.notes = [f"{problem} {name} records instead." for problem in problems]
            return
        first = problems[0]
        raise TraceError(
            f"{first.what}; no other recorder works here either",
            where=first.where,
            remedy=first.remedy,
        )

    def _paths(self) -> frozenset[str]:
        """Everything in the prefix, to compare with later."""
        root = to_bytes(self._place[0])
        return frozenset(from_bytes(entry.path[len(root) + 1 :]) for entry in walk(root))


def find_prefix(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """The environment that a command belongs to: that of its program, else of the interpreter
    that its first line names, else the active one (CONDA_PREFIX).

    Errors: `TraceError` where there is none.
    """
    if command:
        program = find_program(command)
        for path in (program, os.path.realpath(program), _interpreter(program)):
            for folder in Path(os.path.abspath(path)).parents[:-1] if path else ():
                if (folder / "conda-meta").is_dir():
                    return os.fspath(folder)
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
