"""How an output is made: the choices behind ``-o``, checked before any work begins."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from condaprune.errors import UsageProblem, nearest
from condaprune.sinks.outputs.compress import Codec, check_level
from condaprune.sinks.outputs.feed import Modes, Wishes
from condaprune.sinks.outputs.oci import Image

CODECS: dict[str, Codec] = {
    "tar": "none",
    "tar.gz": "gzip",
    "tar.bz2": "bzip2",
    "tar.xz": "xz",
    "tar.zst": "zstd",
}
"""The tar formats and how they are compressed."""

FORMATS = (*CODECS, "zip", "squashfs", "oci", "oci.tar", "folder")

_EXTENSIONS = {
    ".tar": "tar",
    ".tar.gz": "tar.gz",
    ".tgz": "tar.gz",
    ".tar.bz2": "tar.bz2",
    ".tbz2": "tar.bz2",
    ".tar.xz": "tar.xz",
    ".txz": "tar.xz",
    ".tar.zst": "tar.zst",
    ".tzst": "tar.zst",
    ".zip": "zip",
    ".squashfs": "squashfs",
    ".sqfs": "squashfs",
    ".oci": "oci",
    ".oci.tar": "oci.tar",
}
_STREAMS = frozenset(CODECS)


@dataclass(frozen=True, slots=True)
class Options:
    """How an output is made; see `condaprune.sinks.outputs.archive.open_sink`."""

    output: str
    format: str
    force: bool = False
    level: int | None = None
    threads: int = 0
    owner: tuple[int, int] = (0, 0)
    arcroot: str | None = None
    prefix: str = ""
    zip_symlinks: bool = False
    image: Image = field(default_factory=Image)
    wishes: Wishes = field(default_factory=Wishes)


def format_of(output: str, wanted: str | None) -> str:
    """The name of an output's format. Errors: `UsageProblem`."""
    if wanted is not None:
        name = _EXTENSIONS.get("." + wanted.lstrip("."), wanted)
        if name not in FORMATS:
            raise UsageProblem(
                f"no such format: {wanted!r}",
                where="--archive-format",
                remedy=nearest(wanted, FORMATS),
            )
        if output == "-" and name not in _STREAMS:
            raise UsageProblem(
                f"the format {name} cannot be written to the standard output",
                where="-o -",
                remedy="Choose a tar format",
            )
        return name
    if output == "-":
        raise UsageProblem(
            "the standard output has no extension that tells the format",
            where="-o -",
            remedy="Add --archive-format, such as tar.zst",
        )
    name = os.path.basename(output).lower()
    for extension in sorted(_EXTENSIONS, key=len, reverse=True):
        if name.endswith(extension) and name != extension:
            return _EXTENSIONS[extension]
    stem, extension = os.path.splitext(name)
    if stem.endswith(".tar"):
        stem, extension = stem[:-4], ".tar" + extension
    if extension and stem and not output.endswith("/") and not os.path.isdir(output):
        raise UsageProblem(
            f"no format has the extension {extension!r}",
            where=output,
            remedy=f"{nearest(extension, list(_EXTENSIONS))} (End the name with / for a folder)",
        )
    return "folder"


def check_format(name: str, level: int | None, arcroot: str | None, image: Image) -> None:
    """Whether the options fit the format. Errors: `UsageProblem`."""
    if name in CODECS:
        check_level(CODECS[name], level)
    elif name == "zip":
        check_level("gzip", level)
    elif name in ("oci", "oci.tar"):
        check_level(image.codec, level)
        if arcroot is not None:
            raise UsageProblem(
                "an image has no folder around its members",
                where="--arcroot",
                remedy="Say where the environment lies with --dest-prefix",
            )
    elif name == "folder" and level is not None:
        raise UsageProblem(
            "a folder is not compressed", where="--compress-level", remedy="Leave it out"
        )


def wishes_of(dest: str | None, mode: str, *, ignore_editable: bool) -> Wishes:
    """How members are to look. Errors: `UsageProblem`."""
    if dest is not None and (not os.path.isabs(dest) or not dest.strip("/")):
        raise UsageProblem(
            f"not an absolute path of a folder: {dest!r}",
            where="--dest-prefix",
            remedy="Name the folder that the environment will lie in",
        )
    Modes(mode)
    return Wishes(os.path.normpath(dest) if dest else None, mode, ignore_editable)


def parse_owner(owner: str | tuple[int, int]) -> tuple[int, int]:
    """User and group id. Errors: `UsageProblem`."""
    if isinstance(owner, tuple):
        return owner
    user, colon, group = owner.partition(":")
    if user.isdigit() and (group.isdigit() if colon else not group):
        return int(user), int(group or user)
    raise UsageProblem(
        f"no user and group id: {owner!r}", where="--owner", remedy="Write it as 1000:1000"
    )


def parse_root(arcroot: str | None) -> str | None:
    """The folder around all members. Errors: `UsageProblem`."""
    if arcroot is None:
        return None
    parts = [part for part in arcroot.split("/") if part not in ("", ".")]
    if arcroot.startswith("/") or ".." in parts:
        raise UsageProblem(
            f"not a folder inside the archive: {arcroot!r}",
            where="--arcroot",
            remedy="Write it as a relative path, such as env",
        )
    return "/".join(parts)
