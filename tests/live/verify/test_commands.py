"""The check `commands`: what answered --version or --help before and does not after."""

from __future__ import annotations

from pathlib import Path

import pytest

from condaprune.live.verify.proof import compare
from condaprune.live.verify.removals import Ledger
from condaprune.live.verify.results import Verification
from tests.live.verify.conftest import SITE, Environments, MakePair, executable, remove, site

MODULE = "import sys\nfrom app import parser\nsys.exit(0 if sys.argv[1:] == ['--help'] else 2)\n"
SH = "#!/bin/sh\n"


def commands(
    pair: Environments, ledger: Ledger | None = None, timeout: float = 20.0
) -> Verification:
    return compare(*pair, checks=["commands"], manifest=ledger, timeout=timeout)


@pytest.fixture
def pair(make_pair: MakePair) -> Environments:
    before, after = make_pair(site({"app/__init__.py": "", "app/parser.py": "", "app/x.py": ""}))
    for prefix in (before, after):
        # As in a copy, the first line names the interpreter of the original on both sides.
        executable(prefix, "bin/app", f"#!{before}/bin/python\n{MODULE}")
        executable(prefix, "bin/tool", SH + '[ "$1" = --version ] && cat "$0.data"\n')
        (prefix / "bin/tool.data").write_text("1.0")
        executable(prefix, "bin/useless", SH + "exit 3\n")
        executable(prefix, "bin/conda", SH + 'touch "$HOME/../ran"\n')
        (prefix / "bin/alias").symlink_to("tool")
        (prefix / "bin/notes.txt").write_text("no command\n")
    return before, after


@pytest.mark.parametrize(
    "gone",
    [
        pytest.param((), id="an exact copy loses nothing"),
        pytest.param((f"{SITE}/app/x.py",), id="a module that no command imports may go"),
        pytest.param(("bin/useless",), id="a command that failed before may go"),
    ],
)
def test_finds_no_loss(pair: Environments, gone: tuple[str, ...]) -> None:
    remove(pair[1], *gone)
    found = commands(pair)
    assert found.ok
    assert found.removed == ()
    # app, alias, python and tool: alias fails, since its data file has another name.
    assert found.counts["commands"].compared == 3


@pytest.mark.parametrize(
    ("gone", "lost", "evidence"),
    [
        pytest.param(
            f"{SITE}/app/parser.py",
            {"bin/app": "--help ended with 0"},
            "ImportError",
            id="a script whose module is gone, run by the copy's Python",
        ),
        pytest.param(
            "bin/tool.data",
            {"bin/tool": "--version ended with 0"},
            "tool.data",
            id="a program whose data are gone",
        ),
    ],
)
def test_finds_what_is_lost(
    pair: Environments, gone: str, lost: dict[str, str], evidence: str
) -> None:
    remove(pair[1], gone)
    found = commands(pair)
    assert {f.name: f.before for f in found.lost} == lost
    assert evidence in found.lost[0].evidence
    assert [c.path for c in found.lost[0].removed] == [gone]


def test_a_removed_command_is_counted_apart(pair: Environments) -> None:
    remove(pair[1], "bin/tool")
    found = commands(pair, Ledger({"bin/tool": "native/tools"}))
    assert found.ok
    assert [(f.name, f.rule) for f in found.removed] == [("bin/tool", "native/tools")]
    unexplained = commands(pair, Ledger({"bin/else": "x"}))
    assert [f.name for f in unexplained.lost] == ["bin/tool"]


def test_a_command_that_hangs_after_pruning_is_lost(pair: Environments) -> None:
    executable(pair[1], "bin/tool", SH + "sleep 60\n")
    found = commands(pair, timeout=2.0)
    assert {f.name: f.after for f in found.lost} == {"bin/tool": "did not end in time"}


def test_commands_known_to_be_harmful_are_named_and_not_run(pair: Environments) -> None:
    executable(pair[1], "bin/conda", SH + "exit 7\n")
    found = commands(pair)
    assert found.ok
    assert [(u.subject, bool(u.why)) for u in found.unchecked] == [("bin/conda", True)]


def test_a_long_first_line_is_seen_through(make_pair: MakePair, tmp_path: Path) -> None:
    before, after = make_pair(site({"app/__init__.py": "", "app/parser.py": ""}))
    for prefix in (before, after):
        head = f"#!/bin/sh\n'''exec' {tmp_path}/before/bin/python \"$0\" \"$@\"\n' '''\n"
        executable(prefix, "bin/app", head + MODULE)
    assert commands((before, after)).ok
    remove(after, f"{SITE}/app/parser.py")
    assert [f.name for f in commands((before, after)).lost] == ["bin/app"]
