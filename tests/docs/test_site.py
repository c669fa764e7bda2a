"""The site: the page of rules is made from the rules, and every page is in the navigation."""

from __future__ import annotations

import importlib.util
import re

from condaprune.ruleset import load_builtin
from tests.docs.blocks import ROOT


def test_rules_page() -> None:
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
    assert spec is not None
    assert spec.loader is not None
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    page = hooks.rules_page()
    titles = re.findall(r"^### (.+)$", page, re.MULTILINE)
    assert sorted(titles) == sorted(rule.id for rule in load_builtin())
    assert page.count("```") == 2 * len(titles)


def test_every_page_is_in_the_navigation() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = re.findall(r": (\S+\.md)$", text, re.MULTILINE)
    there = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert sorted(named) == sorted(there | {"rules.md"})
