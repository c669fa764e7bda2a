"""``condaprune rules``: list, show, test, schema."""

import json
from pathlib import Path

import pytest

from tests.cli.runner import condaprune
from tests.trees import make_prefix

RULE = """
[[rule]]
id = "my-data"
why = "Training data of the demo package."
breaks = ["demo.train()"]
risk = "high"
category = "data"
references = ["https://example.org/demo"]
remove = ["/share/demo/train/"]
[rule.examples]
removed = ["share/demo/train/a.bin"]
kept = ["share/demo/a.bin", "opt/share/demo/train/a.bin"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(RULE)
    return path


def test_list_shows_every_rule_and_can_be_narrowed() -> None:
    everything = json.loads(condaprune("rules", "list", "--format", "json").out)
    safe = json.loads(condaprune("rules", "list", "--profile", "safe", "--format", "json").out)
    assert {rule["risk"] for rule in safe} == {"safe"}
    assert 0 < len(safe) < len(everything)


def test_list_refuses_an_unknown_category() -> None:
    ran = condaprune("rules", "list", "--category", "bytecod")
    assert (ran.status, "'bytecode'" in ran.err) == (2, True)


def test_show_is_the_page_of_a_rule(file: Path) -> None:
    page = condaprune("rules", "show", "my-data", "--rules", file).out
    for part in ("Training data", "demo.train()", "risk      high", "https://example.org/demo"):
        assert part in page


def test_show_tells_what_a_rule_saves_in_an_environment(file: Path, tmp_path: Path) -> None:
    env = make_prefix(tmp_path / "env", {"share/demo/train/a.bin": b"x" * 100})
    page = condaprune("rules", "show", "my-data", env, "--rules", file).out
    assert "removes 1 file, 100 B" in page


def test_show_of_an_unknown_rule_names_the_nearest(file: Path) -> None:
    ran = condaprune("rules", "show", "my-dat", "--rules", file)
    assert (ran.status, "'my-data'" in ran.err) == (2, True)


def test_the_built_in_rules_hold() -> None:
    ran = condaprune("rules", "test")
    assert ran.status == 0, ran.out


def test_a_failing_example_of_ones_own_exits_1(file: Path) -> None:
    assert condaprune("rules", "test", file).status == 0
    file.write_text(RULE.replace('"share/demo/train/a.bin"]', '"share/demo/other/a.bin"]'))
    ran = condaprune("rules", "test", file)
    assert ran.status == 1
    assert "own.toml" in ran.out


def test_a_broken_file_exits_2_with_file_and_line(file: Path) -> None:
    file.write_text(RULE.replace("why =", "whi ="))
    ran = condaprune("rules", "test", file)
    assert ran.status == 2
    assert "own.toml:4" in ran.err
    assert "'why'" in ran.err


def test_the_schema_is_json() -> None:
    assert "properties" in json.loads(condaprune("rules", "schema").out)
