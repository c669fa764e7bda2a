"""A recorded run behaves as if nobody watched, and its header says what happened."""

import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from condaprune.errors import SinkError, TraceError, UsageProblem
from condaprune.live.trace import session
from condaprune.live.trace.recorders.base import Launch
from condaprune.live.trace.recorders.inotify import InotifyRecorder
from condaprune.live.trace.session import find_prefix, record, recording_alone
from condaprune.sinks.inplace.filesystem import Filesystem
from condaprune.sinks.inplace.state import State
from condaprune.traces.trace import Trace
from lab.envs.model import BuiltEnvironment

from .conftest import READ, needs_strace, opened


@contextlib.contextmanager
def later(seconds: float, act: Callable[[], object]) -> Iterator[None]:
    timer = threading.Timer(seconds, act)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def wait_for(path: Path) -> None:
    for _ in range(1000):
        if path.exists():
            return
        time.sleep(0.01)
    raise AssertionError(f"{path} did not appear")


def test_the_default_records_with_inotify(prefix: Path, python: Callable[..., list[str]]) -> None:
    told: list[str] = []
    command = python(READ, prefix / "data" / "one.txt")
    trace = record(command, os.fspath(prefix), notice=told.append)
    run = trace.runs[0]
    assert opened(trace) == {"data/one.txt"}
    assert run.recorders == ("inotify",)
    assert run.command == tuple(command)
    assert run.exit_code == 0
    assert run.ended == "exit"
    assert run.duration > 0
    assert run.filesystem
    assert run.started.endswith("Z")
    assert run.prefix == os.path.realpath(prefix)
    assert run.fingerprint["conda:demo"] == "1.0 0"
    assert told == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import sys; sys.exit(3)", 3),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137),
        ("import os; os._exit(0)", 0),
    ],
    ids=["exit", "killed", "os._exit"],
)
def test_the_exit_code_is_that_of_the_command(
    prefix: Path, python: Callable[..., list[str]], code: str, expected: int
) -> None:
    trace = record(python(code), os.fspath(prefix))
    assert trace.runs[0].exit_code == expected
    assert trace.runs[0].failed is bool(expected)


def test_the_environment_and_open_files_are_the_childs(prefix: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    code = f"import os; os.write({writing}, os.environ['GIVEN'].encode())"
    command = [sys.executable, "-S", "-c", code]
    record(command, os.fspath(prefix), environment={**os.environ, "GIVEN": "yes"})
    os.close(writing)
    assert os.read(reading, 10) == b"yes"
    os.close(reading)


def test_bytecode_is_not_written_unless_the_user_says_so(
    prefix: Path, python: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE")
    code = "import sys; sys.exit(sys.dont_write_bytecode)"
    assert record(python(code), os.fspath(prefix)).runs[0].exit_code == 1
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "")
    assert record(python(code), os.fspath(prefix)).runs[0].exit_code == 0


def test_a_server_ends_when_its_time_is_up(prefix: Path, python: Callable[..., list[str]]) -> None:
    code = READ + "\nimport time; time.sleep(60)"
    trace = record(python(code, prefix / "data" / "one.txt"), os.fspath(prefix), seconds=0.5)
    run = trace.runs[0]
    assert (run.ended, run.exit_code) == ("time", 0)
    assert opened(trace) == {"data/one.txt"}
    assert run.duration < 30


def test_what_a_server_does_on_its_way_out_is_recorded(
    prefix: Path, python: Callable[..., list[str]]
) -> None:
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    open(sys.argv[1]).close(); sys.exit(7)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "time.sleep(60)"
    )
    trace = record(python(code, prefix / "data" / "two.txt"), os.fspath(prefix), seconds=0.5)
    assert opened(trace) == {"data/two.txt"}
    assert trace.runs[0].exit_code == 7
    assert not trace.runs[0].failed


def test_a_command_that_will_not_end_is_made_to(
    prefix: Path, python: Callable[..., list[str]]
) -> None:
    from condaprune.live.trace.command import run_command, signals_blocked

    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    with signals_blocked():
        outcome = run_command(Launch(tuple(python(code)), dict(os.environ)), seconds=0.4, grace=0.2)
    assert outcome.ended == "time"
    assert outcome.duration < 30


_SERVER = """
import signal, sys, time
def end(number, frame):
    open(sys.argv[1]).close()
    sys.exit(number)
for name in sys.argv[3:]:
    signal.signal(getattr(signal, name), end)
open(sys.argv[2], "w").close()
time.sleep(60)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"])
def test_a_signal_is_passed_on_and_the_trace_is_whole(
    prefix: Path, tmp_path: Path, python: Callable[..., list[str]], name: str
) -> None:
    ready = tmp_path / "ready"
    number = getattr(signal, name)
    command = python(_SERVER, prefix / "data" / "one.txt", ready, name)

    def send() -> None:
        wait_for(ready)
        os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with later(0.0, send):
        trace = record(command, os.fspath(prefix))
    assert signal.getsignal(number) == before
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert (trace.runs[0].ended, trace.runs[0].exit_code) == ("signal", number)
    assert opened(trace) == {"data/one.txt"}
    assert not trace.runs[0].failed


@needs_strace
def test_a_signal_reaches_a_command_under_strace(
    prefix: Path, tmp_path: Path, python: Callable[..., list[str]]
) -> None:
    ready = tmp_path / "ready"
    command = python(_SERVER, prefix / "data" / "one.txt", ready, "SIGINT")

    def send() -> None:
        wait_for(ready)
        os.kill(os.getpid(), signal.SIGINT)

    with later(0.0, send):
        trace = record(command, os.fspath(prefix), ["strace"])
    assert trace.runs[0].exit_code == signal.SIGINT
    assert "data/one.txt" in opened(trace)


def test_an_ignored_signal_stays_ignored(prefix: Path, python: Callable[..., list[str]]) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        code = "import signal, sys; sys.exit(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)"
        trace = record(python(code), os.fspath(prefix))
    finally:
        signal.signal(signal.SIGHUP, before)
    assert trace.runs[0].exit_code == 1


def test_the_child_starts_with_no_signal_blocked(
    prefix: Path, python: Callable[..., list[str]]
) -> None:
    code = "import signal, sys; sys.exit(len(signal.pthread_sigmask(signal.SIG_BLOCK, [])))"
    assert record(python(code), os.fspath(prefix)).runs[0].exit_code == 0


def test_a_run_can_be_recorded_outside_of_the_main_thread(
    prefix: Path, python: Callable[..., list[str]]
) -> None:
    found: list[Trace] = []
    command = python(READ, prefix / "data" / "one.txt")
    thread = threading.Thread(target=lambda: found.append(record(command, os.fspath(prefix))))
    thread.start()
    thread.join(30)
    assert opened(found[0]) == {"data/one.txt"}


def test_attach_records_what_others_run_until_a_signal(
    prefix: Path, python: Callable[..., list[str]]
) -> None:
    told: list[str] = []
    command = python(READ, prefix / "data" / "one.txt")

    def work() -> None:
        subprocess.run(command, check=True)
        os.kill(os.getpid(), signal.SIGTERM)

    def notice(line: str) -> None:
        told.append(line)
        timer.start()

    timer = threading.Timer(0.0, work)
    trace = record((), os.fspath(prefix), attach=True, notice=notice)
    timer.join()
    run = trace.runs[0]
    assert opened(trace) == {"data/one.txt"}
    assert (run.ended, run.exit_code, run.command) == ("attached", None, ())
    assert "end with Ctrl-C" in told[-1]


def test_attach_warns_of_what_runs_already(tiny_env: BuiltEnvironment) -> None:
    told: list[str] = []
    command = [os.fspath(tiny_env.python), "-S", "-c", "print(flush=True); input()"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdout is not None
    server.stdout.readline()
    try:
        record((), os.fspath(tiny_env.prefix), attach=True, seconds=0.1, notice=told.append)
    finally:
        server.communicate(b"\n")
    assert "use the prefix already" in told[0]


def test_attach_needs_a_recorder_that_can(prefix: Path) -> None:
    with pytest.raises(UsageProblem, match="sees only a command that it starts itself"):
        record((), os.fspath(prefix), ["audit"], attach=True)
    with pytest.raises(UsageProblem, match="cannot be attached to"):
        record(["ls"], os.fspath(prefix), attach=True)


@pytest.mark.parametrize("recorder", ["inotify", "audit"])
def test_a_prefix_that_changes_is_named_in_the_header(
    prefix: Path, python: Callable[..., list[str]], recorder: str
) -> None:
    code = (
        "import os, sys; os.chdir(sys.argv[1])\n"
        "open('made.txt', 'w').close(); os.unlink('data/two.txt'); os.mkdir('folder')\n"
        "os.rename('conda-meta/demo-1.0-0.json', 'conda-meta/demo-2.0-0.json')"
    )
    (prefix / "lib" / "python3.11").mkdir(exist_ok=True)
    run = record(python(code, prefix), os.fspath(prefix), [recorder]).runs[0]
    assert {"made.txt", "data/two.txt", "folder"} <= {*run.changed}
    assert run.changes >= 5
    assert any("packages were installed" in note for note in run.notes)


def test_two_recorders_at_once_are_refused(prefix: Path) -> None:
    real = os.path.realpath(prefix)
    with (
        recording_alone(real) as scratch,
        pytest.raises(TraceError, match="another recorder, or a run in place, is at work"),
    ):
        record(["true"], os.fspath(prefix))
    assert not os.path.exists(scratch)
    record(["true"], os.fspath(prefix))


def test_a_run_in_place_and_a_recorder_exclude_each_other(prefix: Path) -> None:
    real = os.path.realpath(prefix)
    with (
        recording_alone(real),
        pytest.raises(SinkError, match="another run of condaprune is working on"),
    ):
        State(Filesystem(), real)
    with (
        State(Filesystem(), real),
        pytest.raises(TraceError, match="a run in place, is at work"),
    ):
        record(["true"], real)


def test_without_a_temporary_folder_nothing_is_recorded(
    prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", os.fspath(tmp_path / "missing"))
    with pytest.raises(TraceError, match="cannot be made"), recording_alone(os.fspath(prefix)):
        pass


def test_a_signal_that_comes_after_the_run_is_dropped() -> None:
    from condaprune.live.trace.command import signals_blocked

    with signals_blocked():
        os.kill(os.getpid(), signal.SIGINT)
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_a_prefix_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="prefix cannot be read: No such file"):
        record(["true"], os.fspath(tmp_path / "gone"))


def test_nothing_is_written_to_the_prefix(prefix: Path, python: Callable[..., list[str]]) -> None:
    from tests.trees import listing

    before = listing(prefix)
    names = ["inotify", "audit"]
    record(python(READ, prefix / "data" / "one.txt"), os.fspath(prefix), names)
    assert listing(prefix) == before


def test_a_command_that_does_not_exist_is_refused(prefix: Path) -> None:
    with pytest.raises(TraceError, match="'nothing-of-the-kind' is not found on PATH"):
        record(["nothing-of-the-kind"], os.fspath(prefix))
    with pytest.raises(TraceError, match="does not exist"):
        record(["./nothing"], os.fspath(prefix))
    with pytest.raises(TraceError, match="is not a program"):
        record([os.fspath(prefix / "data")], os.fspath(prefix))
    with pytest.raises(TraceError, match="there is no command"):
        record([], os.fspath(prefix))


def test_a_program_that_cannot_be_started_is_named(prefix: Path, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF broken")
    program.chmod(0o755)
    with pytest.raises(TraceError, match="cannot be started"):
        record([os.fspath(program)], os.fspath(prefix))
    record(["true"], os.fspath(prefix))


def test_an_unknown_recorder_is_named(prefix: Path) -> None:
    with pytest.raises(UsageProblem, match=r"no recorder 'inotfy'\. Did you mean 'inotify'"):
        record(["true"], os.fspath(prefix), ["inotfy"])


class _Full(InotifyRecorder):
    def start(self) -> None:
        from condaprune.live.trace.recorders.inotify import _limit

        raise _limit(errno.ENOSPC, "max_user_watches", 7)


def _with_full_inotify(monkeypatch: pytest.MonkeyPatch, others: bool) -> None:
    real = session.make_recorder

    def make(name: str, prefix: str, scratch: str) -> object:
        if name == "inotify":
            return _Full(prefix)
        if not others:
            raise TraceError("not here")
        return real(name, prefix, scratch)

    monkeypatch.setattr(session, "make_recorder", make)


@needs_strace
def test_auto_takes_the_next_recorder_and_says_why(
    prefix: Path, python: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_full_inotify(monkeypatch, others=True)
    told: list[str] = []
    command = python(READ, prefix / "data" / "one.txt")
    trace = record(command, os.fspath(prefix), notice=told.append)
    assert trace.runs[0].recorders == ("strace",)
    assert "data/one.txt" in opened(trace)
    assert "max_user_watches" in told[0]
    assert "strace records instead" in told[0]
    assert told[0] in trace.runs[0].notes


def test_inotify_asked_for_does_not_give_way(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _with_full_inotify(monkeypatch, others=True)
    with pytest.raises(TraceError, match=r"max_user_watches.*after 7 folders.*sysctl"):
        record(["true"], os.fspath(prefix), ["inotify"])


def test_where_no_recorder_works_the_first_ones_remedy_is_given(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "FALLBACKS", ("inotify",))
    _with_full_inotify(monkeypatch, others=False)
    with pytest.raises(TraceError, match=r"no other recorder works here either.*sysctl"):
        record(["true"], os.fspath(prefix))


def test_a_recorder_that_fails_at_its_end_stops_the_others(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = threading.active_count()
    real = InotifyRecorder.stop

    def stop(self: InotifyRecorder) -> None:
        real(self)
        raise TraceError("lost")

    monkeypatch.setattr(InotifyRecorder, "stop", stop)
    with pytest.raises(TraceError, match="lost"):
        record(["true"], os.fspath(prefix), ["inotify", "audit"])
    assert threading.active_count() == threads


def _program(path: Path, content: bytes = b"\x7fELF") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)
    return os.fspath(path)


def test_the_prefix_is_that_of_the_program(prefix: Path, tmp_path: Path) -> None:
    inside = _program(prefix / "bin" / "app")
    assert find_prefix([inside], {}) == os.fspath(prefix)
    link = tmp_path / "link"
    link.symlink_to(inside)
    assert find_prefix([os.fspath(link)], {}) == os.fspath(prefix)
    script = _program(tmp_path / "script", f"#!{inside} -E\n".encode())
    assert find_prefix([script], {}) == os.fspath(prefix)


def test_else_it_is_the_active_one(prefix: Path) -> None:
    assert find_prefix(["true"], {"CONDA_PREFIX": os.fspath(prefix)}) == os.fspath(prefix)
    assert find_prefix([], {"CONDA_PREFIX": os.fspath(prefix)}) == os.fspath(prefix)


@pytest.mark.parametrize("environment", [{}, {"CONDA_PREFIX": "/nonexistent"}])
def test_else_it_must_be_named(environment: dict[str, str]) -> None:
    with pytest.raises(TraceError, match=r"true belongs to none.*--prefix ENV"):
        find_prefix(["true"], environment)
    with pytest.raises(TraceError, match="not clear which environment"):
        find_prefix([], environment)
