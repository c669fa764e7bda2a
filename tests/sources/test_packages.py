"""Packages as a whole: the closure over needs, orphans, shared paths."""

from pathlib import Path

import pytest

from condaprune.errors import UsageProblem
from condaprune.sources.packages import Dropped, drop_packages
from condaprune.sources.prefix import PrefixSource
from tests.trees import SITE, Content, distribution, make_prefix, record


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """app needs lib and python; tool needs lib and helper; helper needs nobody else."""
    files: dict[str, Content] = {}
    depends = {
        "app": ["lib >=1", "python"],
        "lib": [],
        "tool": ["lib", "helper"],
        "helper": [],
        "python": ["ssl"],
        "ssl": [],
    }
    for name, needs in depends.items():
        own = [f"share/{name}", "share/both"] if name in ("tool", "lib") else [f"share/{name}"]
        more = {"requested_spec": name} if name in ("app", "tool") else {}
        files[f"conda-meta/{name}-1.0-0.json"] = record(name, own, depends=needs, **more)
        files[f"share/{name}"] = b"x"
    files["share/both"] = b"x"
    pip = distribution("Pip_Made", {"pip_made.py": b""})
    return make_prefix(tmp_path, {**files, **pip})


def dropped(root: Path, *names: str, only: tuple[str, ...] = (), orphans: bool = False) -> Dropped:
    inventory = PrefixSource(str(root)).inventory()
    return drop_packages(inventory, names, only=only, with_orphans=orphans)


def test_a_package_goes_with_its_record_and_what_it_alone_owns(environment: Path) -> None:
    found = dropped(environment, "tool")
    assert set(found.paths) == {"share/tool", "conda-meta/tool-1.0-0.json"}


def test_orphans_are_what_nothing_else_needs(environment: Path) -> None:
    found = dropped(environment, "tool", orphans=True)
    assert "share/helper" in found.paths
    assert "share/lib" not in found.paths
    assert "share/both" not in found.paths


def test_a_path_that_two_packages_own_goes_with_both(environment: Path) -> None:
    assert "share/both" in dropped(environment, "tool", "lib").paths


def test_only_packages_keeps_what_they_need_and_python(environment: Path) -> None:
    found = dropped(environment, only=("lib",))
    assert {"share/app", "share/tool", "share/helper"} <= set(found.paths)
    assert not {"share/lib", "share/python", "share/ssl"} & set(found.paths)


def test_a_package_asked_for_by_name_is_no_orphan(environment: Path) -> None:
    assert "share/tool" not in dropped(environment, "app", orphans=True).paths


def test_a_distribution_of_pip_goes_by_its_name(environment: Path) -> None:
    found = dropped(environment, "pip-made")
    assert f"{SITE}/pip_made.py" in found.paths


def test_dropping_what_others_need_is_told(environment: Path) -> None:
    (note,) = dropped(environment, "lib").notes
    assert "app, tool need it" in note


def test_an_unknown_package_is_refused_with_the_nearest(environment: Path) -> None:
    with pytest.raises(UsageProblem, match="Did you mean 'helper'"):
        dropped(environment, "helpr")
