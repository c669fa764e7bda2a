"""Puts the compiled rules into the wheel: hatchling calls this when it builds one."""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileRules(BuildHookInterface):  # type: ignore[misc]
    """Compiles the rules of the source tree; an editable install reads the TOML files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from condaprune.ruleset.builtin import COMPILED, compile_builtin

        self._folder = tempfile.TemporaryDirectory()
        compiled = os.path.join(self._folder.name, COMPILED)
        with open(compiled, "wb") as stream:
            stream.write(compile_builtin(os.path.join(self.root, "rules")))
        build_data["force_include"][compiled] = f"condaprune/rules/{COMPILED}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version != "editable":
            self._folder.cleanup()
