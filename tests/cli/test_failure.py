"""What nobody foresaw is one line and exit status 2, by whatever door condaprune was entered."""

from __future__ import annotations

import errno
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

import condaprune as condaprune_package
from condaprune.cli import group, main, run
from condaprune.cli.failure import TRACEBACK, name_what_is_left
from condaprune.errors import SinkError
from tests.cli.hostile import BAD, check_text
from tests.cli.runner import condaprune
from tests.trees import make_prefix


class _Odd(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


def _deep() -> None:
    _deep()


def _fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Have every command fail in a function of condaprune's."""

    def fail(_context: click.Context, _args: list[str]) -> list[str]:
        raise error

    monkeypatch.setattr(group.LazyGroup, "parse_args", lambda _self, ctx, args: fail(ctx, args))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("odd"), "unexpected ValueError .*: odd. This is a bug"),
        (ValueError(BAD), "unexpected ValueError"),
        (KeyError("a\nb"), r"unexpected KeyError .*: 'a\\nb'"),
        (RecursionError("maximum recursion depth exceeded"), "unexpected RecursionError"),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "x"), "unexpected UnicodeEncodeError"),
        (AssertionError(), "unexpected AssertionError .*: no message"),
        (_Odd(), "unexpected _Odd .*: no message"),
        (EOFError("ran out"), "unexpected EOFError .*: ran out"),
        (GeneratorExit(), "unexpected GeneratorExit"),
        (MemoryError(), r"there is not enough memory \(at "),
        (OSError(errno.ENOSPC, "No space left on device"), "failed: No space left on device"),
        (OSError(errno.EIO, "Input/output error", b"/a\xff\nb"), r"/a\\xff\\nb: Input/output"),
        (OSError(errno.EIO, "Input/output error", BAD), "Input/output error"),
        (OSError("says nothing of a number"), "failed: says nothing of a number"),
        (ValueError("x" * 10_000), "xxx[.][.][.][.] This is a bug"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_what_nobody_foresaw_is_one_line_and_status_2(
    error: BaseException, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fail_with(monkeypatch, error)
    ran = condaprune("status", "/env")
    assert ran.status == 2
    check_text(ran.err)
    assert len(ran.err.strip().splitlines()) == 1
    assert ran.err.strip().startswith("condaprune: ")
    assert re.search(said, ran.err)
    assert "Traceback" not in ran.err


def test_the_place_is_the_innermost_line_of_condaprune(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("condaprune.sources.find.find_source", lambda _name, _limits=None: 1 / 0)
    ran = condaprune("status", "/env")
    assert re.search(r"unexpected ZeroDivisionError at condaprune\.api:\d+: division", ran.err)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()], ids=["Ctrl-C", "abort"])
def test_ctrl_c_is_130(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    _fail_with(monkeypatch, error)
    ran = condaprune("status", "/env")
    assert ran.status == 130
    assert ran.err.strip() == "condaprune: interrupted"


def test_developers_ask_for_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    _fail_with(monkeypatch, ValueError(f"odd{BAD}"))
    monkeypatch.setenv(TRACEBACK, "1")
    ran = condaprune("status", "/env")
    assert ran.status == 2
    assert "Traceback (most recent call last)" in ran.err
    assert "test_failure.py" in ran.err
    check_text(ran.err)


def test_a_real_recursion_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("condaprune.sources.find.find_source", lambda _name, _limits=None: _deep())
    ran = condaprune("status", "/env")
    assert ran.status == 2
    assert "unexpected RecursionError at condaprune.api:" in ran.err


def test_usage_that_holds_hostile_words_is_neutralised() -> None:
    for words in ([f"--{BAD}"], ["audit", "x", "--depth", BAD], ["why", "x", "--format", BAD]):
        ran = condaprune(*(word.replace("\x00", "") for word in words))
        assert ran.status == 2
        check_text(ran.err)
        assert "Error: " in ran.err


def test_errors_have_details_below_and_the_remedy_last() -> None:
    error = SinkError("failed\n::error::x", where="/e\x1b", details=["  a\nb"], remedy="Mend it")
    assert str(error).split("\n") == ["/e\\x1b: failed\\n::error::x.", "  a\\nb", "Mend it"]


SCRIPT = """
import sys
from condaprune.cli import group, main
def fail(self, context, args): raise {error}
group.LazyGroup.parse_args = fail
{then}
main(["status", "x"])
"""


def _script(error: str, then: str = "", shell: str = "{}") -> subprocess.CompletedProcess[str]:
    code = SCRIPT.format(error=error, then=then)
    command = shell.format(f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}")
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("shell", ["{} 2>&-", "{} >&-", "{} >&- 2>&- <&-", "{} 2>/dev/full"])
def test_an_error_that_cannot_be_said_changes_no_status(shell: str) -> None:
    done = _script("ValueError('x')", shell=shell)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr + done.stdout


def test_a_reader_of_errors_that_is_gone_changes_no_status() -> None:
    done = _script("ValueError('x')", shell="({}; echo $? >&3) 3>&1 2>&1 >/dev/null | :; true")
    assert done.stderr == ""
    reader, writer = os.pipe()
    os.close(reader)
    code = SCRIPT.format(error="ValueError('x')", then="")
    with subprocess.Popen([sys.executable, "-c", code], stderr=writer) as process:
        os.close(writer)
    assert process.returncode == 2


def test_threads_finalizers_and_warnings_have_a_line_each() -> None:
    done = _script(
        "SystemExit(0)",
        "import threading, warnings\n"
        "import condaprune.cli.failure as failure\n"
        "failure.watch_background()\n"
        "def work(): raise ValueError('in a thread\\x1b')\n"
        "thread = threading.Thread(target=work); thread.start(); thread.join()\n"
        "class End:\n    def __del__(self): raise KeyError('at the end')\n"
        "End()\n"
        "warnings.warn('to be\\x1b seen', UserWarning)\n",
    )
    assert done.returncode == 0
    first, second, third = done.stderr.splitlines()
    assert "unexpected ValueError" in first
    assert "in a thread\\x1b" in first
    assert "unexpected KeyError" in second
    assert third == "condaprune: UserWarning: to be\\x1b seen"


def test_what_fails_unforeseen_names_what_it_leaves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from condaprune.sources.find import find_source

    env = make_prefix(tmp_path / "env", {})
    source = find_source(str(env))
    with pytest.raises(ZeroDivisionError), name_what_is_left(source):
        _ = 1 / 0
    assert capsys.readouterr().err == ""
    (env / ".condaprune").mkdir()
    with pytest.raises(ZeroDivisionError), name_what_is_left(source):
        _ = 1 / 0
    assert capsys.readouterr().err.startswith(f"condaprune: {env}: an interrupted run left")
    with pytest.raises(SinkError), name_what_is_left(source):
        raise SinkError("says it itself")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("command", ["prune", "undo"])
def test_a_run_in_place_that_fails_unforeseen_names_its_state(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = make_prefix(tmp_path / "env", {})

    def fail(*_arguments: object, **_named: object) -> None:
        (env / ".condaprune").mkdir(exist_ok=True)
        raise RuntimeError("half way")

    place = {"prune": "condaprune.app.prune.prune", "undo": "condaprune.sinks.inplace.run.undo"}
    monkeypatch.setattr(place[command], fail)
    ran = condaprune(command, env, "-q")
    assert ran.status == 2
    left, said = ran.err.splitlines()
    assert left.startswith(f"condaprune: {env}: an interrupted run left its traces")
    assert "unexpected RuntimeError" in said


def test_a_signal_while_it_starts_shows_no_traceback() -> None:
    code = (
        "import os, signal, sys\n"
        "class Stop:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Stop())\n"
        "from condaprune.cli import main\n"
        "main(['--version'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr == "condaprune: interrupted\n"


def test_run_returns_to_a_caller_such_as_conda(monkeypatch: pytest.MonkeyPatch) -> None:
    _fail_with(monkeypatch, ValueError("odd"))
    monkeypatch.setattr("condaprune.cli.watch_background", lambda: None)
    assert run(["status", "/env"]) == 2
    with pytest.raises(SystemExit) as stopped:
        main(["status", "/env"])
    assert stopped.value.code == 2


HOOK = """
import sys
class Fail:
    def find_spec(self, name, path=None, target=None):
        if name == "condaprune.cli.group": raise RuntimeError("odd\\x1b")
sys.meta_path.insert(0, Fail())
"""
PLUGIN = (
    "import sys, types\n"
    "for name in ('conda', 'conda.plugins', 'conda.plugins.types'):\n"
    "    sys.modules[name] = types.ModuleType(name)\n"
    "sys.modules['conda.plugins'].hookimpl = lambda function: function\n"
    "sys.modules['conda.plugins.types'].CondaSubcommand = lambda **named: named\n"
    "from condaprune.conda_plugin import conda_subcommands\n"
    "sys.exit(next(conda_subcommands())['action'](('status', 'x')))\n"
)


@pytest.mark.parametrize(
    "words",
    [["-m", "condaprune"], ["-c", "from condaprune.cli import main; main()"], ["-c", PLUGIN]],
    ids=["module", "script and single file", "conda's plugin"],
)
def test_every_door_has_the_net(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    paths = os.pathsep.join([str(tmp_path), str(Path(condaprune_package.__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, *words],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    said = r"condaprune: an unexpected RuntimeError at condaprune\.cli:\d+: odd\\x1b\. This is .*\n"
    assert re.fullmatch(said, done.stderr)
