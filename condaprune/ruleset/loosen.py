"""Wider forms of a pattern, against which a rule's examples must tell it apart."""

from __future__ import annotations

import re

_FLOATING = re.compile(r"\*[.~][^/*?]*|\*\*?/?__pycache__/|__pycache__/|[.~#][^/*?]+/?")


def loosened(text: str) -> list[str]:
    """The standard ways a pattern could be wider than it should be.

    >>> loosened("{site}/pandas/tests/")
    ['{site}/pandas/']
    >>> loosened("{lib}/lib*.a")
    ['{lib}/', '{lib}/*.a', '{lib}/lib*']
    >>> loosened("{site}/**/*.exe")
    ['{site}/', '*.exe']
    """
    sign, body = ("!", text[1:]) if text.startswith("!") else ("", text)
    end = "/" if body.endswith("/") else ""
    above, slash, last = body.rstrip("/").rpartition("/")
    head = above
    while head.endswith("/**"):
        head = head[:-3]
    found = ["**" if head in ("", "**") else head + "/"]
    parts = re.fullmatch(r"([^*?\[\\]+)\*([^*?\[\\]+)", last)
    if parts and not sign:
        found += [f"{above}{slash}*{parts[2]}{end}", f"{above}{slash}{parts[1]}*{end}"]
    if above and not sign and _FLOATING.fullmatch(last + end):
        found.append(last + end)  # anchored or not: both would be let pass
    return [sign + wider for wider in found]


def anchored(text: str) -> bool:
    """Whether a pattern starts at the prefix or a root, or is of a kind that may float: a suffix
    such as ``*.a``, ``__pycache__/``, or a hidden name."""
    body = text.removeprefix("!")
    if body.startswith(("/", "{")):
        return not body.startswith("/**")
    return bool(_FLOATING.fullmatch(body))
