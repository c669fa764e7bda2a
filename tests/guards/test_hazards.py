"""Each hazard in a real environment: it works, a careless removal breaks it, the guard does not."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from condaprune.guards import examine
from condaprune.sources.prefix import PrefixSource
from lab.envs import BuiltEnvironment, c_compiler
from tests.guards.hazards import HAZARDS, Hazard
from tests.guards.helpers import matching


@pytest.fixture(scope="module")
def stage(tiny_env: BuiltEnvironment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tiny environment that tests may add to and take from."""
    root = tmp_path_factory.mktemp("hazards") / "env"
    shutil.copytree(tiny_env.prefix, root, symlinks=True, copy_function=_link_or_copy)
    return root


def _link_or_copy(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


@pytest.fixture
def aside(stage: Path, tmp_path: Path) -> Iterator[Path]:
    """A folder that what a test removes is moved to, and put back from."""
    folder = tmp_path / "aside"
    folder.mkdir()
    yield folder
    _put_back(stage, folder)


@pytest.mark.parametrize("hazard", HAZARDS, ids=lambda hazard: hazard.id)
def test_hazard(hazard: Hazard, stage: Path, aside: Path) -> None:
    python = next((stage / "lib").glob("python3.*[0-9]"))
    short = python.name.removeprefix("python")
    words = {
        "{std}": f"lib/python{short}",
        "{site}": f"lib/python{short}/site-packages",
        "{tag}": short.replace(".", ""),
    }
    if hazard.needs == "c":
        if c_compiler() is None:
            pytest.skip("needs a C compiler")
    elif hazard.needs and not os.path.lexists(stage / _fill(hazard.needs, words)):
        pytest.skip(f"the environment has no {hazard.needs}")
    added = _add(hazard, stage, words)
    try:
        before = _run(hazard, stage)
        assert before[0] == 0, before
        source = PrefixSource(str(stage))
        inventory = source.inventory()
        doomed = matching(inventory, [_fill(pattern, words) for pattern in hazard.doomed])
        assert doomed
        report = examine(inventory, source, doomed, rules={hazard.rule.id: hazard.rule})

        _move(stage, aside, doomed)
        assert _run(hazard, stage) != before, "the careless removal did no harm"
        _put_back(stage, aside)

        _move(stage, aside, [path for path in doomed if path not in report.vetoes])
        assert _run(hazard, stage) == before
        assert hazard.guard in {veto.guard for veto in report.vetoes.values()}
    finally:
        _put_back(stage, aside)
        for path in reversed(added):
            path.unlink()


def _fill(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def _add(hazard: Hazard, stage: Path, words: dict[str, str]) -> list[Path]:
    added = []
    for name, content in hazard.files.items():
        path = stage / _fill(name, words)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
            if content.startswith(b"#!"):
                path.chmod(0o755)
        else:
            kind, _, value = content.partition(":")
            value = _fill(value, words)
            if kind == "copy":
                shutil.copyfile(stage / value, path)
            elif kind == "link":
                path.symlink_to(value)
            elif kind == "compile":
                _compile(stage, stage / value, path)
            else:
                _build(stage, value, path, words)
        added.append(path)
    return added


def _compile(stage: Path, source: Path, target: Path) -> None:
    code = f"import py_compile; py_compile.compile({str(source)!r}, {str(target)!r}, doraise=True)"
    subprocess.run([stage / "bin/python", "-c", code], check=True)


def _build(stage: Path, code: str, target: Path, words: dict[str, str]) -> None:
    compiler = c_compiler()
    assert compiler is not None
    include = stage / "include" / words["{std}"].rpartition("/")[2]
    command = [compiler, "-shared", "-fPIC", "-xc", "-", "-I", str(include), "-o", str(target)]
    subprocess.run(command, input=code.encode(), check=True)


def _run(hazard: Hazard, stage: Path) -> tuple[int, str]:
    """Status and output of the check; what it says of errors differs from run to run."""
    environ = {
        "PATH": f"{stage}/bin:/usr/bin:/bin",
        "PREFIX": str(stage),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if hazard.shell:
        command = ["/bin/sh", "-c", hazard.check]
    else:
        command = [str(stage / "bin/python"), "-c", hazard.check]
    done = subprocess.run(
        command, env=environ, cwd="/", capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout


def _move(stage: Path, aside: Path, paths: object) -> None:
    assert isinstance(paths, (list, dict))
    for path in paths:
        target = aside / path
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(stage / path, target)


def _put_back(stage: Path, aside: Path) -> None:
    for folder, folders, files in os.walk(aside):
        for name in [*files, *(f for f in folders if os.path.islink(os.path.join(folder, f)))]:
            path = os.path.join(folder, name)
            os.rename(path, stage / os.path.relpath(path, aside))
