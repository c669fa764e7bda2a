"""What each rule saves on real path lists, and the profiles against two widely pasted recipes.

Run from the checkout: ``python -m benchmarks.rule_savings [-o docs/rule-savings.md] [PREFIX ...]``.
The lists hold no contents, so guards that read files cannot speak here: the figures are what the
rules ask for, an upper bound of what a run removes.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from condaprune.model import Entry, Inventory, unique_bytes
from condaprune.rule import Rule
from condaprune.ruleset import PROFILES, Match, choose, compile_rules, load_builtin
from condaprune.ruleset.profiles import DEFAULT_PROFILE
from condaprune.sources.prefix import PrefixSource
from lab.path_lists import full_lists, read_list

# J. Crist-Harif 2019, with the `conda clean -afy` that goes before it.
GUIDE = (
    "/pkgs/",
    "*.a",
    "*.pyc",
    "*.js.map",
    "{site}/bokeh/server/static/**/*.js",
    "!{site}/bokeh/server/static/**/*.min.js",
)
# U. Korn 2021, each deletion of its Dockerfile; the stage before it has no package cache.
CHEAT_SHEET = (
    "/pkgs/",
    "/conda-meta/",
    "/include/",
    "{lib}/libpython3.*.so.1.0",
    "__pycache__/",
    "{site}/pip/",
    "{stdlib}/idlelib/",
    "{stdlib}/ensurepip/",
    "{lib}/libasan.so*",
    "{lib}/liblsan.so*",
    "{lib}/libtsan.so*",
    "{lib}/libubsan.so*",
    "{bin}/x86_64-conda-linux-gnu-ld",
    "{bin}/sqlite3",
    "{bin}/openssl",
    "{share}/terminfo/",
    "*.a",
    "{site}/scipy/**/tests/",
    "{site}/numpy/**/tests/",
    "{site}/pandas/**/tests/",
    "*.pyx",
    "{site}/uvloop/loop.c",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One environment: its size, what each profile and recipe removes, what each rule does."""

    name: str
    size: int
    removed: Mapping[str, int]
    by_rule: Mapping[str, int]


def content(inventory: Inventory) -> dict[str, Entry]:
    """What counts: all but folders, and all but pip, which only the cheat-sheet removes."""
    pip = tuple(f"{site}/pip/" for site in inventory.layout.site)
    return {
        path: entry
        for path, entry in inventory.entries.items()
        if entry.kind != "folder" and not (pip and path.startswith(pip))
    }


def removes(match: Match) -> bool:
    """Whether rules alone remove an entry."""
    return bool(match.rule) and not match.rule_keep


def saved_by_recipe(recipe: Sequence[str], inventory: Inventory) -> int:
    """The bytes that a pasted recipe deletes."""
    dropped = compile_rules((), inventory, drop=recipe).match(inventory)
    counted = content(inventory)
    return unique_bytes(counted[path] for path in dropped if path in counted)


def measure(inventory: Inventory, rules: Sequence[Rule]) -> Row:
    """All figures of one environment."""
    counted = content(inventory)
    removed = {}
    by_rule: Counter[str] = Counter()
    for profile in PROFILES:
        matches = compile_rules(choose(rules, profile), inventory).match(inventory)
        gone = {p: m.rule for p, m in matches.items() if removes(m) and p in counted}
        removed[profile] = unique_bytes(counted[path] for path in gone)
        if profile == "minimal":
            for path, rule in gone.items():
                by_rule[rule] += counted[path].size
    removed["guide"] = saved_by_recipe(GUIDE, inventory)
    removed["cheat-sheet"] = saved_by_recipe(CHEAT_SHEET, inventory)
    return Row(inventory.label, unique_bytes(counted.values()), removed, by_rule)


def mb(size: int) -> str:
    """Bytes as megabytes."""
    return f"{size / 1e6:.1f}"


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> list[str]:
    """A markdown table with figures to the right."""
    ruler = ["---"] + ["--:"] * (len(head) - 1)
    return [f"| {' | '.join(cells)} |" for cells in (head, ruler, *body)]


def verdict(rows: Sequence[Row]) -> list[str]:
    """Where the default profile removes more than both recipes, and where it does not."""
    behind = [r for r in rows if r.removed[DEFAULT_PROFILE] <= recipes(r)]
    lines = [f"`{DEFAULT_PROFILE}` removes less than a recipe from {row.name}." for row in behind]
    ahead = len(rows) - len(behind)
    more = f"`{DEFAULT_PROFILE}` removes more than either recipe from {ahead} of {len(rows)}"
    return [*lines, f"{more} environments."]


def recipes(row: Row) -> int:
    """What the better of the two recipes removes."""
    return max(row.removed["guide"], row.removed["cheat-sheet"])


def report(rows: Sequence[Row], rules: Sequence[Rule]) -> str:
    """The page docs/rule-savings.md."""
    columns = ["guide", "cheat-sheet", *PROFILES]
    lines = [
        "# What the rules save on real environments",
        "",
        "Written by `python -m benchmarks.rule_savings`; sizes in MB, pip itself aside. The rules",
        "speak here without the guards, which need the contents of files: a run may keep more. The",
        "guide is J. Crist-Harif's recipe of 2019 and the cheat-sheet U. Korn's of 2021; both",
        "delete the package cache of a base install too.",
        "",
        "Where the interpreter needs libpython (`tiny`, `small` and `big`, whose Python is linked",
        "against it), the elf guard holds `python-shared-library` back: 23.1 MB that the",
        "cheat-sheet deletes, after which no Python starts there. A run on such an environment",
        "removes that much less than the table says.",
        "",
        "## Profiles and recipes",
        "",
    ]
    body = [
        [row.name, mb(row.size)]
        + [f"{mb(row.removed[c])} ({row.removed[c] / row.size:.1%})" for c in columns]
        for row in rows
    ]
    lines += table(["environment", "size", *columns], body)
    lines.append("")
    lines += [
        *verdict(rows),
        "",
        "## Rules",
        "",
        "What each rule of `minimal` removes; a path counts for the first rule that removes it.",
        "",
    ]
    used = [rule for rule in rules if any(row.by_rule.get(rule.id) for row in rows)]
    used.sort(key=lambda rule: -sum(row.by_rule.get(rule.id, 0) for row in rows))
    body = [
        [f"`{rule.id}` ({rule.risk})"]
        + [mb(row.by_rule[rule.id]) if row.by_rule.get(rule.id) else "" for row in rows]
        for rule in used
    ]
    lines += table(["rule", *(row.name for row in rows)], body)
    idle = sum(rule.risk != "high" and rule not in used for rule in rules)
    lines += ["", f"{idle} more rules of these profiles find nothing in these environments.", ""]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Measure the lists and the prefixes given, and print or write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", help="write the page there")
    parser.add_argument("prefix", nargs="*", help="environments to measure besides the lists")
    options = parser.parse_args(arguments)
    rules = load_builtin()
    rows = [measure(read_list(file), rules) for file in full_lists()]
    for prefix in options.prefix:
        row = measure(PrefixSource(prefix).inventory(), rules)
        name = os.path.basename(os.path.normpath(prefix))
        rows.append(Row(name, row.size, row.removed, row.by_rule))
    page = report(rows, rules)
    if options.output:
        with open(options.output, "w", encoding="utf-8") as stream:
            stream.write(page)
    else:
        print(page)


if __name__ == "__main__":
    main(sys.argv[1:])
