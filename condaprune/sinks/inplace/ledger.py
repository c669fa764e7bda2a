"""Which journals are ours: the digest of each, kept outside of the environment while it is pending.

An environment may come by an archive, an image or a colleague, with any journal in it. The private
files of this user hold one line for each prefix with a run that has not ended: the digest of its
journal. A journal that is not noted there, byte for byte and for that path, was not written by a
run of this user, or its run has ended. There is no key that could leak with an image, and nothing
stays behind once a run has ended.
"""

from __future__ import annotations

import hashlib
import os

from condaprune.paths import to_bytes
from condaprune.private import private_folder, read_private, remove_private, write_private
from condaprune.targets import folders_above


def note(prefix: str, journal: bytes) -> bool:
    """Note the journal of the prefix as ours. False where this user has no private place."""
    return _is_outside(prefix) and write_private(_name(prefix), _line(journal))


def is_noted(prefix: str, journal: bytes) -> bool:
    """Whether a journal of the prefix is the one that was noted last."""
    return _is_outside(prefix) and read_private(_name(prefix)) == _line(journal)


def strike(prefix: str) -> None:
    """Forget the journal of a prefix, whose run has ended."""
    remove_private(_name(prefix))


def _is_outside(prefix: str) -> bool:
    """Whether the private place is not in the prefix itself, whose author could fill it."""
    info = os.stat(to_bytes(prefix))
    return (info.st_dev, info.st_ino) not in folders_above(os.path.join(private_folder(), "any"))


def _name(prefix: str) -> str:
    # The path is what a run's prefix keeps in an image and after a restart; its inode is not.
    return "run-" + hashlib.sha256(to_bytes(os.path.realpath(prefix))).hexdigest()[:32]


def _line(journal: bytes) -> bytes:
    return hashlib.sha256(journal).hexdigest().encode("ascii") + b"\n"
