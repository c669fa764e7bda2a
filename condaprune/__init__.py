"""Prune a conda environment to the smallest one that is proven to still work.

The Python API is three functions and a value::

    import condaprune

    inventory = condaprune.inventory("/env")
    plan = condaprune.plan("/env", condaprune.Request(profile="minimal"))
    pruned = condaprune.prune("/env", output="env.tar.zst")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from condaprune.version import __version__

__all__ = ["Request", "__version__", "inventory", "plan", "prune"]

if TYPE_CHECKING:
    from condaprune.api import Request, inventory, plan, prune


def __getattr__(name: str) -> object:
    # Lazily, so that `condaprune --version` does not pay for the engine.
    if name in __all__:
        from condaprune import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
