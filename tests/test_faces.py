"""Every face gives the same number to the same question, to the byte."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from condaprune import Request, plan
from condaprune.live.trace.session import record
from condaprune.planning.account import make_account
from condaprune.request.find import read_config
from condaprune.traces.format import write_trace
from lab.envs import BuiltEnvironment
from tests.cli.runner import condaprune

CONFIGURATION = """
profile = "minimal"
keep = ["idlelib/", "/include/zlib.h"]
drop = ["/share/notes/"]
trace = ["app.trace"]

[budget.environment]
max = "10 GB"
"""


@dataclass(frozen=True, slots=True)
class Bytes:
    """What a face says there is, what goes, and what is left."""

    before: int
    saved: int
    after: int


@cache
def dry_run(env: Path, *options: str) -> Bytes:
    return _of_manifest(json.loads(_out(env, "--dry-run", "--format", "json", *options)))


def manifest_of_an_archive(env: Path, *options: str) -> Bytes:
    _out(env, "--force", "-o", "slim.tar", "--manifest", "slim.json", *options)
    data = json.loads(Path("slim.json").read_text("utf-8"))
    rows = [*data["rules"], data["rewritten"]]
    assert sum(row["bytes"] for row in rows) == data["saved"]["bytes"]
    return _of_manifest(data)


def audit(env: Path, *options: str) -> Bytes:
    """The audit with any option laid over, each of its views included."""
    data = json.loads(_out("audit", env, "--quick", "--by", "rule", "--format", "json", *options))
    total = data["total"]
    for name, rows in data["views"].items():
        top = [row for row in rows if name != "folder" or "/" not in row["name"]]
        assert sum(row["bytes"] for row in top) == total["bytes"], name
        assert sum(row.get("removed_bytes", 0) for row in top) == total["removed_bytes"], name
    kept = next(row["bytes"] for row in data["views"]["rule"] if row["name"] == "(kept)")
    return Bytes(total["bytes"], total["removed_bytes"], kept)


def explain(env: Path, *options: str) -> Bytes:
    (answer,) = json.loads(_out("explain", env, ".", "--format", "json", *options))
    return Bytes(answer["bytes"], answer["freed"], answer["bytes"] - answer["freed"])


def check(env: Path, *options: str) -> Bytes:
    """What `check` counts without and with --pruned."""
    found = []
    for more in ((), ("--pruned", *options)):
        _out("check", env, "-q", *more, "--audit", "json=counted.json")
        found.append(json.loads(Path("counted.json").read_text("utf-8"))["total"]["bytes"])
    return Bytes(found[0], found[0] - found[1], found[1])


def python(env: Path, *options: str) -> Bytes:
    request = Request(strip="--strip" in options or None)
    account = make_account(plan(env, request, config=read_config()))
    return Bytes(account.bytes_before, account.saved_bytes, account.bytes_after)


def in_place(env: Path, *options: str) -> Bytes:
    """A prune of a copy, less the status file that it leaves."""
    shutil.rmtree("copy", ignore_errors=True)
    shutil.copytree(env, "copy", symlinks=True, copy_function=os.link)
    data = json.loads(_out("copy", "--format", "json", *options))
    own = Path("copy/conda-meta/condaprune/status.json").stat().st_size
    found = _of_manifest(data)
    return Bytes(found.before, found.saved + own, found.after - own)


def _of_manifest(data: dict[str, dict[str, int]]) -> Bytes:
    return Bytes(data["before"]["bytes"], data["saved"]["bytes"], data["after"]["bytes"])


def _out(*arguments: object) -> str:
    ran = condaprune(*arguments)
    assert ran.status == 0, ran.err
    return ran.out


@pytest.fixture(scope="module")
def env(tiny_env: BuiltEnvironment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Hard links within the environment and out of it, a configuration and a trace beside it."""
    folder = tmp_path_factory.mktemp("faces")
    prefix = folder / "env"
    shutil.copytree(tiny_env.prefix, prefix, symlinks=True, copy_function=os.link)
    library = next(prefix.glob("lib/**/*.a"))
    os.link(library, prefix / "share/kept-by-another-path.bin")
    (prefix / "share/notes").mkdir()
    (prefix / "share/notes/one.txt").write_text("dropped as a whole\n" * 40)
    os.link(prefix / "share/notes/one.txt", prefix / "share/notes/two.txt")
    (prefix / "share/notes/seen.txt").write_text("a run has opened this\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_trace(record(["cat", str(prefix / "share/notes/seen.txt")], str(prefix)), "app.trace")
        Path("condaprune.toml").write_text(CONFIGURATION)
        yield prefix


FACES = (manifest_of_an_archive, audit, explain, check, python, in_place)


@pytest.mark.parametrize("options", [(), ("--strip",)], ids=["as configured", "stripped too"])
@pytest.mark.parametrize("face", FACES, ids=lambda face: face.__name__.replace("_", " "))
def test_a_face_agrees_with_the_dry_run(
    face: Callable[..., Bytes], options: tuple[str, ...], env: Path
) -> None:
    expected = dry_run(env, *options)
    assert expected.before - expected.saved == expected.after
    assert expected.saved > 0
    assert face(env, *options) == expected


def test_the_configuration_and_stripping_change_the_number(env: Path) -> None:
    """The agreement would prove nothing if no option had an effect."""
    plain = dry_run(env)
    assert dry_run(env, "--isolated") != plain
    assert dry_run(env, "--strip").saved > plain.saved
    assert dry_run(env, "--keep", "*.a").saved < plain.saved
