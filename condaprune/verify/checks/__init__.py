"""The checks of the differential proof, one file each; a new one is a file and a line here."""

from __future__ import annotations

from condaprune.verify.checks.activation import ActivationCheck
from condaprune.verify.checks.base import Check
from condaprune.verify.checks.commands import CommandsCheck
from condaprune.verify.checks.elf import ElfCheck
from condaprune.verify.checks.imports import ImportsCheck
from condaprune.verify.checks.links import LinksCheck
from condaprune.verify.checks.metadata import MetadataCheck
from condaprune.verify.checks.unpack import UnpackCheck

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
