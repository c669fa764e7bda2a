"""How closely a rule names what it removes.

Some guards go by likelihood, not by evidence: a library that nobody links to *may* be opened by
name. There a rule that names the package or the library itself knows better; one that sweeps the
whole environment (``**/*.so*``) does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from condaprune.model import Rule
from condaprune.names import canonical_name
from condaprune.paths import printable

_DROP = "--drop "
# The user names packages that go as a whole, their libraries with them.
_WHOLE = ("--drop-package ", "--only-packages", "--with-orphans")
ONLY_TRACED = "--only-traced"
"""The id of what goes for no other reason than that no trace holds it."""

_NAMED = re.compile(r"(?:\*\*/)?(lib)?[A-Za-z0-9_+-]{3,}")
_WILD = re.compile(r"[*?\[{\\]")

KINDS = frozenset({"debug", "sanitizer", "sanitizers", "static", "static-libraries"})
"""Categories of rules that say what kind of library they remove."""

SOURCES = frozenset({"source", "sources", "sourceless"})
"""Categories of rules that are about removing Python sources."""


class Scopes:
    """Answers about the rules behind the candidates; rules that are not given name nothing."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = rules
        self._packages: dict[str, frozenset[str]] = {}
        self._starts: dict[str, tuple[str, ...]] = {}
        self._named: dict[str, tuple[re.Pattern[str], ...]] = {}

    def packages(self, rule_id: str) -> frozenset[str]:
        """The packages that a rule is limited to, normalised; empty for a general rule."""
        found = self._packages.get(rule_id)
        if found is None:
            rule = self._rules.get(rule_id)
            found = (
                frozenset(canonical_name(name) for name in rule.package) if rule else frozenset()
            )
            self._packages[rule_id] = found
        return found

    def category(self, rule_id: str) -> str:
        """The category of a rule; empty where it is not known."""
        rule = self._rules.get(rule_id)
        return rule.category if rule else ""

    def goes_whole(self, rule_id: str) -> bool:
        """Whether a rule, or an option of the user, removes packages as a whole."""
        rule = self._rules.get(rule_id)
        return rule.whole if rule else rule_id.startswith(_WHOLE)

    def names_library(self, rule_id: str, path: str) -> bool:
        """Whether a rule names a library: by its package, its kind, or its file name."""
        if self.packages(rule_id) or self.category(rule_id) in KINDS:
            return True
        if rule_id.startswith(_WHOLE):
            return True
        patterns = self._named.get(rule_id)
        if patterns is None:
            patterns = self._named[rule_id] = tuple(self._compile(rule_id))
        name = path.rpartition("/")[2]
        return any(pattern.match(name) for pattern in patterns)

    def names_file(self, rule_id: str, path: str) -> bool:
        """Whether a rule is limited to a package and spells the start of this file's name."""
        rule = self._rules.get(rule_id)
        if rule is None or not rule.package:
            return False
        starts = self._starts.get(rule_id)
        if starts is None:
            lasts = [text.rpartition("/")[2] for text in rule.remove if not text.startswith("!")]
            literals = [_WILD.split(last, maxsplit=1)[0] for last in lasts]
            starts = self._starts[rule_id] = tuple(text for text in literals if len(text) > 2)
        return path.rpartition("/")[2].startswith(starts)

    def _compile(self, rule_id: str) -> list[re.Pattern[str]]:
        rule = self._rules.get(rule_id)
        if rule is not None:
            texts = rule.remove
        elif rule_id.startswith(_DROP):
            texts = (rule_id[len(_DROP) :],)
        else:
            texts = ()
        found = []
        for text in texts:
            literal = _WILD.split(text.rstrip("/").rpartition("/")[2], maxsplit=1)[0]
            if _NAMED.match(literal) and literal not in ("lib",):
                found.append(re.compile(re.escape(literal)))
        return found


@cache
def label(rule_id: str) -> str:
    """A rule's id as messages show it."""
    return printable(rule_id)
