"""What an archive needs after it is unpacked: conda-unpack, the activation scripts."""

from __future__ import annotations

from collections.abc import Iterator

from condaprune.evidence.scene import Guard
from condaprune.model import Veto

NEEDED = {
    "conda-unpack": "it replaces the placeholders of the prefix after unpacking",
    "conda-unpack.exe": "it replaces the placeholders of the prefix after unpacking",
    "conda-unpack-script.py": "it replaces the placeholders of the prefix after unpacking",
    "conda_unpack_progress.py": "conda-unpack imports it",
    "activate": "a packed environment is activated with it",
    "activate.fish": "a packed environment is activated with it",
    "activate.bat": "a packed environment is activated with it",
    "deactivate": "a packed environment is deactivated with it",
    "deactivate.bat": "a packed environment is deactivated with it",
}


class Unpack(Guard):
    """Rescues the scripts of conda-pack; what they import is left to the imports guard."""

    name = "unpack"

    def begin(self) -> Iterator[Veto]:
        for folder in self.scene.inventory.layout.roots.get("bin", ()):
            if not any(f"{folder}/conda-unpack{end}" in self.entries for end in ("", ".exe")):
                continue
            for name, reason in NEEDED.items():
                path = f"{folder}/{name}"
                if path in self.candidates:
                    yield Veto(path, reason)
