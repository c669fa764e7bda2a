"""Builds the Dockerfiles of docs/docker with buildah, without a registry, and runs the result."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lab.docker.compare import LIBPYTHON, RECIPE, compare, failures
from lab.docker.images import (
    DOCKERFILES,
    Buildah,
    Missing,
    check_final,
    make_base,
    make_installed,
    make_pyz,
    make_tool,
    shipped,
)
from lab.envs.fixtures import Packer
from lab.envs.model import BuiltEnvironment
from tests.cli.runner import condaprune

BUILT = ("inplace", "trace", "archive", "unpack", "gate", "pixi", "tool")
BUDGET = '[budget.environment]\nmax = "{} MB"\n'
PIXI = "/app/.pixi/envs/default"


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


def _check(buildah: Buildah, name: str, prefix: str = "/env") -> None:
    with buildah.container(name) as container:
        check_final(buildah, name, container, prefix)


@pytest.fixture(scope="module")
def tool(tiny_env: BuiltEnvironment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tool") / "tool"
    make_tool(tiny_env.prefix, folder)
    return folder


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pyz")
    try:
        make_pyz(folder)
    except Missing as error:
        pytest.skip(str(error))
    return folder / "condaprune.pyz"


@pytest.mark.slow
def test_builder_stages(
    buildah: Buildah, packed_tiny: Packer, tool: Path, pyz: Path, context: Path
) -> None:
    """In place, with a trace that a test stage records, and with a budget that is kept or not."""
    make_installed(buildah, packed_tiny("tar.gz").archive, tool)
    shutil.copy(pyz, context)
    (context / "condaprune.toml").write_text(BUDGET.format(200))
    for name in ("inplace", "trace", "gate"):
        buildah.build(context, shipped(name), name)
        _check(buildah, name)
        buildah.run("rmi", f"localhost/{name}")
    (context / "condaprune.toml").write_text(BUDGET.format(20))
    with pytest.raises(AssertionError, match=r"over its budget|exit status 1"):
        buildah.build(context, shipped("gate"), "gate")


@pytest.mark.slow
def test_the_single_file_from_an_image(
    buildah: Buildah, packed_tiny: Packer, tool: Path, pyz: Path, context: Path
) -> None:
    """The image that holds nothing but condaprune.pyz, and a stage that copies from it."""
    make_installed(buildah, packed_tiny("tar.gz").archive, tool)
    dist = context / "dist"
    dist.mkdir()
    shutil.copy(pyz, dist)
    buildah.build(dist, shipped("tool"), "condaprune")
    copied = "COPY --from=localhost/condaprune /condaprune.pyz /tmp/\n"
    text = shipped("inplace").replace("COPY condaprune.pyz /tmp/\n", copied)
    assert copied in text
    buildah.build(context, text, "copied")
    _check(buildah, "copied")


@pytest.mark.slow
def test_a_project_of_pixi(
    buildah: Buildah, packed_tiny: Packer, tool: Path, pyz: Path, context: Path
) -> None:
    """With an environment where pixi installs it; pixi itself is not run."""
    shutil.copy(pyz, context)
    make_installed(buildah, packed_tiny("tar.gz").archive, tool, prefix=PIXI)
    text = shipped("pixi").replace("/opt/tool/.pixi/envs/default", "/opt/tool")
    buildah.build(context, text, "pixi")
    _check(buildah, "pixi", PIXI)


@pytest.mark.slow
def test_a_layout_that_no_daemon_has_built(
    buildah: Buildah, tiny_env: BuiltEnvironment, context: Path
) -> None:
    """condaprune writes the image itself, on a base that was saved as a layout."""
    base, image = context / "base.oci", context / "image.oci"
    buildah.run("push", "--format", "oci", "localhost/base", f"oci:{base}")
    ran = condaprune(tiny_env.prefix, "-o", image, "--base", base, "--dest-prefix", "/env",
                     "--layers", 3, "--user", "65532:65532", "--entrypoint", "/env/bin/python",
                     "--quiet")  # fmt: skip
    assert ran.status == 0, ran.err
    name = buildah.run("from", f"oci:{image}").strip()
    code = "import click, os, sys; print(os.getuid(), sys.prefix, click.__name__)"
    try:
        out = buildah.run("run", "--isolation", "chroot", name, "--", "/env/bin/python", "-c", code)
    finally:
        buildah.run("rm", name)
    assert out.split() == ["65532", "/env", "click"]


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
