"""Finds the configuration for a run; what parses it is imported only where there is one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from condaprune.request.config import Config

FILE = "condaprune.toml"


def read_config(config_file: str | None = None, *, isolated: bool = False) -> Config | None:
    """The configuration that applies in the working folder; None where there is none.

    Errors: `ConfigError`.
    """
    path = "" if isolated else config_file or find_config(os.getcwd())
    if not path:
        return None
    from condaprune.request.config import load_config

    return load_config(path)


def find_config(start: str) -> str:
    """The configuration for a run from the folder *start*: ``$CONDAPRUNE_CONFIG``, else the
    nearest condaprune.toml or pyproject.toml with ``[tool.condaprune]`` above; empty if none."""
    named = os.environ.get("CONDAPRUNE_CONFIG", "")
    if named:
        return named
    folder = os.path.abspath(start)
    while True:
        own = os.path.join(folder, FILE)
        if os.path.isfile(own):
            return own
        project = os.path.join(folder, "pyproject.toml")
        if os.path.isfile(project) and _has_section(project):
            return project
        above = os.path.dirname(folder)
        if above == folder:
            return ""
        folder = above


def _has_section(path: str) -> bool:
    with open(path, "rb") as handle:
        return b"[tool.condaprune" in handle.read()
