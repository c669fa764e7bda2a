"""The final image of docs/docker/inplace.Dockerfile against the same image by a pasted recipe.

Both are made of the same environment on the same base, by the same stages. The recipe deletes pip,
which works before; so ours is built once more without pip, to compare like with like.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.docker.images import (
    DOCKERFILES,
    Buildah,
    Container,
    check_final,
    make_base,
    make_installed,
    make_pyz,
    make_tool,
    shipped,
    stand_in,
    verify,
)
from lab.envs.build import shared_environment
from lab.envs.interpreter import probe
from lab.envs.model import BuiltEnvironment
from lab.envs.pack import packed_environment

RECIPE = Path(__file__).with_name("recipe.Dockerfile")
PRUNE = '"/opt/tool/bin/python", "/tmp/condaprune.pyz", "/env"'
WITHOUT_PIP = ("--select", "pip-whole")
LIBPYTHON = "  rm -f /env/lib/lib${PYTHON}.so.1.0 && \\\n"
_DEBIAN = "/usr/bin/python3"


@dataclass(frozen=True, slots=True)
class Image:
    """An image as measured: bytes unpacked and as a registry holds them, and what was lost.

    `verified` is the report of ``condaprune verify``, `broken` why its application does not run.
    """

    name: str
    size: int
    compressed: int
    verified: dict[str, Any]
    broken: str = ""

    @property
    def lost(self) -> list[str]:
        """What worked in the environment as installed and does not work in the image."""
        return [f"{found['kind']} {found['name']}" for found in self.verified["lost"]]

    @property
    def compared(self) -> int:
        """How many things were compared."""
        return sum(int(count["compared"]) for count in self.verified["counts"].values())


@dataclass(frozen=True, slots=True)
class Comparison:
    """`before` is the image without any removal, `like` ours without pip, both of ours with
    `options`; `altered` says what had to be changed in the recipe for its image to run, empty where
    nothing."""

    before: Image
    ours: Image
    like: Image
    recipe: Image
    altered: str
    options: tuple[str, ...] = ()


def choose_interpreter() -> str:
    """The Python to package: like conda-forge's one that needs no libpython, where there is one."""
    here = probe()
    for python in (str(here.executable), _DEBIAN):
        if not shutil.which(python) or probe(python).short != here.short:
            continue
        needed = subprocess.run(["ldd", python], capture_output=True, text=True, check=False)
        if "libpython" not in needed.stdout:
            return python
    return str(here.executable)


def compare(
    root: Path, size: str, say: Callable[[str], None], options: tuple[str, ...] = ()
) -> Comparison:
    """Build and compare both below the folder *root*; ours with more *options*.

    Errors: `Missing` where images cannot be built here, `AssertionError` where one is not as it
    should be.
    """
    buildah = Buildah(root)
    make_base(buildah, shell=True)
    say("the base of libc6 is made")
    environment = shared_environment(size, python=choose_interpreter())
    tiny = shared_environment("tiny", python=str(environment.interpreter.executable))
    make_tool(tiny.prefix, root / "tool")
    make_installed(buildah, packed_environment(environment).archive, root / "tool", "builder")
    shutil.rmtree(root / "tool")
    say(f"the environment `{size}` is installed at /env")
    context = root / "context"
    context.mkdir()
    shutil.copy(DOCKERFILES / "app.py", context)
    make_pyz(context)
    recipe = _fitted(stand_in(RECIPE.read_text("utf-8")), environment)
    buildah.build(context, "FROM localhost/base\nCOPY --from=localhost/installed /env /env\n"
                  "COPY app.py /app/app.py\n", "before")  # fmt: skip
    text = shipped("inplace")
    assert PRUNE in text
    given = {"ours": options, "like": (*options, *WITHOUT_PIP)}
    for name, words in given.items():
        command = ", ".join((PRUNE, *(f'"{word}"' for word in words)))
        buildah.build(context, text.replace(PRUNE, command), name)
    say("the image of docs/docker/inplace.Dockerfile is built")
    buildah.build(context, recipe, "recipe")
    altered = ""
    with buildah.container("recipe") as container:
        broken = _why_broken(container)
    if broken:
        say(f"the image by the recipe does not run: {broken}")
        altered = "libpython is not deleted: this Python does not start without it"
        buildah.build(context, recipe.replace(LIBPYTHON, ""), "recipe")
    say("the image by the pasted recipe is built; verifying all")
    with ExitStack() as stack:
        installed = stack.enter_context(buildah.container("installed"))
        images = {}
        for name in ("before", "ours", "like", "recipe"):
            container = stack.enter_context(buildah.container(name))
            manifest: Path | None = None
            if name in given:
                check_final(buildah, name, container)
                inside = f"/tmp/{name}.json"
                shutil.copy(context / "condaprune.pyz", installed.root / "tmp")
                installed.run("/opt/tool/bin/python", "/tmp/condaprune.pyz", "/env", "--dry-run",
                              "-q", "--manifest", inside, *given[name])  # fmt: skip
                manifest = installed.root / inside[1:]
            verified: dict[str, Any] = {"lost": [], "counts": {}}
            if name != "before":
                verified = verify(installed.env, container.env, root, manifest=manifest)
            broken = _why_broken(container)
            images[name] = Image(
                name, container.size(), buildah.compressed(name), verified, broken
            )  # fmt: skip
            say(f"`{name}` is measured")
    return Comparison(
        images["before"], images["ours"], images["like"], images["recipe"], altered, options
    )


def _fitted(recipe: str, environment: BuiltEnvironment) -> str:
    """The recipe for this Python, without the lines about packages that are not there: `find`
    fails for a folder that does not exist."""
    recipe = recipe.replace("PYTHON=python3.9", f"PYTHON=python{environment.interpreter.short}")
    for name in ("scipy", "numpy", "pandas"):
        if not (environment.site_packages / name).is_dir():
            recipe = re.sub(rf"^ *find \S+/site-packages/{name} .*\n", "", recipe, flags=re.M)
    return recipe


def _why_broken(container: Container) -> str:
    try:
        container.run("/env/bin/python", "/app/app.py")
    except AssertionError as error:
        return str(error).strip().splitlines()[0 if "libpython" not in str(error) else -2]
    return ""


def table(comparison: Comparison) -> str:
    """The comparison as lines of text."""
    lines = [f"{'image':<40}{'unpacked':>10}{'in a registry':>15}{'lost':>12}"]
    names = {
        "before": "nothing removed",
        "ours": f"inplace.Dockerfile ({' '.join(('condaprune', *comparison.options))})",
        "like": f"... {' '.join(WITHOUT_PIP)}",
        "recipe": "the same by the pasted recipe",
    }
    for image in (comparison.before, comparison.ours, comparison.like, comparison.recipe):
        lost = f"{len(image.lost)} of {image.compared}" if image.compared else "-"
        lines.append(
            f"{names[image.name]:<40}{image.size / 1e6:>7.1f} MB{image.compressed / 1e6:>12.1f} MB"
            f"{lost:>12}"
        )
    if comparison.altered:
        lines.append(f"the recipe was altered: {comparison.altered}")
    return "\n".join(lines)


def failures(comparison: Comparison) -> list[str]:
    """What speaks against: nothing is lost, and, if pip goes too, smaller than by the recipe."""
    wrong = []
    for image in (comparison.ours, comparison.like):
        wrong += [f"{image.name} lost: {name}" for name in image.lost]
        if image.broken:
            wrong.append(f"{image.name} does not run: {image.broken}")
    if comparison.like.size >= comparison.recipe.size:
        wrong.append("is not smaller than by the recipe, unpacked")
    if comparison.like.compressed >= comparison.recipe.compressed:
        wrong.append("is not smaller than by the recipe, in a registry")
    return wrong
