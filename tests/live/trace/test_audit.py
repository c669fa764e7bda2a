"""The audit recorder: who asked, how, and what it leaves as it was."""

import os
import sys
from pathlib import Path

import pytest

from condaprune.errors import TraceError
from condaprune.live.trace.recorders.audit import AuditRecorder, parse
from condaprune.live.trace.recorders.base import Launch
from condaprune.live.trace.session import record
from condaprune.traces.trace import Trace
from lab.envs.model import BuiltEnvironment
from tests.trees import SITE, make_prefix

from .conftest import opened

_APP = """
import importlib, os, sys
sys.path.insert(0, sys.argv[1])
import demo
importlib.import_module("demo." + "lazy")
__import__("demo" + ".other")
import demo.plain
os.listdir(sys.argv[1] + "/demo/plugins")
open(sys.argv[1] + "/demo/data.txt").close()
if hasattr(os, "fork"):
    child = os.fork()
    if child == 0:
        import demo.child
        os._exit(0)
    os.waitpid(child, 0)
print("told", flush=True)
code = "import sys; sys.path.insert(0, %r); import demo.late" % sys.argv[1]
os.execv(sys.executable, [sys.executable, "-c", code])
"""


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    names = ("__init__", "lazy", "other", "plain", "child", "late", "unused")
    return make_prefix(
        tmp_path / "env",
        {
            **{f"{SITE}/demo/{name}.py": b"" for name in names},
            f"{SITE}/demo/plugins/one.txt": b"",
            f"{SITE}/demo/data.txt": b"",
        },
    )


def run(demo: Path, code: str = _APP, recorders: tuple[str, ...] = ("audit",)) -> Trace:
    command = [sys.executable, "-c", code, os.fspath(demo / SITE)]
    return record(command, os.fspath(demo), recorders)


def test_every_way_of_asking_is_told_from_the_others(demo: Path) -> None:
    trace = run(demo)
    assert trace.runs[0].exit_code == 0
    home = f"{SITE}/demo"
    asked = {
        path.removeprefix(home + "/"): entry
        for path, entry in trace.entries.items()
        if path.startswith(home + "/")
    }
    assert "unused.py" not in asked
    assert asked["lazy.py"].computed == {"__main__"}
    assert asked["other.py"].computed == {"__main__"}
    assert asked["plain.py"].computed == set()
    assert asked["plain.py"].askers == {"__main__"}
    assert "child.py" in asked
    assert "late.py" in asked
    assert asked["plugins"].kinds == {"list"}
    assert asked["plugins"].askers == {"__main__"}
    assert trace.entries[home].askers == {"importlib"}
    assert asked["data.txt"].kinds == {"open"}


def test_modules_from_bytecode_name_their_source(tiny_env: BuiltEnvironment) -> None:
    command = [str(tiny_env.python), "-c", "import click, sqlite3; sqlite3.connect(':memory:')"]
    trace = record(command, os.fspath(tiny_env.prefix), ["audit"])
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    site = next(p for p in opened(trace, "stat") if p.endswith("/click/__init__.py"))
    assert version in site or "site-packages" in site
    core = next(p for p in opened(trace, "stat") if p.endswith("/click/core.py"))
    assert "click" in trace.entries[core].askers
    assert any(path.endswith(".so") and "_sqlite3" in path for path in opened(trace))


def test_an_existing_sitecustomize_still_runs(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sitecustomize.py").write_text(
        "import sys; sys.ours = __name__, __file__\nprint('chained', flush=True)"
    )
    code = (
        "import sys, os, sitecustomize; assert sys.ours[0] == 'sitecustomize';"
        "assert sitecustomize.__file__ == sys.ours[1];"
        "assert not any('hook' in p for p in sys.path), sys.path;"
        "open(sys.argv[1] + '/demo/data.txt').close()"
    )
    command = [sys.executable, "-c", code, os.fspath(demo / SITE)]
    environment = {**os.environ, "PYTHONPATH": os.fspath(tmp_path / "own")}
    trace = record(command, os.fspath(demo), ["audit"], environment=environment)
    assert trace.runs[0].exit_code == 0
    assert f"{SITE}/demo/data.txt" in opened(trace)


def test_the_hook_changes_nothing_that_a_program_can_see_of_its_files(demo: Path) -> None:
    code = (
        "import os, sys\n"
        "for number in range(3, 64):\n"
        "    try: os.close(number)\n"
        "    except OSError: pass\n"
        "path = os.environ['OUT']\n"
        "ours = os.open(path, os.O_RDWR | os.O_CREAT)\n"
        "open(sys.argv[1] + '/demo/data.txt').close()\n"
        "open(b'/nonexistent/\\xff') if 0 else None\n"
        "try: open(['no path'])\n"
        "except TypeError: pass\n"
        "assert os.fstat(ours).st_size == 0\n"
    )
    out = demo.parent / "out"
    command = [sys.executable, "-c", code, os.fspath(demo / SITE)]
    environment = {**os.environ, "OUT": os.fspath(out)}
    trace = record(command, os.fspath(demo), ["audit"], environment=environment)
    assert trace.runs[0].exit_code == 0
    assert f"{SITE}/demo/data.txt" in opened(trace)


def test_attribution_joins_what_another_recorder_saw(demo: Path) -> None:
    trace = run(demo, recorders=("inotify", "audit"))
    entry = trace.entries[f"{SITE}/demo/plain.py"]
    assert entry.recorders == {"inotify", "audit"}
    assert entry.askers == {"__main__"}


def test_an_environment_without_python_is_refused(tmp_path: Path) -> None:
    prefix = make_prefix(tmp_path / "env", {"lib/python3.7/os.py": b""}, python=False)
    with pytest.raises(TraceError, match=r"no Python 3\.8 or newer"):
        AuditRecorder(os.fspath(prefix), os.fspath(tmp_path)).check()


def test_the_hook_goes_before_what_pythonpath_holds(tmp_path: Path) -> None:
    launch = AuditRecorder("/env", os.fspath(tmp_path)).launch(Launch(("x",), {"PYTHONPATH": "/a"}))
    assert launch.environment["PYTHONPATH"] == f"{tmp_path}/hook:/a"
    assert launch.command == ("x",)


def test_a_line_cut_short_is_left_out() -> None:
    whole = b"open\0/env/a\0app\0computed\0"
    assert list(parse(whole + b"open\0/env/b\0ap")) == [("open", "/env/a", "app", "computed")]
    assert list(parse(b"odd\0/env/a\0app\0\0")) == []
