"""Packages as a whole: the closure over needs, orphans, shared paths."""

import json
from pathlib import Path

import pytest

from condaprune.errors import UsageProblem
from condaprune.model import Inventory
from condaprune.sources.archive import ArchiveSource
from condaprune.sources.packages import Dropped, drop_packages, make_graph
from condaprune.sources.prefix import PrefixSource
from tests.sources.archives import BLOCK, member
from tests.trees import SITE, Content, distribution, make_prefix, make_tree, record

REAL = Path(__file__).parent / "conda_meta"


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


def test_needs_that_pin_a_version_in_any_way_count(tmp_path: Path) -> None:
    specs = ["lib-a=1.0", "main::lib-b", "lib-c[version='>=1']", "Lib-D>=1"]
    files = {"conda-meta/app-1.0-0.json": record("app", ["share/app"], depends=specs)}
    for name in ("lib-a", "lib-b", "lib-c", "lib-d"):
        files[f"conda-meta/{name}-1.0-0.json"] = record(name, [f"share/{name}"])
    graph = make_graph(PrefixSource(str(make_prefix(tmp_path, files))).inventory())
    needed = ("conda:lib-a", "conda:lib-b", "conda:lib-c", "conda:lib-d")
    assert graph.needs["conda:app"] == needed
    assert graph.orphans(["conda:app"]) == set(needed)


def test_a_circle_goes_with_what_alone_needs_it(tmp_path: Path) -> None:
    depends = {"app": ["python"], "python": ["pip"], "pip": ["python"]}
    files = {
        f"conda-meta/{name}-1.0-0.json": record(name, [f"share/{name}"], depends=needs)
        for name, needs in depends.items()
    }
    graph = make_graph(PrefixSource(str(make_prefix(tmp_path, files))).inventory())
    assert graph.orphans(["conda:app"]) == {"conda:python", "conda:pip"}
    assert graph.orphans(["conda:pip"]) == set()


@pytest.mark.parametrize(
    "info", ["spam-1.egg-info/PKG-INFO", "spam-1.dist-info/METADATA", "spam-1.egg-info"]
)
def test_a_distribution_of_a_conda_package_is_that_package(info: str, tmp_path: Path) -> None:
    files: dict[str, Content] = {f"{SITE}/{info}": b"Name: spam\nVersion: 1\n\n"}
    root = make_prefix(tmp_path, files, packages={"py-spam": list(files)})
    graph = make_graph(PrefixSource(str(root)).inventory())
    assert graph.aliases == {"pypi:spam": "conda:py-spam"}


def test_a_name_means_the_package_of_conda_and_the_one_of_pip(tmp_path: Path) -> None:
    files = {"share/spam": b"x", "conda-meta/spam-1.0-0.json": record("spam", ["share/spam"])}
    root = make_prefix(tmp_path, {**files, **distribution("spam", {"spam.py": b""})})
    assert {"share/spam", f"{SITE}/spam.py"} <= set(dropped(root, "spam").paths)
    assert f"{SITE}/spam.py" not in dropped(root, "conda:spam").paths


def test_orphans_that_somebody_may_have_asked_for_are_announced(tmp_path: Path) -> None:
    files = {
        "conda-meta/app-1.0-0.json": record("app", ["share/app"], depends=["lib"]),
        "conda-meta/lib-1.0-0.json": record("lib", ["share/lib"]),
    }
    notes = dropped(make_prefix(tmp_path, files), "app", orphans=True).notes
    assert any("check that you do not use" in note for note in notes)
    make_tree(tmp_path, {"conda-meta/history": b"# update specs: ['app']\n"})
    notes = dropped(tmp_path, "app", orphans=True).notes
    assert not any("check that you do not use" in note for note in notes)


def test_what_the_history_asks_for_is_no_orphan(tmp_path: Path) -> None:
    files: dict[str, Content] = {
        "conda-meta/app-1.0-0.json": record("app", ["share/app"], depends=["lib", "tool"]),
        "conda-meta/lib-1.0-0.json": record("lib", ["share/lib"]),
        "conda-meta/tool-1.0-0.json": record("tool", ["share/tool"]),
        "conda-meta/history": b"# update specs: ['app', 'Lib >=1', 'tool']\n"
        b"# remove specs: ['tool']\n",
        **{f"share/{name}": b"x" for name in ("app", "lib", "tool")},
    }
    found = dropped(make_prefix(tmp_path, files), "app", orphans=True).paths
    assert "share/tool" in found
    assert "share/lib" not in found


def real(tool: str, root: Path) -> Inventory:
    """The environment with the records and the history that a tool wrote; each package has a
    file of its name."""
    kept = json.loads((REAL / f"{tool}.json").read_bytes())
    files: dict[str, Content] = {f"share/{row['name']}": b"x" for row in kept["records"]}
    for row in kept["records"]:
        path = f"conda-meta/{row['name']}-{row['version']}-{row['build']}.json"
        files[path] = json.dumps({**row, "files": [f"share/{row['name']}"]}).encode()
    if kept["history"] is not None:
        files["conda-meta/history"] = "\n".join(kept["history"]).encode()
    return PrefixSource(str(make_tree(root, files))).inventory()


@pytest.mark.parametrize(
    ("tool", "requested"),
    [
        ("conda-4.9.2", {"django"}),
        ("conda-4.12-updated", {"conda", "pip", "python"}),
        ("conda-23.3.1", {"python"}),
        ("mamba-1.5.9", {"mamba"}),
        ("micromamba-2", {"pytest"}),
        ("pixi", set()),
        ("rattler-0.28", {"click", "pip", "setuptools", "wheel"}),
    ],
)
def test_what_was_asked_for_in_the_words_of_each_tool(
    tool: str, requested: set[str], tmp_path: Path
) -> None:
    inventory = real(tool, tmp_path)
    assert {record.name for record in inventory.records if record.requested} == requested
    assert make_graph(inventory).requested == {f"conda:{name}" for name in requested}


@pytest.mark.parametrize(
    ("tool", "name", "orphans"),
    [
        ("conda-4.9.2", "django", {"sqlparse"}),
        ("conda-23.3.1", "vc", {"vs2015_runtime"}),
        ("mamba-1.5.9", "mamba", {"fmt", "libmambapy", "pybind11-abi", "python_abi"}),
        ("micromamba-2", "pytest", {"iniconfig", "pluggy"}),
        ("pixi", "black-jupyter", {"black"}),
        ("rattler-0.28", "openssl", {"ca-certificates"}),
        ("rattler-0.28", "wheel", {"packaging"}),
    ],
)
def test_orphans_go_in_the_environments_of_each_tool(
    tool: str, name: str, orphans: set[str], tmp_path: Path
) -> None:
    found = drop_packages(real(tool, tmp_path), [name], with_orphans=True)
    by_option = {path for path, option in found.paths.items() if option == "--with-orphans"}
    assert {path[6:] for path in by_option if path.startswith("share/")} == orphans


def test_build_times_are_seconds_whatever_the_tool_counts_in(tmp_path: Path) -> None:
    by_name = {r.name: r for r in real("micromamba-2", tmp_path / "m").records}
    assert by_name["pytest"].built == 1782127176
    by_name = {r.name: r for r in real("pixi", tmp_path / "p").records}
    assert by_name["black"].built == 1710785218
    assert all(record.bare for record in by_name.values())


@pytest.mark.parametrize("stamp", [None, "2026", -1, 1.5])
def test_a_timestamp_that_is_not_one_counts_as_unknown(stamp: object, tmp_path: Path) -> None:
    files = {"conda-meta/a-1.0-0.json": record("a", [], timestamp=stamp, paths_data={"paths": []})}
    (found,) = PrefixSource(str(make_prefix(tmp_path, files))).inventory().records
    assert found.built == 0
    assert not found.bare


@pytest.mark.parametrize("history", [b"", b"# update specs: ['a']\n"])
def test_the_history_of_an_archive_is_read_too(history: bytes, tmp_path: Path) -> None:
    path = tmp_path / "env.tar"
    rows = [("conda-meta/a-1.0-0.json", record("a", [])), ("conda-meta/history", history)]
    members = [member(f"env/{name}".encode(), data) for name, data in rows]
    path.write_bytes(b"".join(members) + bytes(2 * BLOCK))
    (found,) = ArchiveSource(str(path)).inventory().records
    assert found.requested is bool(history)
