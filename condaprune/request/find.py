"""Finds the configuration for a run."""

from __future__ import annotations

import os

FILE = "condaprune.toml"


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
