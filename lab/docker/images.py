"""Images without a registry: buildah, a base of Debian's libc6, a builder, what is in an image.

Two things differ from the Dockerfiles as they are shipped: the stage ``installed``, which
downloads, is an image with a real environment at ``/env`` and a Python in ``/opt/tool``; and
``--link``, which older buildah does not know, is left out.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# The one line that a Debian or Ubuntu machine needs.
APT = "apt-get update && apt-get install -y --no-install-recommends buildah make python3-venv"
DOCKERFILES = ROOT / "docs" / "docker"
_DEBS = ("libc6", "libgcc-s1", "libstdc++6")
# Not in the final image: what a pasted recipe needs in its stage.
_SHELL = ("dash", "coreutils", "findutils", "libselinux1", "libpcre2-8-0")
# A root folder like ours, in which $2 is seen at /env: there an environment runs as in its image.
_AS_INSTALLED = (
    'mount -t tmpfs tmpfs "$1" && for path in /*; do '
    'if [ -L "$path" ]; then cp -P "$path" "$1$path"; '
    'elif [ -d "$path" ]; then mkdir "$1$path" && mount --rbind "$path" "$1$path"; fi || exit 125; '
    'done; mkdir -p "$1/env" && mount --bind "$2" "$1/env" && root=$1 && shift 2 && '
    'exec chroot "$root" "$@"'
)


class Missing(Exception):
    """This machine lacks something that building images needs."""


@dataclass(frozen=True, slots=True)
class Buildah:
    """buildah with a store of its own below *root*; vfs and chroot need no privileges.

    *until* is when it must be done, by the monotonic clock.
    """

    root: Path
    until: float = math.inf

    def run(self, *arguments: object) -> str:
        """Standard output of a command.

        Errors: `AssertionError` where it fails, `Missing` where it takes too long.
        """
        try:
            done = self._run(arguments, min(900.0, self.until - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise Missing(f"out of time at `buildah {arguments[0]}`") from error
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def _run(self, arguments: Sequence[object], seconds: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["buildah", "--root", str(self.root / "store"), "--runroot", str(self.root / "run"),
             "--storage-driver", "vfs", *map(str, arguments)],
            env={**os.environ, "BUILDAH_ISOLATION": "chroot"},
            capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip

    def build(self, context: Path, dockerfile: str, tag: str) -> None:
        """Build the image ``localhost/TAG``; BASE is the image of `make_base`."""
        (context / "Dockerfile").write_text(dockerfile, encoding="utf-8")
        self.run("bud", "--isolation", "chroot", "--format", "docker", "--build-arg",
                 "BASE=localhost/base", "-t", tag, context)  # fmt: skip

    def config(self, tag: str) -> dict[str, Any]:
        """The configuration of an image: its user, entry point, ..."""
        inspected = json.loads(self.run("inspect", "--type", "image", f"localhost/{tag}"))
        config: dict[str, Any] = inspected["Docker"]["config"]
        return config

    @contextmanager
    def container(self, tag: str) -> Iterator[Container]:
        """A container of an image, mounted."""
        name = self.run("from", f"localhost/{tag}").strip()
        try:
            yield Container(self, name, Path(self.run("mount", name).strip()))
        finally:
            self.run("rm", name)

    def compressed(self, tag: str) -> int:
        """The bytes that a registry would hold: all blobs of the image, layers by gzip."""
        layout = self.root / f"{tag}.oci"
        self.run("push", "--format", "oci", f"localhost/{tag}", f"oci:{layout}:latest")
        size = sum(path.stat().st_size for path in (layout / "blobs/sha256").iterdir())
        shutil.rmtree(layout)
        return size


@dataclass(frozen=True, slots=True)
class Container:
    """A container: its name, and where its root file system is seen."""

    buildah: Buildah
    name: str
    root: Path

    @property
    def env(self) -> Path:
        """The environment in it."""
        return self.root / "env"

    def run(self, *command: str) -> str:
        """Standard output of a command in it. Errors: `AssertionError` where it fails."""
        return self.buildah.run("run", "--isolation", "chroot", self.name, "--", *command)

    def size(self) -> int:
        """The bytes of all its files, hard links counted once."""
        seen: dict[tuple[int, int], int] = {}
        for folder, _, files in os.walk(self.root):
            for name in files:
                info = os.lstat(os.path.join(folder, name))
                seen[info.st_dev, info.st_ino] = info.st_size
        return sum(seen.values())


def make_base(buildah: Buildah, *, shell: bool = False) -> None:
    """The image ``base`` of Debian's libc6; with *shell* also ``builder``, the same with a shell.

    Errors: `Missing` where there is no buildah, dpkg, or package to make them of, and where the
    machine does not let buildah work.
    """
    for program in ("buildah", "dpkg-deb"):
        if shutil.which(program) is None:
            raise Missing(f"there is no {program}: {APT}")
    packages = (*_DEBS, *_SHELL) if shell else _DEBS
    debs, context = buildah.root / "debs", buildah.root / "base"
    debs.mkdir()
    sandbox = "APT::Sandbox::User=root"  # no other user need be able to read the folder
    got = subprocess.run(
        ["apt-get", "-o", sandbox, "download", *packages], cwd=debs, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    if got.returncode:
        raise Missing(f"apt-get download fails: {got.stderr[-300:]}")
    for tree, names in (("rootfs", _DEBS), ("shell", _SHELL if shell else ())):
        (context / tree / "tmp").mkdir(parents=True)
        for name in names:
            (deb,) = debs.glob(f"{name}_*.deb")
            subprocess.run(["dpkg-deb", "-x", str(deb), str(context / tree)], check=True)
        for name in ("bin", "lib", "lib64"):
            # Newer packages leave these links to base-files.
            if (context / tree / "usr" / name).is_dir() and not (context / tree / name).exists():
                (context / tree / name).symlink_to(f"usr/{name}")
    for name in ("proc", "dev", "etc"):
        (context / "rootfs" / name).mkdir(exist_ok=True)
    (loader,) = [*(context / "rootfs").glob("lib64/ld-linux*")][:1] or [
        *(context / "rootfs").glob("lib/ld-linux*")
    ]
    command = json.dumps([f"/{loader.parent.name}/{loader.name}", "--version"])
    try:
        buildah.build(context, f"FROM scratch\nCOPY rootfs /\nRUN {command}\n", "base")
    except AssertionError as error:
        last = "; ".join(str(error).strip().splitlines()[-2:])
        raise Missing(f"buildah cannot run a command in an image here: {last}") from error
    if shell:
        with contextlib.suppress(FileExistsError):
            (context / "shell" / "bin" / "sh").symlink_to("dash")
        buildah.build(context, "FROM localhost/base\nCOPY shell /\nENV PATH=/bin:/usr/bin\n",
                      "builder")  # fmt: skip
    shutil.rmtree(debs)
    shutil.rmtree(context)


def make_installed(
    buildah: Buildah, archive: Path, tool: Path, base: str = "base", prefix: str = "/env"
) -> None:
    """The image ``installed``: an environment at *prefix*, a Python in ``/opt/tool``.

    *archive* is conda-pack's ``.tar.gz`` of the one, *tool* a folder of `make_tool`.
    """
    context = buildah.root / "installed"
    context.mkdir()
    shutil.copy(archive, context / "env.tar.gz")
    shutil.copytree(tool, context / "tool", symlinks=True)
    text = (
        f"FROM localhost/{base}\nCOPY tool /opt/tool\nADD env.tar.gz {prefix}/\n"
        f'RUN ["{prefix}/bin/python", "{prefix}/bin/conda-unpack"]\n'
    )
    buildah.build(context, text, "installed")
    shutil.rmtree(context)


def make_tool(prefix: Path, where: Path) -> None:
    """A Python for ``/opt/tool``, of the environment at *prefix*: what runs condaprune.pyz."""
    made = subprocess.run(
        [sys.executable, "-m", "condaprune", str(prefix), "-o", f"{where}/", "--dest-prefix",
         "/opt/tool", "--quiet"], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr


def make_pyz(folder: Path) -> None:
    """``condaprune.pyz``, as ``make pyz`` makes it. Errors: `Missing` where pip has no packages."""
    made = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "make_pyz.py"), str(folder / "condaprune.pyz")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode and "No matching distribution" in made.stderr:
        raise Missing("pip reaches no packages for condaprune.pyz")
    assert made.returncode == 0, made.stderr


def shipped(name: str) -> str:
    """The text of a Dockerfile, without ``--link`` and with the image ``installed`` for a stage."""
    text = (DOCKERFILES / f"{name}.Dockerfile").read_text(encoding="utf-8")
    return stand_in(text).replace("--link ", "")


def stand_in(text: str) -> str:
    """A Dockerfile with the image ``installed`` in place of its stage of that name."""
    text = re.sub(r"FROM \S+ AS installed\n.*?(?=^FROM)", "", text, flags=re.M | re.S)
    return text.replace("FROM installed", "FROM localhost/installed")


def check_final(buildah: Buildah, name: str, container: Container, prefix: str = "/env") -> None:
    """That an image is what a runtime stage should be, and runs. Errors: `AssertionError`."""
    config = buildah.config(name)
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == [f"{prefix}/bin/python", "/app/app.py"]
    assert config["Healthcheck"]["Test"] == ["CMD", *config["Entrypoint"]]
    out = container.run(*config["Entrypoint"])
    assert json.loads(out) == {"uid": 65532, "prefix": prefix, "click": "app"}
    env = container.root / prefix[1:]
    assert not list(env.glob("conda-meta/*.json")), "there are records of conda"
    assert (env / "conda-meta" / "history").read_bytes() == b""
    bom = json.loads((env / "share/condaprune/environment.cdx.json").read_bytes())
    assert any(part["name"] == "click" for part in bom["components"])
    assert not list(env.rglob("*.a")), "there are static libraries"
    assert not (container.root / "opt" / "tool").exists()
    assert not (container.root / "bin" / "sh").exists()


def verify(
    before: Path, after: Path, scratch: Path, *, manifest: Path | None = None
) -> dict[str, Any]:
    """The report of ``condaprune verify`` on two environments that were installed at ``/env``.

    Needs mount namespaces: root, or ``buildah unshare``. Errors: `AssertionError` where it cannot
    run.
    """
    root, report = scratch / "root", scratch / "verify.json"
    root.mkdir(exist_ok=True)
    done = subprocess.run(
        ["unshare", "-m", "--", "sh", "-c", _AS_INSTALLED, "sh", str(root), str(before),
         sys.executable, "-m", "condaprune", "verify", "/env", str(after), "--format", "json",
         "--no-progress", "-o", str(report),
         *(("--manifest", str(manifest)) if manifest else ())],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout + done.stderr
    verified: dict[str, Any] = json.loads(report.read_bytes())
    return verified
