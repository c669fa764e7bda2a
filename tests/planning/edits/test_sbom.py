"""The bill of materials is valid CycloneDX, deterministic, and tells no secrets."""

import json
from pathlib import Path
from typing import Any

import pytest

from condaprune.model import Distribution, Inventory, Layout, Record
from condaprune.planning.edits.sbom import make_sbom, purl
from condaprune.sources.prefix import PrefixSource
from lab.envs.model import BuiltEnvironment
from tests.trees import distribution, make_prefix


def validate(document: bytes) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(document.decode())
    assert problem is None, problem


def inventory(*owners: Record | Distribution) -> Inventory:
    records = tuple(o for o in owners if isinstance(o, Record))
    distributions = tuple(o for o in owners if isinstance(o, Distribution))
    return Inventory("x", "", {}, {}, records, distributions, Layout("linux", "3.11.7", {}))


def test_a_real_environment_gives_a_valid_document(tiny_env: BuiltEnvironment) -> None:
    found = PrefixSource(str(tiny_env.prefix)).inventory()
    document = make_sbom(found)
    validate(document)
    purls = {c["purl"] for c in json.loads(document)["components"]}
    assert any(p.startswith("pkg:conda/python@") for p in purls)
    assert any(p.startswith("pkg:pypi/click@") for p in purls)


def test_purls_follow_the_specification() -> None:
    record = Record(
        "libzlib",
        "1.3.1",
        "hb9d3cd8_2",
        "p",
        "https://host/t/SECRET/conda-forge/",
        "linux-64",
        url="https://host/libzlib.conda",
    )
    assert purl(record) == (
        "pkg:conda/libzlib@1.3.1?build=hb9d3cd8_2&channel=conda-forge&subdir=linux-64&type=conda"
    )
    assert purl(Distribution("click", "8.1+local", "p")) == "pkg:pypi/click@8.1%2Blocal"


def test_tokens_and_paths_of_channels_are_not_told() -> None:
    record = Record("a", "1", "0", "p", channel="https://host/t/SECRET/private/linux?key=SECRET")
    assert b"SECRET" not in make_sbom(inventory(record))


def test_dependencies_come_from_records_and_metadata() -> None:
    a = Record("a", "1", "0", "p", depends=("b >=2", "__glibc >=2.17", "gone"))
    b = Record("b", "2", "0", "p")
    c = Distribution("c", "1", "p", requires=("D_d>=1", "extra-only; extra == 'x'"))
    d = Distribution("d-d", "1", "p")
    e = Distribution("extra-only", "1", "p")
    edges: dict[str, Any] = {
        row["ref"]: row["dependsOn"]
        for row in json.loads(make_sbom(inventory(a, b, c, d, e)))["dependencies"]
    }
    assert edges[purl(a)] == [purl(b)]
    assert edges[purl(c)] == [purl(d)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MIT", {"expression": "MIT"}),
        (
            "(MIT OR Apache-2.0) AND BSD-3-Clause",
            {"expression": "(MIT OR Apache-2.0) AND BSD-3-Clause"},
        ),
        ("BSD\nsee  file", {"license": {"name": "BSD see file"}}),
    ],
)
def test_licences_are_expressions_where_they_are(text: str, expected: dict[str, Any]) -> None:
    document = make_sbom(inventory(Record("a", "1", "0", "p", license=text)))
    assert json.loads(document)["components"][0]["licenses"] == [expected]
    validate(document)


def test_the_same_packages_give_the_same_bytes(tmp_path: Path) -> None:
    files = distribution("demo", {"demo.py": b""})
    one = make_prefix(tmp_path / "one", files, packages={"b": [], "a": []})
    two = make_prefix(tmp_path / "two", files, packages={"a": [], "b": []})
    assert make_sbom(PrefixSource(str(one)).inventory()) == make_sbom(
        PrefixSource(str(two)).inventory()
    )
