"""Amounts as people write them in budgets: ``450 MB``, ``2 GiB``, ``5% and 5MB``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

UNITS: dict[str, int] = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
    "TiB": 1 << 40,
}
_BY_LOWER = {name.lower(): size for name, size in UNITS.items()}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([A-Za-z]*)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*%")


class AmountError(ValueError):
    """An amount that cannot be read; the text says why."""


def parse_size(value: object) -> int:
    """Bytes of ``450 MB``, ``450MiB``, ``450000000`` or a whole number. Errors: `AmountError`.

    >>> parse_size("1.5 kB"), parse_size("1 MiB"), parse_size(7)
    (1500, 1048576, 7)
    """
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            raise AmountError(f"{value} is less than nothing")
        return value
    match = _AMOUNT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise AmountError(f"{value!r} is no size")
    unit = _BY_LOWER.get(match[2].lower()) if match[2] else 1
    if unit is None:
        raise AmountError(f"{value!r} has the unknown unit {match[2]!r}")
    return int(Fraction(match[1]) * unit)


@dataclass(frozen=True, slots=True)
class Growth:
    """How much something may grow: parts of the base, sizes, or both.

    `both` is true for ``A and B``: it has grown too much only when it is over all of them; false
    for ``A or B``: over any. `text` is as written.
    """

    shares: tuple[Fraction, ...]
    sizes: tuple[int, ...]
    both: bool
    text: str

    def limit(self, base: int) -> int:
        """The largest size, in bytes, that is still within the budget."""
        limits = [base + int(base * share) for share in self.shares]
        limits += [base + size for size in self.sizes]
        return max(limits) if self.both else min(limits)


def parse_growth(value: object) -> Growth:
    """A budget of growth such as ``5%``, ``5 MB``, ``5% and 5 MB``. Errors: `AmountError`.

    >>> parse_growth("5% and 5MB").limit(200_000_000)
    210000000
    """
    if not isinstance(value, str):
        raise AmountError(f"{value!r} is no growth")
    words = re.split(r"\s+(and|or)\s+", value.strip())
    terms, joints = words[::2], set(words[1::2])
    if len(joints) > 1:
        raise AmountError(f"{value!r} mixes `and` with `or`")
    shares: list[Fraction] = []
    sizes: list[int] = []
    for term in terms:
        percent = _PERCENT.fullmatch(term.strip())
        if percent:
            shares.append(Fraction(percent[1]) / 100)
        else:
            sizes.append(parse_size(term))
    return Growth(tuple(shares), tuple(sizes), "or" not in joints, value.strip())
