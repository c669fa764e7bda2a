"""What error messages say is missing: modules, distributions, libraries, files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["module", "attribute", "distribution", "library", "file"]

_TOKEN = r"['\"\u2018`]?(?P<name>[^\s'\"\u2019`:;,()<>]+)"
_QUOTED = r"['\"\u2018`](?P<name>[^'\"\u2018\u2019`\n]+)['\"\u2019`]"
_PACKAGE = r"['\"](?P<package>[\w.]+)['\"]"
_ABSOLUTE = re.compile(r"/[^\s'\"<>|:;,()]+")
# Whoever made the environment writes the messages. So that each pattern takes time in proportion to
# a line, one that begins with the name begins where a word does, and what is passed over is short.
_WORD = r"(?<![^\s:'\"])(?P<name>[^\s:'\"]+"
# The name of the thing is the group `name`; with a group `package` it lies in that.
_PATTERNS: tuple[tuple[Kind, str], ...] = (
    ("module", r"No module named " + _QUOTED),
    ("module", r"No module named (?P<name>[\w.]+)"),
    ("module", r"ModuleNotFoundError: .{0,200}?" + _QUOTED),
    (
        "module",
        r"cannot import name ['\"](?P<name>\w+)['\"] from (?:partially .{0,200}? )?" + _PACKAGE,
    ),
    ("attribute", rf"module {_PACKAGE} has no attribute ['\"](?P<name>\w+)['\"]"),
    ("distribution", r"No package metadata was found for (?P<name>[\w.\-]+)"),
    ("distribution", r"PackageNotFoundError: ['\"]?(?P<name>[\w.\-]+)"),
    ("distribution", r"DistributionNotFound: (?:The )?['\"]?(?P<name>[\w.\-]+)"),
    ("library", _WORD + r"): cannot open shared object file"),
    ("library", r"(?i)could not load (?:library|dynamic library) " + _QUOTED),
    ("library", _WORD + r"\.so[.\d]*): No such file"),
    ("file", r"No such file or directory:? " + _QUOTED),
    ("file", rf"(?i){_QUOTED}:? (?:No such file or directory|does not exist|not found)"),
    (
        "file",
        r"(?<![^\s'\"])(?P<name>[^\s'\"]+): (?:No such file or directory|(?:command )?not found)",
    ),
    ("file", r"(?i)(?:cannot|can't|unable to|failed to) open \w*\s*" + _TOKEN),
)


@dataclass(frozen=True, slots=True)
class Missing:
    """A thing that a message says is missing, and the line that says so."""

    kind: Kind
    name: str
    line: str


def read_missing(text: str) -> Iterator[Missing]:
    """What the output of a command says is missing, the last line first: the last error counts.

    Absolute paths that are merely mentioned come at the end.
    """
    lines = [line.strip() for line in text.splitlines()]
    lines.reverse()
    for line in lines:
        for kind, pattern in _PATTERNS:
            for match in re.finditer(pattern, line):
                groups = match.groupdict()
                package = groups.get("package")
                name = f"{package}.{groups['name']}" if package else groups["name"]
                yield Missing(kind, name, line)
                # A package that lost its __init__ is itself missing, though it can be imported.
                if package and kind == "module":
                    yield Missing(kind, package, line)
    for line in lines:
        for match in _ABSOLUTE.finditer(line):
            yield Missing("file", match[0], line)


def missing_modules(message: str) -> list[str]:
    """The modules that an import error says are missing, by their dotted names."""
    return list(dict.fromkeys(m.name for m in read_missing(message) if m.kind == "module"))
