"""Where a rule holds: its packages and their versions, the Python version, the platform."""

from __future__ import annotations

from dataclasses import dataclass

from condaprune.model import Layout, Owner, Record, Rule
from condaprune.names import canonical_name
from condaprune.ruleset.versions import Range, Version


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose entries a rule may touch: those of named packages, of any package, or all."""

    names: frozenset[str]
    owned: bool
    versions: Range | None

    @property
    def bound(self) -> bool:
        """Whether the owner of an entry matters at all."""
        return bool(self.names) or self.owned

    @staticmethod
    def of(rule: Rule) -> Scope:
        """The scope of a rule."""
        versions = Range.parse(rule.when.version) if rule.when and rule.when.version else None
        return Scope(frozenset(map(_scope_name, rule.package)), rule.owned, versions)


def _scope_name(name: str) -> str:
    kind, colon, bare = name.partition(":")
    return f"{kind}:{canonical_name(bare)}" if colon else canonical_name(name)


def owner_satisfies(scope: Scope, owner: Owner) -> bool:
    """Whether an owner is a package that the scope names, in a version that it covers."""
    name = canonical_name(owner.name)
    kind = "conda" if isinstance(owner, Record) else "pypi"
    if name not in scope.names and f"{kind}:{name}" not in scope.names:
        return False
    if scope.versions is None:
        return True
    version = Version.parse(owner.version)
    return version is not None and version in scope.versions


def applies(rule: Rule, layout: Layout) -> bool:
    """Whether a rule holds for the environment's platform and Python; what is unknown does not."""
    when = rule.when
    if when is None:
        return True
    if when.platform and layout.platform not in when.platform:
        return False
    if when.python:
        wanted, python = Range.parse(when.python), Version.parse(layout.python)
        return wanted is not None and python is not None and python in wanted
    return True
