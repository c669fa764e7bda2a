"""Image layouts as other tools read them: skopeo copies them, buildah runs them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from lab.envs.model import BuiltEnvironment
from tests.cli.runner import condaprune
from tests.trees import make_prefix

from .bareroot import Missing, make_root
from .helpers import pack

needs_skopeo = pytest.mark.skipif(
    shutil.which("skopeo") is None, reason="needs skopeo: apt install it"
)
needs_buildah = pytest.mark.skipif(
    shutil.which("buildah") is None, reason="needs buildah: apt install it"
)
IMAGE = {
    "env": ["A=1"],
    "entrypoint": ["/opt/env/bin/python", "-m", "app"],
    "command": ["serve"],
    "user": "1000:1001",
    "workdir": "/srv",
}
PACKAGES = {"one": ["lib/one.so"], "two": ["lib/two.py"]}


def _run(*command: object) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "BUILDAH_ISOLATION": "chroot"},
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@needs_skopeo
@pytest.mark.parametrize("name", ["i.oci", "i.oci.tar"])
@pytest.mark.parametrize("codec", ["gzip", "zstd", "none"])
def test_skopeo_reads_and_copies(tmp_path: Path, name: str, codec: str) -> None:
    """On the way to a folder it checks every digest, those of the unpacked layers too."""
    env = make_prefix(
        tmp_path / "env", {"lib/one.so": b"\0one" * 900, "lib/two.py": b"2"}, packages=PACKAGES
    )
    pack(env, tmp_path / name, layers=3, codec=codec, **IMAGE)
    image = f"{'oci-archive' if name.endswith('tar') else 'oci'}:{tmp_path / name}:latest"
    config = json.loads(_run("skopeo", "inspect", "--config", image))
    assert config["config"]["Entrypoint"] == IMAGE["entrypoint"]
    assert config["config"]["Cmd"] == IMAGE["command"]
    assert config["config"]["User"] == IMAGE["user"]
    assert config["config"]["WorkingDir"] == IMAGE["workdir"]
    assert "A=1" in config["config"]["Env"]
    told = json.loads(_run("skopeo", "inspect", image))
    assert len(told["Layers"]) == 3
    _run("skopeo", "--insecure-policy", "copy", "--dest-decompress", image, f"dir:{tmp_path}/copy")
    files: set[str] = set()
    for digest in config["rootfs"]["diff_ids"]:
        layer = tmp_path / "copy" / digest.partition(":")[2]
        assert "sha256:" + hashlib.sha256(layer.read_bytes()).hexdigest() == digest
        with tarfile.open(layer) as tar:
            files.update(member.name for member in tar if member.isreg())
    assert {"opt/env/lib/one.so", "opt/env/lib/two.py", "opt/env/conda-meta/history"} <= files


@pytest.mark.slow
@needs_buildah
@pytest.mark.parametrize("form", ["oci", "oci.tar"])
def test_buildah_runs_an_image_on_a_base(
    tmp_path: Path, tiny_env: BuiltEnvironment, form: str
) -> None:
    """The base, of Debian's libc6, is buildah's; condaprune appends to it; buildah runs that."""
    context = tmp_path / "context"
    try:
        make_root(context / "root")
    except Missing as missing:
        pytest.skip(str(missing))
    (context / "Dockerfile").write_text("FROM scratch\nCOPY root /\nENV BASE=there\n")
    buildah = ("buildah", "--root", tmp_path / "store", "--runroot", tmp_path / "run",
               "--storage-driver", "vfs")  # fmt: skip
    base, image = tmp_path / f"base.{form}", tmp_path / f"image.{form}"
    kind = "oci-archive" if form == "oci.tar" else "oci"
    _run(*buildah, "bud", "--isolation", "chroot", "-t", "base", context)
    _run(*buildah, "push", "base", f"{kind}:{base}:latest")
    made = condaprune(
        tiny_env.prefix, "-o", image, "--base", base, "--layers", "3", "--quiet",
        "--env", "OURS=too", "--user", "1000:1000",
        "--entrypoint", "/opt/env/bin/python", "--entrypoint", "-I",
    )  # fmt: skip
    assert made.status == 0, made.err
    container = _run(*buildah, "from", f"{kind}:{image}:latest").strip()
    told = json.loads(_run(*buildah, "inspect", "--type", "container", container))
    entry = told["OCIv1"]["config"]["Entrypoint"]
    script = (
        "import click, json, os, ssl, sys; print(json.dumps([sys.prefix, os.getuid(), "
        "os.environ['BASE'], os.environ['OURS'], os.path.lexists('/bin/sh')]))"
    )
    out = _run(*buildah, "run", "--isolation", "chroot", container, "--", *entry, "-c", script)
    assert json.loads(out) == ["/opt/env", 1000, "there", "too", False]
