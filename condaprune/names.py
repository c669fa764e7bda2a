"""Names as packages compare them."""

from __future__ import annotations

import re

_SEPARATORS = re.compile(r"[-_.]+")


def canonical_name(name: str) -> str:
    """A distribution's name in its one spelling (PEP 503).

    >>> canonical_name("Ruamel.Yaml")
    'ruamel-yaml'
    """
    return _SEPARATORS.sub("-", name).lower()
