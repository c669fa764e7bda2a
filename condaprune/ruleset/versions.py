"""PEP 440 versions and ranges, as far as rules need them.

A version that does not parse (conda allows ``1.1.1k``) is in no range.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

_VERSION = re.compile(
    r"""v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)
    (?:[-_.]?(?P<pre>a|b|c|rc|alpha|beta|pre|preview)[-_.]?(?P<pre_n>\d*))?
    (?P<post>-(?P<post_dash>\d+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_n>\d*))?
    (?P<dev>[-_.]?dev[-_.]?(?P<dev_n>\d*))?
    (?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?""",
    re.VERBOSE | re.IGNORECASE,
)
_PRE = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}
_CLAUSE = re.compile(r"(~=|==|!=|<=|>=|<|>)\s*([^\s]+)")


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A parsed version. `pre` is ``(kind, number)``; -1 stands for an absent part."""

    epoch: int
    release: tuple[int, ...]
    pre: tuple[int, int] | None = None
    post: int = -1
    dev: int = -1
    local: tuple[tuple[int, int, str], ...] = ()

    @staticmethod
    def parse(text: str) -> Version | None:
        """The version a text stands for, or None."""
        found = _VERSION.fullmatch(text.strip())
        if found is None:
            return None
        pre = found["pre"]
        post = -1
        if found["post"]:
            post = int(found["post_dash"] or found["post_n"] or 0)
        local = re.split(r"[-_.]", found["local"].lower()) if found["local"] else []
        return Version(
            int(found["epoch"] or 0),
            tuple(map(int, found["release"].split("."))),
            (_PRE[pre.lower()], int(found["pre_n"] or 0)) if pre else None,
            post,
            int(found["dev_n"] or 0) if found["dev"] else -1,
            tuple((1, int(p), "") if p.isdigit() else (0, 0, p) for p in local),
        )

    @property
    def public(self) -> Version:
        """The version without its local label."""
        return Version(self.epoch, self.release, self.pre, self.post, self.dev)

    @property
    def base(self) -> Version:
        """The final release that pre-, post- and development releases belong to."""
        return Version(self.epoch, self.release)

    @property
    def is_pre(self) -> bool:
        """Whether this comes before its final release."""
        return self.pre is not None or self.dev >= 0

    def _key(self) -> tuple[object, ...]:
        release = self.release
        while len(release) > 1 and release[-1] == 0:
            release = release[:-1]
        only_dev = self.dev >= 0 and self.pre is None and self.post < 0
        pre = (-1, 0) if only_dev else self.pre or (3, 0)
        dev = (1, 0) if self.dev < 0 else (0, self.dev)
        return (self.epoch, release, pre, self.post, dev, self.local)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __lt__(self, other: Version) -> bool:
        return self._key() < other._key()


@dataclass(frozen=True, slots=True)
class Range:
    """Comma-separated clauses that must all hold, such as ``>=1.22,<2``; pre-releases count."""

    clauses: tuple[tuple[str, Version, bool], ...]

    @staticmethod
    def parse(text: str) -> Range | None:
        """The range a text stands for, or None where it is malformed."""
        clauses = []
        for part in text.split(","):
            found = _CLAUSE.fullmatch(part.strip())
            if found is None:
                return None
            operator, number = found.groups()
            star = number.endswith(".*") and operator in ("==", "!=")
            version = Version.parse(number[:-2] if star else number)
            if version is None or (operator == "~=" and len(version.release) < 2):
                return None
            if version.local and operator not in ("==", "!="):
                return None
            clauses.append((operator, version, star))
        return Range(tuple(clauses))

    def __contains__(self, version: Version) -> bool:
        return all(_holds(version, *clause) for clause in self.clauses)


def _holds(version: Version, operator: str, bound: Version, star: bool) -> bool:
    public = version.public
    if operator in ("==", "!="):
        if star:
            same = _starts(version, bound)
        else:
            same = (version if bound.local else public) == bound
        return same == (operator == "==")
    if operator == "~=":
        head = Version(bound.epoch, bound.release[:-1])
        return public >= bound and _starts(version, head)
    if operator == ">=":
        return public >= bound
    if operator == "<=":
        return public <= bound
    if operator == "<":
        of_bound = version.base == bound.base and bound.post in (-1, version.post)
        return public < bound and not (of_bound and version.is_pre and not bound.is_pre)
    of_bound = version.base == bound.base and version.pre == bound.pre and bound.dev < 0
    return public > bound and not (of_bound and version.post >= 0 and bound.post < 0)


def _starts(version: Version, head: Version) -> bool:
    """Whether a version lies under a prefix such as the ``1.2`` of ``==1.2.*``."""
    width = len(head.release)
    release = (version.release + (0,) * width)[:width]
    return version.epoch == head.epoch and release == head.release
