"""Builds the Dockerfiles of docs/docker with buildah, without a registry, and runs the result.

The base is made of Debian's libc6 packages. Two things differ from the files as they stand: the
stage ``installed``, which downloads, is an image with a real environment at ``/env`` and condaprune
in ``/opt/tool``; and ``--link``, which older buildah does not know, is left out.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.runner import condaprune
from tests.docs.blocks import ROOT
from tests.envs.fixtures import Packer
from tests.envs.model import BuiltEnvironment

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("buildah") is None, reason="needs buildah: apt install it"),
    pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs Debian's packages"),
]
DEBS = ("libc6", "libgcc-s1", "libstdc++6")
# What condaprune imports, beside itself.
MODULES = ("click", "conda_pack", "pathspec", "re2", "_re2", "tqdm", "zstandard")
SHIPPED = ("inplace", "trace", "archive", "unpack")


@dataclass(frozen=True, slots=True)
class Buildah:
    """buildah with a store of its own."""

    root: Path

    def run(self, *arguments: object) -> str:
        done = subprocess.run(
            ["buildah", "--root", str(self.root / "store"), "--runroot", str(self.root / "run"),
             "--storage-driver", "vfs", *map(str, arguments)],
            env={**os.environ, "BUILDAH_ISOLATION": "chroot"},
            capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def build(self, context: Path, dockerfile: str, tag: str) -> None:
        (context / "Dockerfile").write_text(dockerfile, encoding="utf-8")
        self.run("bud", "--isolation", "chroot", "--format", "docker", "--build-arg",
                 "BASE=localhost/base", "-t", tag, context)  # fmt: skip


def _make_tool(environment: BuiltEnvironment, where: Path) -> None:
    """condaprune in an environment of its own, made for /opt/tool."""
    made = condaprune(
        environment.prefix, "-o", f"{where}/", "--dest-prefix", "/opt/tool", "--quiet"
    )
    assert made.status == 0, made.err
    site = where / "lib" / f"python{environment.interpreter.short}" / "site-packages"
    for name in MODULES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue
        origin = Path(spec.origin)
        target = site / (origin.parent.name if spec.submodule_search_locations else origin.name)
        if target.exists():
            continue
        copy = shutil.copytree if spec.submodule_search_locations else shutil.copy
        copy(origin.parent if spec.submodule_search_locations else origin, target)
    shutil.copytree(ROOT / "condaprune", site / "condaprune")
    shutil.copytree(ROOT / "rules", site / "condaprune" / "rules", dirs_exist_ok=True)
    script = where / "bin" / "condaprune"
    script.write_text("#!/opt/tool/bin/python\nfrom condaprune.cli import main\nmain()\n")
    script.chmod(0o755)


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    """With the image ``base``; skips where apt has no packages to make it of."""
    folder = tmp_path_factory.mktemp("buildah")
    debs, context = folder / "debs", folder / "base"
    debs.mkdir()
    (context / "rootfs").mkdir(parents=True)
    got = subprocess.run(["apt-get", "download", *DEBS], cwd=debs, capture_output=True, check=False)
    if got.returncode:
        pytest.skip(f"apt-get download fails: {got.stderr.decode(errors='replace')[-200:]}")
    for deb in debs.iterdir():
        subprocess.run(["dpkg-deb", "-x", str(deb), str(context / "rootfs")], check=True)
    for name in ("tmp", "proc", "dev", "etc"):
        (context / "rootfs" / name).mkdir(exist_ok=True)
    found = Buildah(folder)
    found.build(context, "FROM scratch\nCOPY rootfs /\n", "base")
    yield found
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "docs" / "docker" / "app.py", tmp_path)
    return tmp_path


def _shipped(name: str) -> str:
    """The text of a Dockerfile, without ``--link`` and with the image ``installed`` for a stage."""
    text = (ROOT / "docs" / "docker" / f"{name}.Dockerfile").read_text(encoding="utf-8")
    text = re.sub(r"FROM \S+ AS installed\n.*?(?=^FROM)", "", text, flags=re.M | re.S)
    return text.replace("--link ", "").replace("FROM installed", "FROM localhost/installed")


def _check(buildah: Buildah, name: str) -> None:
    told = json.loads(buildah.run("inspect", "--type", "image", f"localhost/{name}"))
    config = told["Docker"]["config"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["/env/bin/python", "/app/app.py"]
    assert config["Healthcheck"]["Test"] == ["CMD", "/env/bin/python", "/app/app.py"]
    container = buildah.run("from", f"localhost/{name}").strip()
    try:
        out = buildah.run("run", "--isolation", "chroot", container, "--", *config["Entrypoint"])
        assert json.loads(out) == {"uid": 65532, "prefix": "/env", "click": "app"}
        env = Path(buildah.run("mount", container).strip()) / "env"
        assert not list(env.glob("conda-meta/*.json"))
        assert (env / "conda-meta" / "history").exists()
        bom = json.loads((env / "share/condaprune/environment.cdx.json").read_bytes())
        assert any(part["name"] == "click" for part in bom["components"])
        assert not list(env.rglob("*.a"))
        assert not (env.parent / "opt" / "tool").exists()
    finally:
        buildah.run("rm", container)


def test_builder_stages(
    buildah: Buildah, tiny_env: BuiltEnvironment, packed_tiny: Packer, context: Path
) -> None:
    """In place, and with a trace that a test stage records."""
    if tiny_env.interpreter.short != f"{sys.version_info[0]}.{sys.version_info[1]}":
        pytest.skip("the packaged interpreter cannot run the modules that the tests run with")
    _make_tool(tiny_env, context / "tool")
    shutil.copy(packed_tiny("tar.gz").archive, context / "env.tar.gz")
    text = (
        "FROM localhost/base\nCOPY tool /opt/tool\nADD env.tar.gz /env/\n"
        'RUN ["/env/bin/python", "/env/bin/conda-unpack"]\n'
    )
    buildah.build(context, text, "installed")
    for name in ("tool", "env.tar.gz"):
        target = context / name
        shutil.rmtree(target) if target.is_dir() else target.unlink()
    for name in ("inplace", "trace"):
        buildah.build(context, _shipped(name), name)
        _check(buildah, name)
        buildah.run("rmi", f"localhost/{name}")


@pytest.mark.parametrize("name", ["archive", "unpack"])
def test_archives(buildah: Buildah, packed_tiny: Packer, context: Path, name: str) -> None:
    """A conda-pack archive in, a slim one out, by the command that the Dockerfile tells."""
    text = _shipped(name)
    made = re.search(r"^# Made before: condaprune env.tar.gz -o slim.tar.gz(.*)$", text, re.M)
    assert made
    output = context / "slim.tar.gz"
    ran = condaprune(packed_tiny("tar.gz").archive, "-o", output, "--quiet", *made[1].split())
    assert ran.status == 0, ran.err
    buildah.build(context, text, name)
    _check(buildah, name)


def test_every_dockerfile_is_built() -> None:
    names = {path.name for path in (ROOT / "docs" / "docker").glob("*Dockerfile")}
    assert names == {f"{name}.Dockerfile" for name in SHIPPED}
