"""Who needs whom, what goes along, and the chains that say so."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from condaprune.app.audit import audit
from condaprune.cli import run
from condaprune.errors import UsageProblem
from condaprune.report.audit.make import Wanted
from condaprune.report.audit.needs import Why, explain_package
from condaprune.sources.prefix import PrefixSource
from lab.envs import BuiltEnvironment
from tests.trees import distribution, make_prefix, make_tree, record

DEPENDS = {
    "app": ["lib >=1", "python"],
    "tool": ["lib", "extra"],
    "lib": ["core", "python"],
    "core": [],
    "extra": ["deep"],
    "deep": ["core"],
    "loop-a": ["loop-b"],
    "loop-b": ["loop-a"],
    "python": [],
}
SIZES = {name: 1000 * (n + 1) for n, name in enumerate(DEPENDS)}


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    root = make_prefix(tmp_path / "env", {f"share/{n}.bin": b"x" * s for n, s in SIZES.items()})
    for name, depends in DEPENDS.items():
        path = f"conda-meta/{name}-1.0-0.json"
        make_tree(root, {path: record(name, [f"share/{name}.bin"], depends=depends)})
    return os.fspath(root)


def why(prefix: str, name: str) -> Why:
    source = PrefixSource(prefix)
    return explain_package(audit(prefix), source.inventory(), name)


def test_a_package_takes_along_what_only_it_needs(prefix: str) -> None:
    found = why(prefix, "tool")
    assert found.can_go
    assert set(found.goes_along) == {"conda:extra", "conda:deep"}
    sizes = {row.name: row.bytes for row in audit(prefix).view("package")}
    names = ("conda:tool", "conda:extra", "conda:deep")
    assert found.exclusive == sum(sizes[name] for name in names)


def test_what_others_need_stays(prefix: str) -> None:
    found = why(prefix, "core")
    assert not found.can_go
    assert found.direct == ("conda:deep", "conda:lib")
    assert found.goes_along == ()
    assert found.chains == (
        ("conda:app", "conda:lib", "conda:core"),
        ("conda:tool", "conda:lib", "conda:core"),
    )


def test_a_circle_that_nobody_needs_is_there_for_its_own_sake(prefix: str) -> None:
    found = why(prefix, "loop-b")
    assert found.direct == ("conda:loop-a",)
    assert why(prefix, "loop-a").goes_along == ("conda:loop-b",)


def test_what_the_history_asks_for_is_a_root(tmp_path: Path, prefix: str) -> None:
    assert not why(prefix, "lib").asked
    history = "# update specs: ['lib >=1', 'conda-forge::gone']\n# remove specs: ['gone']\n"
    make_tree(Path(prefix), {"conda-meta/history": history.encode()})
    assert why(prefix, "lib").asked


def test_requirements_of_distributions_count_but_not_those_of_extras(tmp_path: Path) -> None:
    files = distribution("spam", {"spam.py": b"x"}) | distribution("eggs", {"eggs.py": b"y"})
    files |= distribution("ham", {"ham.py": b"z"})
    info = "lib/python3.11/site-packages/spam-1.0.dist-info/METADATA"
    files[info] = (
        b"Name: spam\nVersion: 1.0\nRequires-Dist: Eggs>=1; python_version > '3'\n"
        b"Requires-Dist: ham; extra == 'all'\n\n"
    )
    prefix = os.fspath(make_prefix(tmp_path, files))
    assert why(prefix, "EGGS").direct == ("pypi:spam",)
    assert why(prefix, "ham").direct == ()


def test_a_distribution_of_a_conda_package_is_that_package(tmp_path: Path) -> None:
    files = distribution("spam", {"spam.py": b"x"})
    prefix = make_prefix(tmp_path, files, packages={"py-spam": list(files)})
    assert why(os.fspath(prefix), "pypi:spam").label == "conda:py-spam"


def test_an_unknown_package_is_refused_with_a_remedy(prefix: str) -> None:
    with pytest.raises(UsageProblem, match=r"no package 'toll'.*Did you mean 'tool'"):
        why(prefix, "toll")


def test_the_command_answers_as_text_and_json(
    prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["why", prefix, "core"]) == 0
    out = capsys.readouterr().out
    assert "conda:app -> conda:lib -> conda:core" in out
    assert "It cannot go by itself: 2 packages say that they need it." in out
    assert run(["why", prefix, "tool", "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["can_go"] is True
    assert run(["why", prefix, "nothing-like-it"]) == 2


def test_exclusive_sizes_are_a_column_of_the_audit(prefix: str) -> None:
    made = audit(prefix, Wanted(exclusive=True))
    row = made.row("package", "conda:tool")
    assert row is not None
    assert row.exclusive == why(prefix, "tool").exclusive


def test_a_real_environment_says_what_it_was_asked_for(tiny_env: BuiltEnvironment) -> None:
    found = why(os.fspath(tiny_env.prefix), "click")
    assert found.asked
    assert found.can_go
