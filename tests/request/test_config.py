"""The configuration: found in the right place, strictly read, suppressions that expire."""

import datetime
from pathlib import Path

import pytest

from condaprune.errors import ConfigError
from condaprune.request.config import load_config
from condaprune.request.request import Request
from condaprune.request.rules import choose_rules, suppress
from condaprune.rule import Rule

TODAY = datetime.date(2026, 11, 21)


def write(folder: Path, text: str, name: str = "condaprune.toml") -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def rule(identity: str) -> Rule:
    return Rule(identity, "w", ("b",), "safe", "c", ("https://x",), ("/a/",), (), (), ())


def test_an_unknown_key_is_answered_with_line_and_nearest(tmp_path: Path) -> None:
    path = write(tmp_path, "profile = 'safe'\nkep = ['a']\n")
    with pytest.raises(ConfigError, match=r"condaprune.toml:2: unknown key 'kep'.*'keep'"):
        load_config(path)


@pytest.mark.parametrize("text", ["profile = 3", "keep = 'a'", "= 1", "[profiles.x]\nextend = 'y'"])
def test_wrong_types_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        load_config(write(tmp_path, text))


def test_budgets_are_another_commands_business(tmp_path: Path) -> None:
    load_config(write(tmp_path, "[budget.total]\nmax = '100 MB'\n"))


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(str(tmp_path / "gone.toml"))


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = load_config(write(tmp_path / "app", "rules = ['own.toml']"))
    assert config.beside(config.values.rules) == (str(tmp_path / "app" / "own.toml"),)


def test_a_profile_collects_what_it_extends(tmp_path: Path) -> None:
    text = (
        "[profiles.web]\nextends = 'base'\nselect = ['gcc']\n"
        "[profiles.base]\nextends = 'minimal'\nignore = ['pkg-config']\n"
    )
    config = load_config(write(tmp_path, text))
    chosen, _ = choose_rules(Request(profile="web").configured(config))
    minimal, _ = choose_rules(Request(profile="minimal"))
    assert {r.id for r in chosen} ^ {r.id for r in minimal} == {"gcc", "pkg-config"}


def test_profiles_that_extend_one_another_are_refused(tmp_path: Path) -> None:
    text = "[profiles.a]\nextends = 'b'\n[profiles.b]\nextends = 'a'\n"
    config = load_config(write(tmp_path, text))
    with pytest.raises(ConfigError, match="a -> b -> a"):
        choose_rules(Request(profile="a").configured(config))


def suppressing(folder: Path, more: str) -> Request:
    text = f"[[suppress]]\nrule = 'r'\nreason = 'why'\n{more}\n"
    return Request().configured(load_config(write(folder, text)))


def test_a_suppressed_rule_does_not_apply(tmp_path: Path) -> None:
    request = suppressing(tmp_path, "expires = 2026-11-21")
    rules = [rule("r"), rule("s")]
    assert suppress(rules, request, rules, TODAY) == ((rule("s"),), ())


def test_a_suppression_may_hold_for_some_paths(tmp_path: Path) -> None:
    request = suppressing(tmp_path, "expires = '2027-01-01'\npaths = ['/a/b']")
    (changed,), _ = suppress([rule("r")], request, [rule("r")], TODAY)
    assert changed.remove == ("/a/", "!/a/b")


def test_an_expired_suppression_is_noted_and_void(tmp_path: Path) -> None:
    request = suppressing(tmp_path, "expires = '2026-11-20'")
    rules, notes = suppress([rule("r")], request, [rule("r")], TODAY)
    assert rules == (rule("r"),)
    assert "expired on 2026-11-20" in notes[0]


def test_a_suppression_of_an_unknown_rule_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown rule 'r'"):
        suppress([], suppressing(tmp_path, "expires = 2027-01-01"), [rule("rr")], TODAY)
