"""``--bytecode``: dropped, kept, or kept and loaded without a look at the source."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path

import pytest

from condaprune import api
from condaprune.model import Plan
from condaprune.request.request import Request
from lab.envs.fixtures import MakeEnvironment, Packer, Unpack
from lab.envs.model import BuiltEnvironment, SyntheticPackage
from tests.cli.runner import condaprune
from tests.sinks.inplace.prefixes import snapshot
from tests.trees import SITE, make_prefix

MODULE = f"{SITE}/demo.py"
BYTECODE = f"{SITE}/__pycache__/demo.cpython-311.pyc"
MAGIC = bytes.fromhex("a70d0d0a")
# Run by the environment's own Python: every .pyc by its kind, and whether its hash is right.
KINDS = """
import collections, importlib.util, os, sys
# Not by source_from_cache, which refuses Python 3.10's own __phello__.foo.cpython-310.pyc.
found = collections.Counter()
for folder, _, names in os.walk(sys.prefix):
    for path in [os.path.join(folder, name) for name in names if name.endswith(".pyc")]:
        head = open(path, "rb").read(16)
        source = os.path.join(os.path.dirname(folder), os.path.basename(path).split(".cpython-")[0])
        right = head[8:] == importlib.util.source_hash(open(source + ".py", "rb").read())
        found["unchecked" if head[4] == 1 and right else "wrong" if head[4] else "timed"] += 1
print(*sorted(found.items()))
"""


def pyc(source: bytes, mtime: int, *, flags: int = 0, magic: bytes = MAGIC) -> bytes:
    """Bytecode that was compiled from *source*, which was changed at *mtime* last."""
    words = (flags, mtime, len(source))
    return magic + b"".join(word.to_bytes(4, "little") for word in words) + b"code of the module"


def plan(root: Path, source: bytes, bytecode: bytes, choice: str = "hash") -> Plan:
    """The plan for a prefix with one module, changed at second 1000, and its bytecode."""
    make_prefix(root, {MODULE: source, BYTECODE: bytecode})
    os.utime(root / MODULE, (1000, 1000))
    return api.plan(str(root), Request(bytecode=choice))


def is_newer(magic: bytes) -> bool:
    """Whether bytecode takes the hash of Python 3.11 on."""
    return int.from_bytes(magic[:2], "little") >= 3450


OWN = is_newer(importlib.util.MAGIC_NUMBER)


@pytest.mark.parametrize(
    ("magic", "expected"),
    [  # what importlib.util.source_hash(b"x = 1\n") of that Python gives
        pytest.param("6f0d0d0a", "d94aade28c8cbebf", id="3.10"),
        pytest.param("a70d0d0a", "4c0372aa93f75252", id="3.11"),
        pytest.param("f30d0d0a", "e786e2893651120e", id="3.13"),
    ],
)
def test_only_the_header_is_edited(tmp_path: Path, magic: str, expected: str) -> None:
    head = bytes.fromhex(magic)
    made = plan(tmp_path, b"x = 1\n", pyc(b"x = 1\n", 1000, magic=head))
    if is_newer(head) is not OWN:
        assert made.edits == ()
        assert any("the bytecode of 1 module is left as it is" in note for note in made.notes)
        return
    (edit,) = made.edits
    assert (edit.path, edit.replaces) == (BYTECODE, True)
    assert edit.patch is not None
    assert edit.patch.head == head + b"\1\0\0\0" + bytes.fromhex(expected)
    assert not any("left as it is" in note for note in made.notes)


@pytest.mark.parametrize(
    "bytecode",
    [
        pytest.param(pyc(b"x = 1\n", 999), id="another-time"),
        pytest.param(pyc(b"x = 10\n", 1000), id="another-size"),
        pytest.param(pyc(b"x = 1\n", 1000, flags=3), id="checked-by-hash"),
        pytest.param(pyc(b"x = 1\n", 1000, magic=b"\x33\x0d\r\n"), id="python-3.6"),
        pytest.param(pyc(b"x = 1\n", 1000)[:12], id="cut-short"),
        pytest.param(b"", id="empty"),
    ],
)
def test_what_does_not_fit_its_source_is_left_alone(tmp_path: Path, bytecode: bytes) -> None:
    assert plan(tmp_path, b"x = 1\n", bytecode).edits == ()


def test_a_source_that_names_the_prefix_keeps_its_check(tmp_path: Path) -> None:
    """conda-unpack rewrites such a source, and its bytecode must be compiled anew then."""
    source = f"PREFIX = '{tmp_path}/share'\n".encode()
    assert plan(tmp_path, source, pyc(source, 1000)).edits == ()


def test_a_source_that_conda_unpack_will_rewrite_keeps_its_check(tmp_path: Path) -> None:
    source = b"PREFIX = '/home/someone/env'\n"
    row = f"('{MODULE}', '/home/someone/env', 'text')"
    script = f"#!/usr/bin/env python\n_prefix_records = [\n{row},\n]\n"
    make_prefix(tmp_path, {"bin/conda-unpack": script.encode()})
    assert plan(tmp_path, source, pyc(source, 1000)).edits == ()


def test_a_file_with_two_names_is_left_alone(tmp_path: Path) -> None:
    made = plan(tmp_path, b"x = 1\n", pyc(b"x = 1\n", 1000), "keep")
    assert not made.edits
    os.link(tmp_path / BYTECODE, tmp_path / BYTECODE.replace("demo", "other"))
    (tmp_path / MODULE.replace("demo", "other")).write_bytes(b"x = 1\n")
    os.utime(tmp_path / MODULE.replace("demo", "other"), (1000, 1000))
    assert api.plan(str(tmp_path), Request(bytecode="hash")).edits == ()


@pytest.mark.parametrize(
    ("choice", "profile", "stays"),
    [("profile", "runtime", False), ("profile", "safe", True), ("drop", "safe", False),
     ("keep", "runtime", True), ("hash", "minimal", True)],
)  # fmt: skip
def test_what_the_choice_does(tmp_path: Path, choice: str, profile: str, stays: bool) -> None:
    make_prefix(tmp_path, {MODULE: b"", BYTECODE: pyc(b"", 1000)})
    made = api.plan(str(tmp_path), Request(bytecode=choice, profile=profile))
    assert made.removes(BYTECODE) is not stays


def test_the_configuration_chooses_and_the_command_line_overrules(tmp_path: Path) -> None:
    env = make_prefix(tmp_path / "env", {MODULE: b"", BYTECODE: pyc(b"", 1000)})
    config = tmp_path / "condaprune.toml"
    config.write_text('bytecode = "keep"\n')
    options = ("--dry-run", "--config", config, "-vv")
    assert BYTECODE not in condaprune(env, *options).out
    assert BYTECODE in condaprune(env, *options, "--bytecode", "drop").out


def test_in_place_in_a_real_environment_and_back(fresh_tiny: BuiltEnvironment) -> None:
    prefix = fresh_tiny.prefix
    before = _lasting(prefix)
    ran = condaprune(prefix, "--bytecode", "hash", "--undoable", "--quiet")
    assert ran.status == 0, ran.err
    kinds = fresh_tiny.run("python", "-c", KINDS).stdout
    assert "'unchecked', " in kinds
    assert "wrong" not in kinds
    assert int(kinds.split("'unchecked', ")[1].split(")")[0]) > 500
    # The proof that no source is looked at: one that was changed changes nothing.
    source = fresh_tiny.site_packages / "click" / "__init__.py"
    held, info = source.read_bytes(), source.stat()
    source.unlink()
    source.write_bytes(b"raise SystemExit('read the source')\n")
    assert fresh_tiny.run("python", "-c", "import click; print(click.Command)").stdout
    source.unlink()
    source.write_bytes(held)
    source.chmod(info.st_mode)
    os.utime(source, ns=(info.st_atime_ns, info.st_mtime_ns))
    cache = str(source.parent.relative_to(prefix))
    undone = condaprune("undo", prefix)
    assert undone.status == 0, undone.err
    after = _lasting(prefix)
    touched = (cache, f"{cache}/__init__.py", ".")
    assert {p: v for p, v in after.items() if p not in touched} == {
        p: v for p, v in before.items() if p not in touched
    }


def _lasting(prefix: Path) -> dict[str, tuple[object, ...]]:
    """A snapshot without numbers of hard links: other tests share the package cache."""
    return {path: row[:5] + row[6:] for path, row in snapshot(prefix).items()}


def _kinds(prefix: Path) -> str:
    command = [str(prefix / "bin" / "python"), "-B", "-c", KINDS]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("again", [False, True], ids=["from-a-prefix", "from-an-archive"])
def test_archives(
    tiny_env: BuiltEnvironment, packed_tiny: Packer, unpack: Unpack, tmp_path: Path, again: bool
) -> None:
    """With SOURCE_DATE_EPOCH all times become one, and bytecode that is checked by time is lost."""
    source = packed_tiny("tar.gz").archive if again else tiny_env.prefix
    slim = tmp_path / "slim.tar.gz"
    ran = condaprune(source, "-o", slim, "--bytecode", "hash", "--quiet")
    assert ran.status == 0, ran.err
    kinds = _kinds(unpack(slim, conda_unpack=True))
    assert "'unchecked', " in kinds
    assert "wrong" not in kinds


def test_a_package_that_moves_is_compiled_for_its_new_place(
    make_environment: MakeEnvironment, unpack: Unpack, tmp_path: Path
) -> None:
    from lab.envs.model import PLACEHOLDER

    package = SyntheticPackage(
        "moving", files={"{site}/moving.py": f"WHERE = '{PLACEHOLDER}/share'\n"}, noarch="python"
    )
    env = make_environment(packages=[package])
    slim = tmp_path / "slim.tar"
    ran = condaprune(env.prefix, "-o", slim, "--bytecode", "hash", "--quiet")
    assert ran.status == 0, ran.err
    prefix = unpack(slim, conda_unpack=True)
    command = [str(prefix / "bin" / "python"), "-B", "-c", "import moving; print(moving.WHERE)"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told == f"{prefix}/share\n"


def test_a_second_run_finds_nothing_to_do(fresh_tiny: BuiltEnvironment) -> None:
    for _ in range(2):
        ran = condaprune(fresh_tiny.prefix, "--bytecode", "hash", "--quiet")
        assert ran.status == 0, ran.err
    assert api.plan(str(fresh_tiny.prefix), Request(bytecode="hash")).edits == ()
