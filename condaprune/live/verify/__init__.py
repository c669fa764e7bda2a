"""The differential proof: everything that worked before still works.

`compare` runs the checks on two environments; `sweep` imports all modules of one, for
`compare_imports` to compare with later, when the environment has been pruned in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from condaprune.live.verify.importer import ImportResults
    from condaprune.live.verify.proof import compare, compare_imports, sweep
    from condaprune.live.verify.results import Finding, Unchecked, Verification

__all__ = [
    "Finding",
    "ImportResults",
    "Unchecked",
    "Verification",
    "compare",
    "compare_imports",
    "sweep",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(name)
    from condaprune.live.verify import proof, results

    return getattr(proof if hasattr(proof, name) else results, name)
