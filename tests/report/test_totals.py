"""Totals are those of du, and every view adds up to them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from condaprune.app.audit import audit
from condaprune.report.audit.model import Audit
from lab.envs import BuiltEnvironment
from tests.trees import distribution, make_prefix, make_tree


def du(prefix: Path, *options: str) -> int:
    """What du says of a prefix, in bytes."""
    done = subprocess.run(
        ["du", "--summarize", "--block-size=1", *options, os.fspath(prefix)],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout.split()[0])


def agrees(prefix: Path) -> Audit:
    """The audit of a prefix, after comparing all its sums with du's."""
    made = audit(os.fspath(prefix))
    folders = sum(os.lstat(home).st_size for home, _, _ in os.walk(os.fsencode(prefix)))
    apparent = du(prefix, "--apparent-size") - folders
    assert (made.total.bytes, made.total.disk) == (apparent, du(prefix))
    for name, rows in made.views.items():
        assert sum(row.bytes for row in rows) == made.total.bytes, name
        assert sum(row.disk for row in rows) == made.total.disk, name
        assert sum(row.files for row in rows) == made.total.files, name
    return made


def test_totals_of_the_tiny_environment_are_those_of_du(tiny_env: BuiltEnvironment) -> None:
    made = agrees(tiny_env.prefix)
    # The environment is hard-linked to its package cache, which is no part of it.
    assert 0 < made.shared.bytes < made.total.bytes
    assert made.row("package", "conda:python") == made.view("package")[0]


def test_totals_of_the_small_environment_are_those_of_du(small_env: BuiltEnvironment) -> None:
    agrees(small_env.prefix)


def test_totals_of_the_big_environment_are_those_of_du(big_env: BuiltEnvironment) -> None:
    agrees(big_env.prefix)


def test_a_file_with_two_paths_counts_once_and_is_not_shared(tmp_path: Path) -> None:
    prefix = make_prefix(tmp_path, {"lib/a.bin": b"x" * 5000}, python=False)
    os.link(prefix / "lib/a.bin", prefix / "lib/b.bin")
    made = agrees(prefix)
    assert made.shared.files == 0
    assert [item.bytes for item in made.items if item.path.startswith("lib/")] == [5000, 0]


def test_a_file_with_a_link_outside_is_shared(tmp_path: Path) -> None:
    prefix = make_prefix(tmp_path / "env", {"lib/a.bin": b"x" * 5000}, python=False)
    os.link(prefix / "lib/a.bin", tmp_path / "outside")
    made = agrees(prefix)
    assert (made.shared.files, made.shared.bytes) == (1, 5000)


def test_an_entry_of_two_owners_counts_for_the_conda_package(tmp_path: Path) -> None:
    files = distribution("spam", {"spam.py": b"x" * 100})
    prefix = make_prefix(tmp_path, files, packages={"spam-conda": list(files)})
    made = agrees(prefix)
    row = made.row("package", "conda:spam-conda")
    assert row is not None
    assert made.row("package", "pypi:spam") is None
    by_distribution = made.row("distribution", "pypi:spam")
    assert by_distribution is not None
    assert by_distribution.files == 3


def test_a_plan_counts_a_hard_linked_file_with_the_path_that_stays(tmp_path: Path) -> None:
    from condaprune.model import Decision, Plan
    from condaprune.report.audit.measure import make_items
    from condaprune.sources.prefix import PrefixSource

    prefix = make_prefix(tmp_path, {"a": b"x" * 10}, python=False)
    os.link(prefix / "a", prefix / "b")
    inventory = PrefixSource(os.fspath(prefix)).inventory()
    plan = Plan(inventory, {"a": Decision(True, "rule", "r")}, (), "p", (), ())
    items = make_items(inventory, {}, plan)
    assert {i.path: (i.bytes, i.removed, i.freed) for i in items if i.path in ("a", "b")} == {
        "a": (0, True, 0),
        "b": (10, False, 0),
    }


NAMES = st.sampled_from(["a", "b.py", "b.pyc", "lib", "tests", "x.so.1", "\udcff", "é", "n\nl"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    files=st.dictionaries(PATHS, st.integers(0, 9000), max_size=12),
    links=st.lists(st.tuples(st.integers(0, 11), PATHS), max_size=4),
    owned=st.sets(st.integers(0, 11)),
)
def test_sums_agree_with_du_for_any_tree(
    tmp_path_factory: pytest.TempPathFactory,
    files: dict[str, int],
    links: list[tuple[int, str]],
    owned: set[int],
) -> None:
    root = tmp_path_factory.mktemp("tree")
    prefix = make_prefix(root / "env", {}, python=False)
    made: list[str] = []
    for path, size in files.items():
        try:
            make_tree(prefix, {path: b"x" * size})
        except OSError:
            continue  # a folder and a file of the same name
        made.append(path)
    for number, path in links:
        target = os.fsencode(prefix) + b"/" + path.encode("utf-8", "surrogateescape")
        if number < len(made) and os.path.isdir(os.path.dirname(target)):
            source = os.fsencode(prefix) + b"/" + made[number].encode("utf-8", "surrogateescape")
            if not os.path.lexists(target):
                os.link(source, target)
    names = [path for number, path in enumerate(made) if number in owned]
    make_prefix(prefix, {}, packages={"p": names}, python=False)
    agrees(prefix)
