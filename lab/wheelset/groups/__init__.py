"""The wheels by group, and a small piece of real work for each package.

A check is Python code that ends without an exception where the package works. It uses data that
packages bring, plugins found by entry point, stubs that are read at run time, compilers behind
decorators: what plain imports do not show.
"""

from __future__ import annotations

from . import (
    apps,
    compilers,
    documents,
    jit,
    machines,
    ml,
    pages,
    physics,
    pipelines,
    runtimes,
    science,
    sources,
    storage,
    tools,
    web,
)
from .model import Group
from .python import PYTHON

__all__ = ["GROUPS", "PYTHON", "Group"]

GROUPS: dict[str, Group] = {
    **science.GROUPS,
    **storage.GROUPS,
    **compilers.GROUPS,
    **web.GROUPS,
    **jit.GROUPS,
    **ml.GROUPS,
    **apps.GROUPS,
    **pipelines.GROUPS,
    **tools.GROUPS,
    **pages.GROUPS,
    **machines.GROUPS,
    **documents.GROUPS,
    **physics.GROUPS,
    **runtimes.GROUPS,
    **sources.GROUPS,
}
