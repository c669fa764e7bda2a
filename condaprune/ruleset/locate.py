"""The line of a rule file that a message is about: tomllib keeps none for semantic errors."""

from __future__ import annotations

import re

from condaprune.ruleset.validate import Key


def table_lines(text: str, name: str) -> list[int]:
    """The 1-based lines of all ``[[name]]`` headers."""
    header = re.compile(rf"\s*\[\[\s*{re.escape(name)}\s*\]\]\s*(#.*)?")
    lines = enumerate(text.splitlines(), 1)
    return [number for number, line in lines if header.fullmatch(line)]


def line_of(text: str, key: Key) -> int:
    """The best line for a key: its own, else that of its table, else 1."""
    lines = text.splitlines()
    start, end = 0, len(lines)
    names = [part for part in key if isinstance(part, str)]
    if len(key) >= 2 and isinstance(key[1], int):
        headers = table_lines(text, str(key[0]))
        if key[1] >= len(headers):
            return 1
        start = headers[key[1]] - 1
        if key[1] + 1 < len(headers):
            end = headers[key[1] + 1] - 1
        names = names[1:]
    best = start
    for name in names:
        quoted = rf"[\"']?{re.escape(name)}[\"']?"
        own = re.compile(rf"\s*(?:{quoted}\s*[.=]|\[[^\]=]*\b{quoted}\s*\])|.*[{{,]\s*{quoted}\s*=")
        for number in range(best, end):
            if own.match(lines[number]):
                best = number
                break
    return best + 1
