"""A root folder that holds Debian's libc6 and nothing else, and ways to run programs in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

PACKAGE = "libc6"
_MOUNTED = ("proc", "dev", "tmp")


class Missing(Exception):
    """What this machine lacks for bare roots."""


def make_root(root: Path) -> Path:
    """Copy the files of the installed package libc6 to the new folder *root*.

    No shell, no ``/usr/bin/env``, no libgcc. Errors: `Missing` where dpkg does not know libc6.
    """
    if shutil.which("dpkg-query") is None:
        raise Missing("needs dpkg: the root is made of Debian's libc6")
    listed = subprocess.run(
        ["dpkg-query", "-L", PACKAGE], capture_output=True, text=True, check=False
    )
    if listed.returncode:
        raise Missing(f"dpkg knows no {PACKAGE}")
    for path in map(Path, listed.stdout.splitlines()):
        if path.is_dir() or not os.path.lexists(path) or path.is_relative_to("/usr/share"):
            continue
        target = root / path.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target, follow_symlinks=False)
    for name in ("lib", "lib64"):  # where the package lists its files below /usr alone
        if not (root / name).exists() and (root / "usr" / name).exists():
            (root / name).symlink_to(f"usr/{name}")
    for name in _MOUNTED:
        (root / name).mkdir(exist_ok=True)
    return root


class BareRoot:
    """Runs programs with *root* as their root folder, by the first way that works here.

    Errors: `Missing` where none does.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        inside = str(root)
        mounted = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
        for way in (
            ["bwrap", "--bind", inside, "/", "--proc", "/proc", "--dev", "/dev", "--unshare-all"],
            ["unshare", "-r", "-m", "-p", "-f", "sh", "-c", mounted, inside],
            ["unshare", "-m", "-p", "-f", "sh", "-c", mounted, inside],
        ):
            self._way = way
            if shutil.which(way[0]) and not self._run(self._loader()).returncode:
                return
        raise Missing("neither bwrap nor unshare may make a root folder here")

    def run(self, *command: str) -> str:
        """Standard output of a program that ends well, started with an empty environment."""
        done = self._run(command)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def _run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._way, *command],
            env={"PATH": os.environ["PATH"], "HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def _loader(self) -> list[str]:
        for folder in ("lib64", "lib"):
            for path in sorted((self.root / folder).glob("ld-linux*.so.*")):
                return [f"/{path.relative_to(self.root)}", "--version"]
        raise Missing("the package libc6 brought no loader")
