"""Rule files: what is refused, and where the message points."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from condaprune.errors import RuleError
from condaprune.ruleset import builtin, combine, load_builtin, load_file, parse_rules, rule_schema
from condaprune.ruleset.builtin import COMPILED, compile_builtin
from condaprune.ruleset.format import Retired
from lab.path_lists import CHECKOUT

GOOD = """\
# a comment

[[rule]]
id = "made"
why = "No reason."
breaks = ["Nothing"]
risk = "low"
category = "made"
references = ["https://example.org"]
remove = ["{site}/made/*.a"]
[rule.examples]
removed = ["lib/python3.12/site-packages/made/x.a"]
"""


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def test_a_good_file_yields_its_rules_with_their_place() -> None:
    (rule,) = parse_rules(GOOD, "my.toml")
    assert (rule.id, rule.origin, rule.line) == ("made", "my.toml", 3)
    assert rule.remove == ("{site}/made/*.a",)


BAD = [
    pytest.param(changed("risk =", "rsik ="), 7, "unknown key 'rsik'", "'risk'", id="unknown key"),
    pytest.param(changed('"low"', '"lwo"'), 7, "'risk' is 'lwo'", "'low'", id="unknown risk"),
    pytest.param(changed('"low"', "3"), 7, "'risk' is 3", "safe", id="risk of wrong type"),
    pytest.param(changed('why = "No reason."\n', ""), 3, "'why' is missing", "Add", id="no why"),
    pytest.param(changed('["Nothing"]', "[]"), 6, "'breaks' is empty", "at least", id="no breaks"),
    pytest.param(changed('["Nothing"]', '"No"'), 6, "'breaks' is a string", "list", id="no list"),
    pytest.param(changed('"made"\nwhy', '"Made!"\nwhy'), 4, "'id' is 'Made!'", "lower", id="id"),
    pytest.param(changed("https://", ""), 9, "'references' is", "URL", id="no URL"),
    pytest.param(changed("/made/*.a", "/../x"), 10, "escapes the prefix", "relative", id="dots"),
    pytest.param(changed("{site}/made", "{stie}"), 10, "unknown root 'stie'", "'site'", id="root"),
    pytest.param(changed("{site}/made/*.a", "**"), 10, "matches everything", "Name", id="all"),
    pytest.param(changed("*.a", "x\\\\"), 10, "malformed", "", id="trailing backslash"),
    pytest.param(changed("*.a", "{param.x}"), 10, "unknown parameter 'x'", "Declare", id="param"),
    pytest.param(changed("removed =", "removd ="), 12, "'removd'", "'removed'", id="e"),
    pytest.param(GOOD + "[rule.when]\npython = '>>3'\n", 14, "malformed", ">=1.22", id="range"),
    pytest.param(GOOD + "[rule.when]\nversion = '>3'\n", 14, "package", "Add", id="version alone"),
    pytest.param(GOOD + "[rule.when]\nplatform = ['mac']\n", 14, "'mac'", "Known", id="platform"),
    pytest.param(GOOD + GOOD, 15, "taken by my.toml:3", "own", id="duplicate id"),
    pytest.param("rule = 3\n", 1, "'rule' is a number", "list", id="rule is a number"),
    pytest.param(GOOD + "[rule.x", 13, "not valid TOML", "toml.io", id="syntax"),
    pytest.param("", 1, "'rule' is missing", "Add", id="empty file"),
]


@pytest.mark.parametrize(("text", "line", "what", "remedy"), BAD)
def test_a_bad_file_is_refused_with_line_and_remedy(
    text: str, line: int, what: str, remedy: str
) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rules(text, "my.toml")
    assert caught.value.where.startswith("my.toml")
    if line > 1:
        assert f":{line}" in caught.value.where
    assert what in caught.value.what
    assert remedy in caught.value.remedy


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="cannot be read"):
        load_file(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff")
    with pytest.raises(RuleError, match="UTF-8"):
        load_file(tmp_path / "bad.toml")


def test_an_id_of_the_built_in_rules_cannot_be_used_again(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(changed('"made"\nwhy', '"python-idlelib"\nwhy'))
    with pytest.raises(RuleError, match=r"taken by rules/python\.toml"):
        combine(load_builtin(), load_file(tmp_path / "own.toml"))


def test_the_published_schema_is_up_to_date() -> None:
    with open(os.path.join(CHECKOUT, "docs", "rules.schema.json"), encoding="utf-8") as stream:
        assert rule_schema() == json.load(stream)


def test_an_id_that_was_retired_cannot_be_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {"made": Retired(id="made", since="0.2", why="It was wrong.", now="")}
    monkeypatch.setattr(builtin, "load_retired", lambda: gone)
    with pytest.raises(RuleError, match=r"retired in 0\.2"):
        combine(load_builtin(), parse_rules(GOOD, "my.toml"))


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The folder of an installed condaprune, with the compiled rules."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(f"{CHECKOUT}/condaprune", tmp_path / "condaprune", ignore=ignore)
    rules = tmp_path / "condaprune" / "rules"
    shutil.copytree(f"{CHECKOUT}/rules", rules)
    (tmp_path / "condaprune" / "ruleset" / COMPILED).write_bytes(compile_builtin(str(rules)))
    return tmp_path


def run(path: Path, code: str) -> str:
    """What a program prints that imports condaprune from a path."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(path)},
        cwd=path.parent,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


DUMP = """\
import sys
from condaprune.ruleset import load_builtin, load_retired
from condaprune.ruleset.patterns import translate, with_values
rules = load_builtin()
patterns = [text for rule in with_values(rules) for text in rule.remove + rule.keep]
dump = repr((rules, load_retired(), [translate(text) for text in patterns]))
read = {"tomllib", "tomli", "pathspec", "packaging"} & set(sys.modules)
"""


def test_compiled_rules_are_those_of_the_toml_files(installed: Path) -> None:
    code = DUMP + "print(dump, bool(read))"
    compiled = run(installed, code)
    (installed / "condaprune" / "ruleset" / COMPILED).unlink()
    assert compiled.replace(" False\n", " True\n") == run(installed, code)


def test_compiled_rules_are_ignored_after_a_rule_was_edited(installed: Path) -> None:
    edited = installed / "condaprune" / "rules" / "docs.toml"
    edited.write_text(edited.read_text("utf-8").replace('risk = "safe"', 'risk = "high"'), "utf-8")
    code = DUMP + "print([r.risk for r in rules if r.origin == 'rules/docs.toml'])"
    assert "safe" not in run(installed, code)


def test_rules_of_the_size_and_age_of_the_compiled_ones_are_not_read(installed: Path) -> None:
    rules = installed / "condaprune" / "rules" / "docs.toml"
    before = rules.stat()
    rules.write_text(rules.read_text("utf-8").replace('risk = "safe"', 'risk = "high"'), "utf-8")
    code = DUMP + "print([r.risk for r in rules if r.origin == 'rules/docs.toml'])"
    os.utime(rules, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert "safe" in run(installed, code)
    os.utime(rules)
    assert "safe" not in run(installed, code)


def test_rules_are_found_inside_a_zipped_application(installed: Path) -> None:
    archive = shutil.make_archive(str(installed / "app"), "zip", installed)
    code = DUMP + "print(len(rules), read)"
    assert run(Path(archive), code) == f"{len(load_builtin())} set()\n"


def test_rules_that_are_missing_are_an_error(installed: Path) -> None:
    shutil.rmtree(installed / "condaprune" / "rules")
    (installed / "condaprune" / "ruleset" / COMPILED).unlink()
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run(installed, DUMP)
    assert "the built-in rules are missing" in caught.value.stderr
