"""Where the environments of a group lie, and how they come to be."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from lab.envs.build import build_environment
from lab.envs.cache import remove_tree
from lab.envs.interpreter import probe
from lab.envs.model import BASE_REQUIREMENTS, SIZES, run_in_prefix
from lab.envs.packages.download import download


@dataclass(frozen=True, slots=True)
class Place:
    """A folder for the environments of `requirements`, made for the interpreter `python`.

    They are conda packages, or with `pip` wheels that the environment's pip installs: then one
    environment is pruned again and again at one path, and put back by hard links, which condaprune
    never writes into.
    """

    folder: Path
    requirements: tuple[str, ...]
    python: str | None
    pip: bool

    def untouched(self) -> Path:
        """The prefix that is never pruned."""
        if self.pip:
            kept = self.folder / "kept"
            if not kept.exists():
                self._link(self._installed(), kept)
            return kept
        return self._built("before")

    def fresh(self, profile: str) -> Path:
        """A prefix to be pruned."""
        if not self.pip:
            return self._built(profile)
        env = self.folder / "env"
        kept = self.untouched()
        remove_tree(env)
        self._link(kept, env)
        return env

    def _built(self, name: str) -> Path:
        prefix = self.folder / name
        if not prefix.exists():
            build_environment(prefix, "tiny", requirements=self.requirements, python=self.python)
        return prefix

    def _installed(self) -> Path:
        prefix = self.folder / "env"
        build_environment(prefix, "tiny", python=self.python, variant="copied")
        wanted = {*BASE_REQUIREMENTS, *SIZES["tiny"], *self.requirements}
        wheels = download(probe(self.python), wanted)
        run_in_prefix(
            prefix, "python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
            "--no-compile", "--disable-pip-version-check", "--root-user-action=ignore",
            "--no-warn-script-location", *map(str, wheels),
        )  # fmt: skip
        return prefix

    @staticmethod
    def _link(source: Path, target: Path) -> None:
        shutil.copytree(source, target, symlinks=True, copy_function=_hard_link)


def _hard_link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)
