"""mkdocs hooks: the pages of rules and commands are generated when the site is built."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def rules_page() -> str:
    """The page of all built-in rules, by file."""
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


def commands_page() -> str:
    """The page of all commands, with the output of each."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from tests.docs import samples

    return samples.commands_page()


PAGES = {"rules.md": rules_page, "commands.md": commands_page}


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are generated from the code."""
    from mkdocs.structure.files import File

    for name, page in PAGES.items():
        files.append(File.generated(config, name, content=page()))
    return files
