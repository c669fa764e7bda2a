"""How an output is made: everything that may be asked for, checked before any work begins."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from condaprune.errors import UsageProblem
from condaprune.sinks.outputs.compress import Codec
from condaprune.sinks.outputs.members import Modes

LAYER_CODECS: tuple[Codec, ...] = ("gzip", "zstd", "none")


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """An image besides its files.

    `layers` is how many layers there are at most; `env` are variables as ``NAME=VALUE``; `base`
    is the path of an image layout that the layers are appended to; `codec` compresses the layers.
    Errors: `UsageProblem`.
    """

    layers: int = 1
    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    base: str = ""
    codec: Codec = "gzip"

    def __post_init__(self) -> None:
        if not 1 <= self.layers <= 100:
            raise UsageProblem(
                f"not a valid number of layers: {self.layers}",
                where="--layers",
                remedy="Choose a number from 1 to 100",
            )
        for variable in self.env:
            if "=" not in variable or variable.startswith("="):
                raise UsageProblem(
                    f"not a variable: {variable!r}", where="--env", remedy="Write NAME=VALUE"
                )
        if self.codec not in LAYER_CODECS:
            raise UsageProblem(
                f"layers cannot be compressed with {self.codec}",
                where="--layer-compression",
                remedy=f"Choose one of {', '.join(LAYER_CODECS)}",
            )


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """How the output *output* is made, ``-`` being the standard output.

    `format` is empty where the extension decides. `level` is the codec's own, `threads` 0 for all
    cores. `dest_prefix` is the absolute path the environment is rewritten for; `owner` the user
    and group id of all members; `mode` is ``normal`` (0644, or 0755 for programs and folders),
    ``keep``, or an octal mask; `arcroot` a folder put around the members (None: as in the archive
    read). `zip_symlinks` stores links in a zip as links. Errors: `UsageProblem`.
    """

    output: str
    format: str = ""
    force: bool = False
    level: int | None = None
    threads: int = 0
    dest_prefix: str | None = None
    owner: tuple[int, int] = (0, 0)
    mode: str = "normal"
    arcroot: str | None = None
    ignore_editable: bool = False
    zip_symlinks: bool = False
    image: ImageOptions = field(default_factory=ImageOptions)

    def __post_init__(self) -> None:
        Modes(self.mode)
        dest, root = self.dest_prefix, self.arcroot
        if dest is not None:
            if not os.path.isabs(dest) or not dest.strip("/"):
                raise UsageProblem(
                    f"not the absolute path of a folder: {dest!r}",
                    where="--dest-prefix",
                    remedy="Name the folder where the environment will be",
                )
            object.__setattr__(self, "dest_prefix", os.path.normpath(dest))
        if root is not None:
            parts = [part for part in root.split("/") if part not in ("", ".")]
            if root.startswith("/") or ".." in parts:
                raise UsageProblem(
                    f"not a folder inside the archive: {root!r}",
                    where="--arcroot",
                    remedy="Give a relative path, such as env",
                )
            object.__setattr__(self, "arcroot", "/".join(parts))


def parse_owner(text: str) -> tuple[int, int]:
    """User and group id from ``UID:GID`` or ``UID``. Errors: `UsageProblem`."""
    user, colon, group = text.partition(":")
    if user.isdigit() and (group.isdigit() if colon else not group):
        return int(user), int(group or user)
    raise UsageProblem(
        f"not a user and group id: {text!r}", where="--owner", remedy="Write it as 1000:1000"
    )
