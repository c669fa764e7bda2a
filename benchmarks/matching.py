"""Matching 100,000 paths against 400 patterns, beside pathspec's plain backend, in CPU seconds.

Run from the checkout: ``python -m benchmarks.matching``. Both sides match the same paths against
the same patterns in the same process, in turn. pathspec answers only whether a path matches; our
side names the rule too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from pathspec import PathSpec

from condaprune.model import Entry, Inventory
from condaprune.paths import sort_key
from condaprune.rule import Rule
from condaprune.ruleset import compile_rules, load_builtin
from condaprune.ruleset.patterns import with_values
from lab.path_lists import EXCERPT, full_lists, read_list

PATHS, PATTERNS, ROUNDS = 100_000, 400, 3


def paths() -> Inventory:
    """One environment of the wanted size, from the real lists; copies where they are too few."""
    found = [read_list(file) for file in full_lists() or [EXCERPT]]
    entries: dict[str, Entry] = {}
    copy = 0
    while len(entries) < PATHS:
        for inventory in found:
            for path, entry in inventory.entries.items():
                if len(entries) < PATHS:
                    name = f"copy{copy}/{path}" if copy else path
                    entries.setdefault(name, entry)
        copy += 1
    ordered = {path: entries[path] for path in sorted(entries, key=sort_key)}
    return replace(found[0], entries=ordered, owners={})


def rules() -> list[Rule]:
    """Rules with as many patterns as wanted: the catalogue's own, unscoped, and made-up ones."""
    found: list[Rule] = []
    count = 0
    for rule in with_values(load_builtin()):
        remove = rule.remove[: PATTERNS - count]
        if remove:
            found.append(replace(rule, remove=remove, keep=(), package=(), owned=False, when=None))
            count += len(remove)
    for number in range(count, PATTERNS):
        found.append(
            replace(found[0], id=f"made-{number}", remove=(f"{{site}}/pkg{number}/**/*.x",))
        )
    return found


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Measure and print a table."""
    inventory = paths()
    chosen = rules()
    site = inventory.layout.site[0]
    roots = {"{site}": f"/{site}", "{stdlib}": f"/{site.rpartition('/')[0]}"}
    roots |= {f"{{{name}}}": f"/{name}" for name in ("bin", "include", "lib", "share")}
    lines = [text for rule in chosen for text in rule.remove]
    for root, folder in roots.items():
        lines = [line.replace(root, folder) for line in lines]
    plain = PathSpec.from_lines("gitignore", lines, backend="simple")
    shown = [p + "/" if e.kind == "folder" else p for p, e in inventory.entries.items()]
    first, again, pathspec = [], [], []
    for _ in range(ROUNDS):
        matcher = compile_rules(chosen, inventory)
        first.append(cpu(lambda m=matcher: m.match(inventory)))  # type: ignore[misc]
        again.append(cpu(lambda m=matcher: m.match(inventory)))  # type: ignore[misc]
        pathspec.append(cpu(lambda: [plain.match_file(path) for path in shown]))
    print(f"{len(shown)} paths, {len(lines)} patterns, best of {ROUNDS}, CPU seconds")
    print(f"  condaprune, compiled rules, first environment  {min(first):7.3f}")
    print(f"  condaprune, the same environment again         {min(again):7.3f}")
    print(f"  pathspec, plain backend, no rule named         {min(pathspec):7.3f}")


if __name__ == "__main__":
    main()
