"""Builds the conda package of recipe/recipe.yaml from this checkout, with py-rattler-build.

    python tools/make_conda.py [--channel CHANNEL]... [OUTPUT]

CHANNEL is conda-forge unless named; OUTPUT is a folder that becomes a channel: dist/conda.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def make(output: Path, channels: Sequence[str]) -> Path:
    """Build and test the package. Returns its path.

    Errors: `rattler_build.RattlerBuildError`.
    """
    from rattler_build import build_recipes

    output.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # The function that replaces it takes neither folders nor a test strategy.
        warnings.simplefilter("ignore", DeprecationWarning)
        build_recipes(
            [ROOT / "recipe" / "recipe.yaml"], channel=list(channels), output_dir=output,
            package_format="conda", no_build_id=True, no_include_recipe=True,
        )  # fmt: skip
    (made,) = (output / "noarch").glob("condaprune-*.conda")
    return made


def main(arguments: Sequence[str]) -> None:
    """Build and print where the package is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channel", action="append", default=[], dest="channels")
    parser.add_argument("output", nargs="?", type=Path, default=ROOT / "dist" / "conda")
    options = parser.parse_args(arguments)
    print(make(options.output, options.channels or ["conda-forge"]))


if __name__ == "__main__":
    main(sys.argv[1:])
