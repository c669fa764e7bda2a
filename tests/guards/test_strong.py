"""With a rule that removes far too much, the guards alone keep an environment working."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from condaprune.live.verify.proof import compare
from condaprune.model import no_progress
from condaprune.planning.planner import decide
from condaprune.planning.terms import Terms
from condaprune.sinks.inplace.sink import InPlaceSink
from condaprune.sources.prefix import PrefixSource
from lab.envs import BuiltEnvironment
from tests.guards.helpers import make_rule

CHECKS = ("imports", "metadata", "elf", "links")
TOO_MUCH = replace(
    make_rule(
        "too-much",
        remove=(
            "**/testing/",
            "**/_testing/",
            "**/tests/",
            "**/*.pyi",
            "**/*.dist-info/",
            "**/*.json",
            "**/*.so",
            "**/*.so.*",
        ),
    ),
    keep=("**/*.cpython-*.so", "**/*.abi3.so", "conda-meta/"),
)
"""A user's rule: test folders, stubs, metadata, JSON, and all libraries but extension modules."""


def prune_and_compare(prefix: Path, folder: Path) -> None:
    """Remove too much from a copy of a prefix, and hold it against the original."""
    after = folder / "after"
    shutil.copytree(prefix, after, symlinks=True, copy_function=_link_or_copy)
    source = PrefixSource(str(after))
    plan = decide(source.inventory(), source, Terms((TOO_MUCH,)))
    assert len(plan.removed()) > 2 * len(plan.vetoes)
    sink = InPlaceSink()
    with closing(sink):
        run = sink.begin(plan, source)
        run.apply(no_progress)
        run.commit()
    found = compare(prefix, after, checks=CHECKS, manifest=plan)
    assert found.lost == ()


def _link_or_copy(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


@pytest.mark.slow
def test_small_works_when_far_too_much_is_removed(
    small_env: BuiltEnvironment, tmp_path: Path
) -> None:
    prune_and_compare(small_env.prefix, tmp_path)


@pytest.mark.slow
def test_big_works_when_far_too_much_is_removed(big_env: BuiltEnvironment, tmp_path: Path) -> None:
    prune_and_compare(big_env.prefix, tmp_path)


def test_tiny_works_when_far_too_much_is_removed(
    tiny_env: BuiltEnvironment, tmp_path: Path
) -> None:
    prune_and_compare(tiny_env.prefix, tmp_path)
