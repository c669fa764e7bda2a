"""What a command starts ends with it, and with condaprune, however that ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from condaprune.live.activation import run_command
from condaprune.live.processes import Commands
from condaprune.live.sandbox import open_sandbox
from tests.trees import make_prefix

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="daemons are followed by /proc, which Linux has"
)

_DAEMON = """
import os, signal, sys, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.chdir("/")
for handle in range(3, 256):
    try: os.close(handle)
    except OSError: pass
{more}
time.sleep(1000)
"""
SHAPES = {
    "in the foreground": "{sleep}; true",
    "in the background": "{sleep} & wait",
    "left behind": "{sleep} & echo ok",
    "without hang-up": "nohup {sleep} >nohup.out 2>&1 & wait",
    "in a session of its own": "setsid {sleep} & wait",
    "without variables": "env -i setsid {sleep} & wait",
    "a daemon": "{daemon}; sleep 1000",
    "a daemon that will not be told": "{stubborn}; sleep 1000",
    "a daemon of a daemon": "(setsid sh -c '{sleep} & (setsid {sleep} &) ; true' &); sleep 1000",
    "a stopped process": "setsid {sleep} & sleep 0.1; kill -STOP $!; sleep 1000",
    "a group of its own": "set -m; {sleep} & wait",
}
shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


class Marked:
    """Processes that carry a word of their own in their command line."""

    def __init__(self, folder: Path) -> None:
        self.word = f"mark-{uuid.uuid4().hex}"
        self._sleep = folder / "sleeper.py"
        self._sleep.write_text("import time; time.sleep(1000)")
        (folder / "daemon.py").write_text(_DAEMON.format(more=""))
        ignore = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
        (folder / "stubborn.py").write_text(_DAEMON.format(more=ignore))
        self.folder = folder

    def command(self, shape: str) -> str:
        """A shell command of this shape, of processes that can be found again."""
        scripts = {"sleep": "sleeper", "daemon": "daemon", "stubborn": "stubborn"}
        python = f"{sys.executable} -I -S -B"
        words = {
            name: f"{python} {self.folder}/{script}.py {self.word}"
            for name, script in scripts.items()
        }
        return shape.format(**words)

    def running(self) -> list[int]:
        """Those that run."""
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if self.word.encode() in words and b"sh" not in words[0][-4:]:
                found.append(int(name))
        return found

    def wait(self, wanted: Callable[[list[int]], bool], seconds: float = 15.0) -> list[int]:
        """Those that run as soon as that is as *wanted*, or at the end."""
        deadline = time.monotonic() + seconds
        while not wanted(found := self.running()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return found


@pytest.fixture
def marked(tmp_path: Path) -> Iterator[Marked]:
    mark = Marked(tmp_path)
    yield mark
    for process in mark.running():
        os.kill(process, signal.SIGKILL)


def start(words: list[str], marked: Marked) -> subprocess.Popen[bytes]:
    """A process of ours whose temporary files are the test's: one that is killed leaves some."""
    return subprocess.Popen(
        words,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(marked.folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return make_prefix(tmp_path / "env", {"include/a.h": b"x"}, packages={"demo": ["include/a.h"]})


@shapes
def test_nothing_is_left_when_the_time_is_up(marked: Marked, prefix: Path, shape: str) -> None:
    result = run_command(marked.command(shape), str(prefix), seconds=1.0)
    assert result.code in (None, 0)
    assert marked.running() == []


@pytest.mark.parametrize("shape", ["left behind", "in a session of its own", "a daemon"])
def test_nothing_is_left_when_the_command_ends(marked: Marked, prefix: Path, shape: str) -> None:
    text = SHAPES[shape].replace("wait", "sleep 0.3").replace("sleep 1000", "sleep 0.3")
    began = time.monotonic()
    assert run_command(marked.command(text), str(prefix)).code == 0
    assert marked.running() == []
    assert time.monotonic() - began < 10


@shapes
@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL], ids=lambda n: n.name
)
def test_nothing_is_left_when_condaprune_is_ended(
    marked: Marked, prefix: Path, shape: str, number: signal.Signals
) -> None:
    script = (
        "import sys; from condaprune.live.activation import run_command as run; run(*sys.argv[1:])"
    )
    words = [sys.executable, "-c", script, marked.command(shape), str(prefix)]
    process = start(words, marked)
    if shape == SHAPES["left behind"]:
        process.wait(30)  # it ends by itself
    else:
        assert marked.wait(bool), "the command did not start"
        process.send_signal(number)
        process.wait(30)
    assert marked.wait(lambda found: not found, 5.0) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name)
def test_a_run_with_a_verification_that_is_ended(
    marked: Marked, prefix: Path, number: signal.Signals
) -> None:
    command = marked.command(SHAPES["a daemon"])
    words = [sys.executable, "-m", "condaprune", str(prefix), "--verify", command, "--isolated"]
    process = start(words, marked)
    assert marked.wait(bool)
    process.send_signal(number)
    process.wait(30)
    assert marked.wait(lambda found: not found, 5.0) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_of_a_sandbox(
    marked: Marked, prefix: Path, tmp_path: Path, number: signal.Signals
) -> None:
    script = (
        "import sys; from condaprune.live.sandbox import open_sandbox as open\n"
        "open(sys.argv[1], sys.argv[2]).run(['/bin/sh', '-c', sys.argv[3]], 100.0)"
    )
    command = marked.command(SHAPES["a daemon"])
    words = [sys.executable, "-c", script, str(prefix), str(tmp_path), command]
    process = start(words, marked)
    assert marked.wait(bool)
    process.send_signal(number)
    process.wait(30)
    assert marked.wait(lambda found: not found, 5.0) == []


def test_commands_in_threads_are_ended_together(
    marked: Marked, prefix: Path, tmp_path: Path
) -> None:
    sandbox = open_sandbox(str(prefix), str(tmp_path))
    command = ["/bin/sh", "-c", marked.command(SHAPES["in a session of its own"])]
    threads = [threading.Thread(target=sandbox.run, args=(command, 100.0)) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert len(marked.wait(lambda found: len(found) >= 3)) >= 3
    sandbox.commands.end()
    for thread in threads:
        thread.join(10)
    assert marked.running() == []
    assert sandbox.run(["/bin/true"], 10.0).code == 126


def test_other_children_of_the_process_are_left_alone(prefix: Path) -> None:
    other = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    try:
        run_command("setsid sleep 1000 & true", str(prefix))
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["/bin/sh", "-c", "exit 7"], 7),
        (["/bin/sh", "-c", "kill -TERM $$"], -signal.SIGTERM),
        (["/bin/sh", "-c", "kill -SEGV $$"], -signal.SIGSEGV),
        (["true"], 0),
    ],
)
def test_a_command_ends_as_it_ends(words: list[str], code: int) -> None:
    with open(os.devnull, "wb") as sink, _start(words, sink.fileno()) as process:
        assert process.wait(20) == code


@pytest.mark.parametrize("word", ["/nowhere/program", "no-such-program", "/etc/passwd", "/"])
def test_a_command_that_cannot_be_started_is_an_error(word: str) -> None:
    with (
        open(os.devnull, "wb") as sink,
        pytest.raises(OSError, match=r"No such file|ermission"),
        _start([word], sink.fileno()),
    ):
        pass


def test_a_command_sees_its_variables_alone(tmp_path: Path) -> None:
    with open(tmp_path / "out", "w+b") as sink:
        variables = {b"A": b"x=\n\xff", b"PATH": b"/usr/bin:/bin", b"PYTHONHOME": b"/nowhere"}
        commands = Commands().start(["env", "-0"], variables, stdout=sink.fileno(), stderr=2)
        with commands as process:
            assert process.wait(20) == 0
        sink.seek(0)
        rows = {row for row in sink.read().split(b"\0") if row}
    assert rows == {name + b"=" + value for name, value in variables.items()}


def test_a_command_has_no_handle_of_ours(tmp_path: Path) -> None:
    with open(tmp_path / "out", "w+b") as sink:
        with _start(["ls", "/proc/self/fd"], sink.fileno()) as process:
            process.wait(20)
        sink.seek(0)
        assert sink.read().split() == [b"0", b"1", b"2", b"3"]  # the last is ls's own


def _start(words: list[str], sink: int):  # type: ignore[no-untyped-def]
    return Commands().start(words, {b"PATH": b"/usr/bin:/bin"}, stdout=sink, stderr=sink)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_what_a_tracer_saw_is_not_lost(prefix: Path, tmp_path: Path) -> None:
    from condaprune.live.trace.recorders import make_recorder

    recorder = make_recorder("strace", str(prefix), str(tmp_path))
    recorder.check()
    recorder.start()
    command = f"for i in $(seq 300); do test -e {prefix}/gone-$i; done; true"
    try:
        assert run_command(command, str(prefix), wrap=recorder.launch).code == 0
    finally:
        recording = recorder.stop()
    assert sum("gone-" in path for path in recording.entries) == 300
