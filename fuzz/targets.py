"""All targets. A new reader is a `Target` in a file of this folder, and a line here."""

from __future__ import annotations

from fuzz import archives, binaries, code, environments, images, journals, texts
from fuzz.target import Target

_ALL = (
    archives.TAR,
    archives.STREAM,
    archives.ZIP,
    archives.UNPACK_LIST,
    binaries.FACTS,
    binaries.SYMBOLS,
    code.PYTHON,
    code.BYTECODE,
    environments.ENVIRONMENT,
    images.LAYOUT,
    journals.JOURNAL,
    journals.STATUS,
    texts.PATH_LIST,
    texts.TRACE,
    texts.STRACE,
    texts.LISTED,
    texts.CREPORT,
    texts.AUDIT,
    texts.RULES,
    texts.CONFIG,
    texts.NAMES,
)
TARGETS = {target.name: target for target in _ALL}


def find_target(name: str) -> Target:
    """The target of a name. Errors: `SystemExit` for others."""
    if name not in TARGETS:
        raise SystemExit(f"there is no target {name!r}; there are: {', '.join(TARGETS)}")
    return TARGETS[name]
