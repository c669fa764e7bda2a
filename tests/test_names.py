"""Names out of specs, requirements and histories."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from condaprune.names import history_names, is_pin, required_name, spec_name


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("lib-a", "lib-a"),
        ("lib-a=1.0", "lib-a"),
        ("lib-a==1.0=h1_0", "lib-a"),
        ("lib-a >=1,<2", "lib-a"),
        ("lib-a>=1", "lib-a"),
        ("lib-a!=1", "lib-a"),
        ("lib-a~=1.4", "lib-a"),
        ("lib-a 1.0 h1_0", "lib-a"),
        ("lib-a[version='>=1']", "lib-a"),
        ("conda-forge::lib-a", "lib-a"),
        ("conda-forge/linux-64::lib-a==1.0=0[md5=abc]", "lib-a"),
        ("lib-a[channel=conda-forge, url=file:///x::y]", "lib-a"),
        ("channel:namespace:lib-a", "lib-a"),
        ("Lib_A.b", "lib_a.b"),
        ("_libgcc_mutex * main", "_libgcc_mutex"),
        ("file:///pkgs/click-8.1.7-unix_pyh707e725_0.conda", "click"),
        ("./pkgs/lib-a-1.0-0.tar.bz2#abc", "lib-a"),
        ("__glibc >=2.17", "__glibc"),
        ("", ""),
        ("*", ""),
        ("<4", ""),
        ("./environment.yml", ""),
    ],
)
def test_the_name_of_a_conda_spec(spec: str, name: str) -> None:
    assert spec_name(spec) == name


@pytest.mark.parametrize(
    ("spec", "pinned"),
    [
        ("fmt==10.2.1=h2_0", True),
        ("conda-forge/osx-arm64::fmt==10.2.1=h2_0[md5=8c]", True),
        ("fmt 10.2.1 h2_0", True),
        ("fmt=10.2.1", False),
        ("fmt==10.2.1=h3_0", False),
        ("fmt", False),
    ],
)
def test_a_pin_names_one_build(spec: str, pinned: bool) -> None:
    assert is_pin(spec, "fmt", "10.2.1", "h2_0") is pinned


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("Eggs", "eggs"),
        ("Ruamel.Yaml[jinja2,x] (>=0.17)", "ruamel-yaml"),
        ("eggs; python_version < '3'", "eggs"),
        ("eggs @ file:///eggs.whl ; python_version > '3'", "eggs"),
        ("eggs; extra == 'all'", ""),
        ("eggs; 'all' == extra", ""),
        ("eggs; python_version > '3' and extra == 'all'", ""),
        ("eggs; (extra == 'a' or extra == 'b') and os_name == 'nt'", ""),
        ("eggs; extra == 'all' or python_version > '3'", "eggs"),
        ("eggs; platform_version != 'extra'", "eggs"),
        ("", ""),
        ("; extra == 'x'", ""),
    ],
)
def test_the_name_of_a_requirement(requirement: str, name: str) -> None:
    assert required_name(requirement) == name


@given(st.text(st.sampled_from("aB1-_.[]>=<;,'() "), max_size=16))
def test_requirements_have_the_name_that_packaging_reads(text: str) -> None:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return
    assert required_name(text) == canonicalize_name(requirement.name)


@pytest.mark.parametrize(
    ("history", "names"),
    [
        (b"", set()),
        (b"==> 2026-01-01 <==\n# cmd: conda create\n+defaults::a-1-0\n", set()),
        (b"# update specs: ['a >=1', 'x::b']\n", {"a", "b"}),
        (b'# update specs: ["a=3.9", "b"]\r\n', {"a", "b"}),
        (b"# create specs: a >=1,b\n", {"a", "b"}),
        (b"# install specs: ['a', 'b']\n# remove specs: ['a']\n", {"b"}),
        (b"# update specs: ['a']\n# uninstall specs: ['a']\n# update specs: ['a']\n", {"a"}),
        (b"# update specs: ['a==1', 'b']\n# neutered specs: ['a']\n", {"a", "b"}),
        (b"# remove specs: []\n# update specs: \n", set()),
        (b"# update specs: ['a'\n# update specs: [1, 'b']\n", {"b"}),
        (b"# update specs: [" + b"[" * 10_000 + b"\n", set()),
        (b"# frozen specs: ['a']\n\xff\xfe\n", set()),
    ],
)
def test_what_a_history_asks_for(history: bytes, names: set[str]) -> None:
    assert history_names(history) == names
