"""Patterns of the user's that match nothing in an environment, and what they may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from condaprune.model import Inventory
from condaprune.ruleset.patterns import GLOB, resolve
from condaprune.ruleset.regexset import compile_set

_MOST_NAMES = 50_000  # comparing names takes time
_PLAIN = str.maketrans("", "", "*?[]!")


def unmatched(patterns: Sequence[str], inventory: Inventory) -> tuple[str, ...]:
    """Those of *patterns* that match no entry; a negated one counts as what it negates.

    Errors: `RuleError` for a bad pattern.
    """
    regexes: list[str] = []
    of_regex: list[int] = []
    for number, text in enumerate(patterns):
        for regex in resolve(text, inventory.layout):
            regexes.append(regex)
            of_regex.append(number)
    hits, open_ones = compile_set(regexes), set(range(len(patterns)))
    for path, entry in inventory.entries.items():
        if not open_ones:
            break
        for line in hits(path + "/" if entry.kind == "folder" else path):
            open_ones.discard(of_regex[line])
    return tuple(patterns[number] for number in sorted(open_ones))


def nearest_path(pattern: str, inventory: Inventory) -> str:
    """The path that is most like *pattern*; empty where none is like it."""
    text = pattern.removeprefix("!").removeprefix(GLOB)
    for root, folders in inventory.layout.roots.items():
        if folders and text.startswith(f"{{{root}}}"):
            text = "/" + folders[0] + text.removeprefix(f"{{{root}}}")
    parts = [part for part in text.split("/") if part]
    if not parts:
        return ""
    entries = inventory.entries
    if "/" not in text.rstrip("/"):
        names = {path.rpartition("/")[2]: path for path in entries}
        close = _closest(parts[0], names)
        return names[close] if close else ""
    above = ""
    for part in parts:
        path = f"{above}/{part}" if above else part
        if path in entries:
            above = path
            continue
        start = f"{above}/" if above else ""
        names = {p[len(start) :]: p for p in entries if p.startswith(start)}
        close = _closest(part, {n: p for n, p in names.items() if "/" not in n})
        return names[close] if close else above
    return above


def _closest(word: str, names: Mapping[str, str]) -> str:
    """The name that is most like *word*, of which a wildcard at an end is left aside."""
    plain = word.translate(_PLAIN)
    if not plain:
        return ""
    cut = slice(len(plain)) if word.endswith("*") else slice(None)
    cut = slice(-len(plain), None) if word.startswith("*") else cut
    parts = {name[cut]: name for name in names}
    near = [part for part in parts if abs(len(part) - len(plain)) <= max(3, len(plain) // 2)]
    found = difflib.get_close_matches(plain, near[:_MOST_NAMES], n=1, cutoff=0.5)
    return parts[found[0]] if found else ""
