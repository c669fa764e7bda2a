"""Rule files: what is refused, and where the message points."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from condaprune.errors import RuleError
from condaprune.ruleset import combine, load_builtin, load_file, parse_rules, rule_schema
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
    pytest.param(changed("{site}/made/*.a", "**"), 10, "takes everything", "Name", id="all"),
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


def test_rules_are_found_inside_a_zipped_application(tmp_path: Path) -> None:
    archive = tmp_path / "app.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for top, inside in (("condaprune", "condaprune"), ("rules", "condaprune/rules")):
            for folder, _, names in os.walk(os.path.join(CHECKOUT, top)):
                for name in names:
                    if name.endswith((".py", ".toml")):
                        path = os.path.join(folder, name)
                        rest = os.path.relpath(path, os.path.join(CHECKOUT, top))
                        target.write(path, f"{inside}/{rest}")
    code = "from condaprune.ruleset import load_builtin; print(len(load_builtin()))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(archive)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(len(load_builtin())) == done.stdout.strip()
