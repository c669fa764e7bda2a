"""Reads the facts of a program or library, in either format."""

from __future__ import annotations

from condaprune.formats import elf, macho
from condaprune.formats.elf import BinaryFacts, Reader

MAGICS = frozenset({elf.MAGIC, *macho.MAGICS})
"""The first four bytes of files that `read_binary` may know."""


def read_binary(read: Reader) -> BinaryFacts | None:
    """The facts of an ELF or Mach-O file; None for other files and for damaged ones."""
    return elf.read_elf(read) if read(0, 4) == elf.MAGIC else macho.read_macho(read)
