"""Patterns of a shell over the whole path, as conda-pack reads them."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path

import pytest

from condaprune.errors import RuleError
from condaprune.ruleset.patterns import check, translate
from condaprune.ruleset.regexset import compile_set
from tests.cli.runner import condaprune
from tests.trees import make_prefix

PATHS = (
    "a/b.pyx", "lib/x/y.a", "lib/x.a", "axc", "abc", "a^c", "a]c", "a[b-", "x/tests/y/z",
    "tests/y", "x/y", "a\\b", "a.b{c}", "mytest", "mytest/x", "new\nline.pyx", "é.pyx",
)  # fmt: skip
GLOBS = (
    "*.pyx", "lib/*.a", "a[!b]c", "a[^b]c", "a[]]c", "a[b-", "*/tests/*", "x?y", "a[\\]b", "a.b{c}",
    "*test", "*", "?", "a[a-c]c", "(", "new*", "[[]b", "a[[]b-",
)  # fmt: skip


@pytest.mark.parametrize("glob", GLOBS)
def test_it_matches_what_a_shell_pattern_does(glob: str) -> None:
    regex = translate(f"glob:{glob}")
    hits = compile_set([regex])
    for path in PATHS:
        expected = fnmatch.fnmatchcase(path, glob)
        assert bool(re.compile(regex, re.DOTALL).match(path)) == expected, path
        assert bool(hits(path)) == expected, path


def test_what_is_malformed_is_refused() -> None:
    with pytest.raises(RuleError, match="is malformed"):
        translate("glob:a[z-a]")


def test_a_rule_cannot_use_one() -> None:
    with pytest.raises(RuleError, match="gitignore"):
        check("glob:*.pyx")


def test_a_configuration_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    env = make_prefix(tmp_path / "env", {"lib/a/b.pyx": b"x", "lib/test/x.txt": b"x"})
    Path("condaprune.toml").write_text('drop = ["glob:lib/*.pyx", "glob:*test"]\n')
    shown = condaprune(env, "--dry-run", "-vv", "--no-guard", "all").out
    assert "removed lib/a/b.pyx" in shown
    assert "lib/test/x.txt" not in shown
