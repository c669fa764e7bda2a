"""setuptools stays with a package that declares that it needs it."""

from pathlib import Path

import pytest

from condaprune.model import Plan
from condaprune.planning.planner import make_plan
from condaprune.request.request import Request
from condaprune.sources.prefix import PrefixSource
from tests.trees import SITE, Content, distribution, make_tree, record

SETUPTOOLS = [f"{SITE}/setuptools/__init__.py", f"{SITE}/pkg_resources/__init__.py"]


def prefix(folder: Path, name: str, requires: str = "", depends: str = "") -> PrefixSource:
    """An environment with setuptools and one package, which declares what it needs."""
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}".encode()
    files: dict[str, Content] = {
        **dict.fromkeys(SETUPTOOLS, b"#"),
        **distribution(name, {f"{name}/__init__.py": b"#"}),
        f"{SITE}/{name}-1.0.dist-info/METADATA": metadata,
        "bin/python3.11": b"",
        "lib/python3.11/os.py": b"",
        "conda-meta/history": b"",
        "conda-meta/setuptools-1.0-0.json": record("setuptools", SETUPTOOLS),
    }
    owned = [path for path in files if f"/{name}" in path]
    files[f"conda-meta/{name}-1.0-0.json"] = record(name, owned, depends=[depends] * bool(depends))
    return PrefixSource(str(make_tree(folder / "env", files)))


def minimal(source: PrefixSource, **more: object) -> Plan:
    return make_plan(source, Request(profile="minimal", **more))  # type: ignore[arg-type]


def stays(plan: Plan) -> bool:
    kept = {plan.removes(path) for path in SETUPTOOLS}
    assert len(kept) == 1
    return not kept.pop()


@pytest.mark.parametrize(
    ("requires", "depends"),
    [
        ("Requires-Dist: setuptools\n", ""),
        ("Requires-Dist: Setuptools (>=18.5); python_version < '4'\n", ""),
        ("", "setuptools >=40"),
    ],
    ids=["a distribution", "with a version and a marker", "a conda package"],
)
def test_a_package_that_stays_keeps_what_it_declares(
    tmp_path: Path, requires: str, depends: str
) -> None:
    plan = minimal(prefix(tmp_path, "app", requires, depends))
    assert stays(plan)
    decision = plan.decision(SETUPTOOLS[1])
    assert decision.name == "requirements"
    assert decision.because.endswith(":app declares that it needs setuptools")
    assert not [note for note in plan.notes if "setuptools" in note]


@pytest.mark.parametrize(
    "requires",
    ["", "Requires-Dist: setuptools_scm\n", "Requires-Dist: setuptools; extra == 'build'\n"],
    ids=["nothing", "a name that starts alike", "an extra"],
)
def test_it_goes_where_nothing_declares_it(tmp_path: Path, requires: str) -> None:
    plan = minimal(prefix(tmp_path, "app", requires))
    assert not stays(plan)
    assert not [note for note in plan.notes if "setuptools" in note]


def test_a_package_that_goes_too_is_named_in_the_report(tmp_path: Path) -> None:
    plan = minimal(prefix(tmp_path, "wheel", depends="setuptools"))
    assert not stays(plan)
    assert "setuptools goes; wheel declares that it is needed, and it goes too" in plan.notes


def test_the_user_may_drop_it_all_the_same(tmp_path: Path) -> None:
    source = prefix(tmp_path, "app", depends="setuptools")
    assert not stays(minimal(source, drop_packages=("setuptools",)))
