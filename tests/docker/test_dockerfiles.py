"""Builds the Dockerfiles of docs/docker with buildah, without a registry, and runs the result."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.runner import condaprune
from tests.docker.compare import LIBPYTHON, RECIPE, compare, failures
from tests.docker.images import (
    DOCKERFILES,
    Buildah,
    Missing,
    check_final,
    make_base,
    make_installed,
    make_tool,
    shipped,
)
from tests.envs.fixtures import Packer
from tests.envs.model import BuiltEnvironment

BUILT = ("inplace", "trace", "archive", "unpack")


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    """With the image ``base``; skips where there is no buildah, or nothing to make a base of."""
    folder = tmp_path_factory.mktemp("buildah")
    found = Buildah(folder)
    try:
        make_base(found)
    except Missing as error:
        pytest.skip(str(error))
    yield found
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    shutil.copy(DOCKERFILES / "app.py", tmp_path)
    return tmp_path


def _check(buildah: Buildah, name: str) -> None:
    with buildah.container(name) as container:
        check_final(buildah, name, container)


@pytest.mark.slow
def test_builder_stages(
    buildah: Buildah, tiny_env: BuiltEnvironment, packed_tiny: Packer, context: Path
) -> None:
    """In place, and with a trace that a test stage records."""
    if tiny_env.interpreter.short != f"{sys.version_info[0]}.{sys.version_info[1]}":
        pytest.skip("the packaged interpreter cannot run the modules that the tests run with")
    make_tool(tiny_env.prefix, tiny_env.interpreter.short, context / "tool")
    make_installed(buildah, packed_tiny("tar.gz").archive, context / "tool")
    shutil.rmtree(context / "tool")
    for name in ("inplace", "trace"):
        buildah.build(context, shipped(name), name)
        _check(buildah, name)
        buildah.run("rmi", f"localhost/{name}")


def _archive(buildah: Buildah, packed_tiny: Packer, context: Path, name: str) -> None:
    """A conda-pack archive in, a slim one out, by the command that the Dockerfile tells."""
    text = shipped(name)
    made = re.search(r"^# Made before: condaprune env.tar.gz -o slim.tar.gz(.*)$", text, re.M)
    assert made
    output = context / "slim.tar.gz"
    ran = condaprune(packed_tiny("tar.gz").archive, "-o", output, "--quiet", *made[1].split())
    assert ran.status == 0, ran.err
    buildah.build(context, text, name)
    _check(buildah, name)


def test_an_archive_written_for_its_place(
    buildah: Buildah, packed_tiny: Packer, context: Path
) -> None:
    """The one that every run of the tests builds: it has two minutes."""
    hurried = replace(buildah, until=time.monotonic() + 120)
    try:
        _archive(hurried, packed_tiny, context, "archive")
    except Missing as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_a_relocatable_archive(buildah: Buildah, packed_tiny: Packer, context: Path) -> None:
    _archive(buildah, packed_tiny, context, "unpack")


@pytest.mark.slow
def test_smaller_than_by_the_pasted_recipe_with_nothing_lost(tmp_path: Path) -> None:
    """What ``make images`` shows, on the tiny environment."""
    try:
        found = compare(tmp_path, "tiny", print)
    except Missing as error:
        pytest.skip(str(error))
    assert failures(found) == []
    assert found.recipe.lost, "the proof sees what the recipe breaks"


def test_the_recipe_has_the_line_that_is_left_out_where_python_needs_libpython() -> None:
    assert LIBPYTHON in RECIPE.read_text("utf-8")


def test_every_dockerfile_is_built() -> None:
    names = {path.name for path in DOCKERFILES.glob("*Dockerfile")}
    assert names == {f"{name}.Dockerfile" for name in BUILT}
