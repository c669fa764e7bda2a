"""A request is merged once: lists of both, single values of the nearer one."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from condaprune import Request, plan
from condaprune.errors import UsageProblem
from condaprune.request.config import Config, load_config
from condaprune.request.format import ConfigTable
from tests.trees import SITE, make_prefix

TEXT = """
profile = "safe"
rules = ["own.toml"]
select = ["a"]
ignore = ["b"]
set = ["rule.name=x"]
keep = ["kept"]
drop = ["dropped"]
no_guard = ["dlopen"]
trace = ["app.trace"]
verify = ["true"]
drop_packages = ["pip"]
only_packages = ["python"]
keep_conda_meta = "slim"
bytecode = "keep"
strip = true

[profiles.web]
extends = "minimal"

[[suppress]]
rule = "r"
reason = "because"
expires = 2027-01-01
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "condaprune.toml").write_text(TEXT)
    return load_config(str(tmp_path / "condaprune.toml"))


def test_lists_add_up_and_those_of_the_configuration_come_first(config: Config) -> None:
    merged = Request(keep=("mine",), select=("c",), no_guard=("elf",)).configured(config)
    assert (merged.keep, merged.select) == (("kept", "mine"), ("a", "c"))
    assert merged.no_guard == ("dlopen", "elf")


def test_a_single_value_of_the_request_wins(config: Config) -> None:
    merged = Request(profile="minimal", bytecode="hash", strip=False).configured(config)
    assert (merged.profile, merged.bytecode, merged.strip) == ("minimal", "hash", False)
    merged = Request().configured(config)
    assert (merged.profile, merged.bytecode, merged.strip) == ("safe", "keep", True)
    assert merged.keep_conda_meta == "slim"


def test_files_of_the_configuration_lie_beside_it(config: Config, tmp_path: Path) -> None:
    merged = Request(traces=("here.trace",)).configured(config)
    assert merged.traces == (str(tmp_path / "app.trace"), "here.trace")
    assert merged.rule_files == (str(tmp_path / "own.toml"),)


def test_none_switches_the_configured_verifications_off(config: Config) -> None:
    assert Request(verify=("false",)).configured(config).verify == ("true", "false")
    assert Request(verify=("none",)).configured(config).verify == ("none",)


def test_no_key_of_the_configuration_is_left_out(config: Config) -> None:
    """A key that `configured` forgets would be ignored without a word."""
    merged = Request().configured(config)
    renamed = {"rules": "rule_files", "set": "settings", "trace": "traces"}
    for key in fields(ConfigTable):
        name = renamed.get(key.name, key.name)
        assert getattr(merged, name) != getattr(Request(), name), key.name


def test_a_python_caller_gets_the_plan_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "condaprune.toml").write_text('keep = ["*.a"]\ndrop = ["/share/own/"]\n')
    files = {"lib/a.a": b"!<arch>", "share/own/x": b"1", f"{SITE}/m.py": b""}
    env = make_prefix(tmp_path / "env", dict(files), packages={"a": ["lib/a.a"]})
    made = plan(env, config=load_config(str(tmp_path / "condaprune.toml")))
    assert made.decision("lib/a.a").basis == "keep"
    assert made.removes("share/own/x")
    assert plan(env).removes("lib/a.a")
    assert not plan(env).removes("share/own/x")


@pytest.mark.parametrize("wrong", [{"bytecode": "zip"}, {"keep_conda_meta": "all"}])
def test_a_value_that_is_no_choice_is_refused(tmp_path: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(UsageProblem, match="not a valid choice"):
        plan(make_prefix(tmp_path / "env", {}), Request(**wrong))  # type: ignore[arg-type]
