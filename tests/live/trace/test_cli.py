"""``condaprune trace``: what stands before ``--`` is its own, what stands after is the command."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from condaprune.cli.trace import trace
from condaprune.errors import CondapruneError, SourceError, TraceError, UsageProblem
from condaprune.traces.format import read_trace

from .conftest import READ, opened

_MAIN = """
import sys
from condaprune.cli.trace import trace
trace(prog_name="condaprune trace")
"""


def run(*words: object) -> Result:
    """The command in this process; errors that the program would print are raised."""
    result = CliRunner().invoke(trace, [str(word) for word in words])
    if isinstance(result.exception, CondapruneError):
        raise result.exception
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def program(*words: object) -> list[str]:
    """The command as a program of its own."""
    return [sys.executable, "-c", _MAIN, *(str(word) for word in words)]


def test_a_command_is_recorded_and_its_exit_code_passed_on(
    prefix: Path, tmp_path: Path, python: Callable[..., list[str]]
) -> None:
    output = tmp_path / "app.trace"
    code = READ + "; sys.exit(4)"
    result = run("-o", output, "--prefix", prefix, "--", *python(code, prefix / "data" / "one.txt"))
    assert result.exit_code == 4
    assert opened(read_trace(os.fspath(output))) == {"data/one.txt"}
    assert "1 entries of" in result.stderr
    assert "used only with --accept-failed" in result.stderr
    assert result.stdout == ""


def test_a_command_called_like_a_sub_command_is_a_command(prefix: Path, tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="'merge' is not found on PATH"):
        run("--prefix", prefix, "-o", tmp_path / "x", "--", "merge", "a", "b")


def test_options_of_the_command_are_its_own(prefix: Path, tmp_path: Path) -> None:
    command = [
        "sh",
        "-c",
        'test "$*" = "-o x -- --prefix y"',
        "sh",
        "-o",
        "x",
        "--",
        "--prefix",
        "y",
    ]
    assert run("-q", "-o", tmp_path / "t", "--prefix", prefix, "--", *command).exit_code == 0


def test_a_command_without_dashes_is_refused(prefix: Path) -> None:
    result = run("python", "app.py")
    assert result.exit_code == 2
    assert "condaprune trace -- python app.py" in result.stderr
    assert run("-o", "x").exit_code == 2
    assert run("--attach", "stray").exit_code == 2


def test_help_shows_how_to_record_and_the_sub_commands() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for word in ("--recorder", "--for", "--attach", "merge", "show", "import", "-- COMMAND"):
        assert word in result.stdout
    assert run("merge", "--help").exit_code == 0
    assert "-- COMMAND" in run("record", "--help").stdout


def test_the_trace_can_go_to_stdout(prefix: Path, python: Callable[..., list[str]]) -> None:
    command = python("print('noise')\n" + READ, prefix / "data" / "one.txt")
    words = program("-q", "-o", "-", "--prefix", prefix, "--", *command)
    done = subprocess.run(words, capture_output=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line.get("path") for line in lines] == [None, "data/one.txt", None]
    assert done.stderr == b"noise\n"


def test_append_adds_to_what_is_there(
    prefix: Path, tmp_path: Path, python: Callable[..., list[str]]
) -> None:
    output = tmp_path / "app.trace"
    for name in ("one.txt", "two.txt"):
        command = python(READ, prefix / "data" / name)
        run("-o", output, "--append", "--prefix", prefix, "--", *command)
    found = read_trace(os.fspath(output))
    assert opened(found) == {"data/one.txt", "data/two.txt"}
    assert len(found.runs) == 2
    run("-o", output, "--prefix", prefix, "--", "true")
    assert len(read_trace(os.fspath(output)).runs) == 1


def test_a_prefix_that_changed_is_told(prefix: Path, tmp_path: Path) -> None:
    result = run("-o", tmp_path / "t", "--prefix", prefix, "--", "touch", prefix / "made")
    assert "the prefix changed meanwhile: 1 entries, such as made" in result.stderr


def test_the_output_may_not_lie_in_the_prefix(prefix: Path) -> None:
    with pytest.raises(TraceError, match="into the environment"):
        run("-o", prefix / "app.trace", "--prefix", prefix, "--", "true")


def test_an_output_that_cannot_be_is_refused_before_the_run(prefix: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    marker.write_text("no trace")
    with pytest.raises(TraceError, match="not overwritten"):
        run("-o", marker, "--prefix", prefix, "--", "rm", marker)
    assert marker.exists()


def test_what_is_no_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not a conda environment"):
        run("--prefix", tmp_path, "--", "true")
    with pytest.raises(TraceError, match="--prefix ENV"):
        run("--", "true")


def test_an_environment_can_be_named(
    prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs" / "app").symlink_to(prefix)
    monkeypatch.setenv("CONDA_ENVS_PATH", os.fspath(tmp_path / "envs"))
    output = tmp_path / "t"
    assert run("-q", "-o", output, "--prefix", "app", "--", "true").exit_code == 0
    assert read_trace(os.fspath(output)).prefix == os.path.realpath(prefix)


def test_merge_joins_traces(prefix: Path, tmp_path: Path, python: Callable[..., list[str]]) -> None:
    for name in ("one", "two"):
        command = python(READ, prefix / "data" / f"{name}.txt")
        run("-q", "-o", tmp_path / name, "--prefix", prefix, "--", *command)
    run("merge", tmp_path / "one", tmp_path / "two", "-o", tmp_path / "both")
    assert opened(read_trace(os.fspath(tmp_path / "both"))) == {"data/one.txt", "data/two.txt"}
    assert run("merge", tmp_path / "one", "-o", "-").stdout.count("\n") == 3
    with pytest.raises(TraceError, match="not a trace"):
        run("merge", tmp_path / "one", __file__, "-o", tmp_path / "both")


@pytest.fixture
def recorded(prefix: Path, tmp_path: Path, python: Callable[..., list[str]]) -> Path:
    output = tmp_path / "app.trace"
    paths = (prefix / "data" / "one.txt", prefix / "data" / "deep" / "three.txt")
    code = READ + "\nimport os; os.listdir(os.path.dirname(sys.argv[1]))"
    run("-q", "-o", output, "--prefix", prefix, "--", *python(code, *paths))
    return output


def test_show_tells_the_run_and_the_entries(recorded: Path) -> None:
    lines = run("show", recorded).stdout.splitlines()
    assert any(line.startswith("recorder    inotify on ") for line in lines)
    assert any(line.startswith("ended       exit code 0") for line in lines)
    assert "      1  open            data/deep/three.txt" in lines
    assert "3 entries" in lines


def test_show_narrows_by_kind_and_package(recorded: Path) -> None:
    assert "data/one.txt" not in run("show", recorded, "--kind", "list").stdout
    shown = run("show", recorded, "--package", "Demo").stdout
    assert "data/one.txt" in shown
    assert "three.txt" not in shown
    assert "1 of 3 entries" in shown
    assert "three.txt" in run("show", recorded, "--package", "conda:other").stdout


def test_show_names_what_it_does_not_know(recorded: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=r"no kind 'opne'.*Did you mean 'open'"):
        run("show", recorded, "--kind", "opne")
    with pytest.raises(UsageProblem, match="no package 'demmo'"):
        run("show", recorded, "--package", "demmo")
    with pytest.raises(TraceError, match="packages of the environment cannot be read"):
        run("show", recorded, "--package", "demo", "--prefix", tmp_path / "none")


def test_show_tells_what_is_wrong_with_a_trace(recorded: Path, tmp_path: Path) -> None:
    text = recorded.read_text().replace('"overflow": false', '"overflow": true')
    text = text.replace('"changes": 0', '"changes": 2').replace('"changed": []', '"changed": ["a"]')
    text = text.replace('"canary": ""', '"canary": "passed"')
    recorded.write_text(text)
    shown = run("show", recorded).stdout
    assert "overflow    events were lost" in shown
    assert "changed     2 entries of the prefix while it ran: a" in shown
    assert "canary      passed" in shown


def test_import_makes_a_trace(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("/opt/env/a\n")
    output = tmp_path / "t"
    words = ("import", tmp_path / "list", "--from", "list", "--prefix", "/opt/env")
    result = run(*words, "-o", output)
    assert "1 entries of /opt/env" in result.stderr
    assert opened(read_trace(os.fspath(output))) == {"a"}
    assert run(*words, "-o", "-").stdout.count("\n") == 3
    assert "imported" in run("show", output).stdout


def _wait(path: Path) -> None:
    for _ in range(1000):
        if path.exists():
            return
        time.sleep(0.01)
    raise AssertionError(f"{path} did not appear")


def test_ctrl_c_ends_a_server_and_the_trace_is_written(
    prefix: Path, tmp_path: Path, python: Callable[..., list[str]]
) -> None:
    code = (
        "import sys, time\n"
        "try: open(sys.argv[2], 'w').close(); time.sleep(60)\n"
        "except KeyboardInterrupt: open(sys.argv[1]).close(); print('bye'); sys.exit(9)"
    )
    command = python(code, prefix / "data" / "one.txt", tmp_path / "ready")
    words = program("-o", tmp_path / "t", "--prefix", prefix, "--", *command)
    server = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    _wait(tmp_path / "ready")
    server.send_signal(signal.SIGINT)
    out, error = server.communicate(timeout=30)
    assert (out, server.returncode) == (b"bye\n", 9)
    assert b"Traceback" not in error
    assert opened(read_trace(os.fspath(tmp_path / "t"))) == {"data/one.txt"}


def test_ctrl_c_of_a_terminal_reaches_the_command_once(
    prefix: Path, tmp_path: Path, python: Callable[..., list[str]]
) -> None:
    import pty

    code = (
        "import signal, sys, time\n"
        "count = []\n"
        "signal.signal(signal.SIGINT, lambda *_: count.append(1))\n"
        "open(sys.argv[1], 'w').close()\n"
        "while not count: time.sleep(0.01)\n"
        "time.sleep(0.3); sys.exit(40 + len(count))"
    )
    words = program(
        "-q", "-o", tmp_path / "t", "--prefix", prefix, "--", *python(code, tmp_path / "ready")
    )
    child, terminal = pty.fork()
    if child == 0:
        os.execv(words[0], words)
    _wait(tmp_path / "ready")
    os.write(terminal, b"\x03")
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 41
    assert read_trace(os.fspath(tmp_path / "t")).runs[0].ended == "signal"


def test_attach_ends_with_sigterm(prefix: Path, tmp_path: Path) -> None:
    words = program("--attach", "-o", tmp_path / "t", "--prefix", prefix)
    watcher = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    assert watcher.stderr is not None
    assert "end with Ctrl-C" in watcher.stderr.readline()
    (prefix / "data" / "two.txt").read_bytes()
    watcher.terminate()
    watcher.communicate(timeout=30)
    assert watcher.returncode == 0
    assert opened(read_trace(os.fspath(tmp_path / "t"))) == {"data/two.txt"}


def test_a_time_that_is_none_is_refused(prefix: Path) -> None:
    assert run("--for", "0", "--prefix", prefix, "--", "true").exit_code == 2
    assert isinstance(trace, click.Group)
