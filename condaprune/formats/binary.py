"""Reads what a program or library loads, whichever of the formats it is in."""

from __future__ import annotations

from condaprune.formats import elf as elffile
from condaprune.formats.elf import ElfFacts, read_elf
from condaprune.formats.elfsections import Reader
from condaprune.formats.macho import MAGICS as _MACHO
from condaprune.formats.macho import read_macho

MAGICS = frozenset({elffile.MAGIC, *_MACHO})
"""The first four bytes of files that `read_binary` may know."""


def read_binary(read: Reader) -> ElfFacts | None:
    """The facts of an ELF or Mach-O file; None for other files and for damaged ones."""
    return read_elf(read) if read(0, 4) == elffile.MAGIC else read_macho(read)
