"""Numbers as people read them."""

from __future__ import annotations


def size(count: int) -> str:
    """Bytes in decimal units, three significant digits: ``356 MB``."""
    if abs(count) < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if abs(value) < 999.5 or unit == "TB":
            break
    digits = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2
    return f"{value:.{digits}f} {unit}"


def share(part: int, whole: int) -> str:
    """A part in per cent of the whole: ``48.6 %``."""
    return f"{100 * part / whole:.1f} %" if whole else "-"
