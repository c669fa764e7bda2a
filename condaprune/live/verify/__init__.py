"""The differential proof: what worked before still works.

`compare` runs the checks on two environments; `sweep` takes the import baseline of one, for
`compare_imports` to hold against it later, when the environment has been pruned in place.
"""

from __future__ import annotations

from condaprune.live.verify.proof import compare, compare_imports, sweep
from condaprune.live.verify.results import Finding, Unchecked, Verification
from condaprune.live.verify.sweep import ImportResults

__all__ = [
    "Finding",
    "ImportResults",
    "Unchecked",
    "Verification",
    "compare",
    "compare_imports",
    "sweep",
]
