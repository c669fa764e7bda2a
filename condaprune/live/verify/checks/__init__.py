"""The checks of the differential proof, one file each; a new one is a file and a line here."""

from __future__ import annotations

from condaprune.live.verify.checks.activation import ActivationCheck
from condaprune.live.verify.checks.base import Check
from condaprune.live.verify.checks.commands import CommandsCheck
from condaprune.live.verify.checks.elf import ElfCheck
from condaprune.live.verify.checks.imports import ImportsCheck
from condaprune.live.verify.checks.links import LinksCheck
from condaprune.live.verify.checks.metadata import MetadataCheck
from condaprune.live.verify.checks.unpack import UnpackCheck

# The cheap ones first: they explain most of what the dear ones find.
CHECKS: tuple[Check, ...] = (
    LinksCheck(),
    ElfCheck(),
    MetadataCheck(),
    ActivationCheck(),
    UnpackCheck(),
    CommandsCheck(),
    ImportsCheck(),
)
NAMES: tuple[str, ...] = tuple(check.name for check in CHECKS)
