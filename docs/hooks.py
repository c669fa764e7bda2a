"""Hooks of mkdocs: the page of the rules is written from the rules when the site is built."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def rules_page() -> str:
    """All built-in rules by file, as Markdown."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from condaprune.report.rules import render_page
    from condaprune.ruleset import load_builtin

    rules = load_builtin()
    lines = [
        "# Rules",
        "",
        f"All {len(rules)} rules, as `condaprune rules show ID` prints them.",
        "",
    ]
    for origin, group in groupby(rules, key=lambda rule: rule.origin):
        lines += [f"## {origin.removeprefix('rules/').removesuffix('.toml')}", ""]
        for rule in group:
            body = render_page(rule).split("\n", 2)[2]
            lines += [f"### {rule.id}", "", "```text", body.rstrip(), "```", ""]
    return "\n".join(lines)


def on_files(files: Any, config: Any) -> Any:
    """Add the page of the rules."""
    from mkdocs.structure.files import File

    files.append(File.generated(config, "rules.md", content=rules_page()))
    return files
