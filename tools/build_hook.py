"""Compiles the rules: hatchling calls this when it builds a wheel or an editable install."""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileRules(BuildHookInterface):  # type: ignore[misc]
    """Puts the compiled rules into the wheel, for an editable install into the source tree."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        sys.path.insert(0, self.root)
        from condaprune.ruleset.builtin import COMPILED, compile_builtin

        compiled = compile_builtin(os.path.join(self.root, "rules"))
        place = f"condaprune/ruleset/{COMPILED}"
        path = os.path.join(self.root, place)
        if version != "editable":
            self._folder = tempfile.TemporaryDirectory()
            path = os.path.join(self._folder.name, COMPILED)
            build_data["force_include"][path] = place
        with open(path, "wb") as stream:
            stream.write(compiled)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version != "editable":
            self._folder.cleanup()
