"""The site: pages made from the code are complete, and every page is in the navigation."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType

from condaprune.cli.group import COMMANDS
from condaprune.ruleset import load_builtin
from tests.docs.blocks import ROOT
from tests.docs.samples import ELSEWHERE, SAMPLES, STATUS, run_all


def _hooks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
    assert spec is not None
    assert spec.loader is not None
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    return hooks


def test_samples_run_and_show_what_they_are_for() -> None:
    printed = {words: out for command, words, status, out in run_all()
               if status == STATUS.get(command, 0)}  # fmt: skip
    assert len(printed) == sum(len(samples) for samples in SAMPLES.values())
    assert SAMPLES.keys() | ELSEWHERE.keys() == COMMANDS.keys()
    assert all(out.strip() for out in printed.values())
    assert "guard" in printed["explain", "/env", "demo.tests.data"]
    assert "FAIL  environment" in printed["check", "/env", "--budget", "condaprune.toml"]
    assert not any("/tmp/" in out for out in printed.values())


def test_commands_page() -> None:
    page = _hooks().commands_page()
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == list(COMMANDS)
    assert page.count("Usage: condaprune") == len(COMMANDS)


def test_rules_page() -> None:
    page = _hooks().rules_page()
    titles = re.findall(r"^### (.+)$", page, re.MULTILINE)
    assert sorted(titles) == sorted(rule.id for rule in load_builtin())
    assert page.count("```") == 2 * len(titles)


def test_every_page_is_in_the_navigation() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = re.findall(r": (\S+\.md)$", text, re.MULTILINE)
    there = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert sorted(named) == sorted(there | {*_hooks().PAGES})


def test_the_first_page_names_every_command() -> None:
    text = (ROOT / "docs" / "index.md").read_text("utf-8").partition("## All commands")[2]
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(COMMANDS)


def test_no_page_of_users_names_tests() -> None:
    """Tables of tests are for those who change condaprune; guards.md shows its hazards by them."""
    pages = {path.name: path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md")}
    named = {name for name, text in pages.items() if re.search(r"test_\w+\.py::", text)}
    assert named <= {"guards.md"}


def test_the_site_goes_by_the_colours_of_the_system_and_has_a_toggle() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert re.findall(r'media: "\(prefers-color-scheme(?:: (\w+))?\)"', text) == [
        "",
        "light",
        "dark",
    ]
    assert text.count("toggle:") == 3


def test_the_messages_of_troubleshooting_are_those_of_the_code() -> None:
    text = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8").partition("## Refusals")[2]
    named = re.findall(r"^\| (?!message|-)(.+?)(?: \.\.\.)? \|", text, re.M)
    sources = [path.read_text("utf-8") for path in (ROOT / "condaprune").rglob("*.py")]
    assert len(named) == 5
    assert [words for words in named if not any(words in source for source in sources)] == []
