"""Metadata that follow from project.toml: the links, and the README with links that lead somewhere.

hatchling calls this whenever it builds.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class FromProject(MetadataHookInterface):  # type: ignore[misc]
    """Fills in ``readme`` and ``urls`` of pyproject.toml."""

    def update(self, metadata: dict[str, Any]) -> None:
        sys.path.insert(0, os.path.join(self.root, "tools"))
        import project

        root = Path(self.root)
        said = project.read(root)
        readme = (root / "README.md").read_text(encoding="utf-8")
        text = project.long_description(readme, said)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
        metadata["urls"] = project.urls(said)
