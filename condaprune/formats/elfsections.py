"""The sections of an ELF file: what linkers and debuggers go by, and loaders do not.

Knows both word sizes and byte orders. Format: the System V ABI, chapter 4.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

Reader = Callable[[int, int], bytes]
"""The bytes of a file at an offset; fewer where it ends."""

NOBITS, ALLOCATED = 8, 2
_MOST_NAMES = 1 << 20


class Section(NamedTuple):
    """A row of the section table, with the name that `name_at` stands for."""

    name: bytes
    name_at: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    row_size: int

    @property
    def allocated(self) -> bool:
        """Whether it is loaded."""
        return bool(self.flags & ALLOCATED)

    @property
    def end(self) -> int:
        """Where it ends in the file."""
        return self.offset + (0 if self.kind == NOBITS else self.size)


@dataclass(frozen=True, slots=True)
class Sections:
    """The header and the section table of a file.

    `ident` is its first 16 bytes, `fields` are those of the header that follow; `header` and
    `row` tell how the header and a row of the table are packed.
    """

    ident: bytes
    fields: tuple[int, ...]
    wide: bool
    order: str
    header: struct.Struct
    row: struct.Struct
    all: tuple[Section, ...]


def read_sections(read: Reader) -> Sections | None:
    """The sections of a file; None for what is no ELF file or has no table of them.

    Errors: `struct.error`, `ValueError`, `IndexError`, `OverflowError` for damage.
    """
    head = read(0, 64)
    if head[:4] != b"\x7fELF" or head[4] not in (1, 2) or head[5] not in (1, 2):
        return None
    wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
    header = struct.Struct(order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"))
    row = struct.Struct(order + ("IIQQQQIIQQ" if wide else "IIIIIIIIII"))
    fields = header.unpack_from(head, 16)
    table, row_size, count, names_at = fields[5], *fields[10:13]
    if not table or not count or row_size != row.size:
        return None
    raw = read(table, count * row_size)
    rows = [row.unpack_from(raw, number * row_size) for number in range(count)]
    names = rows[names_at]
    text = read(names[4], min(names[5], _MOST_NAMES))
    found = tuple(Section(text[at[0] : text.index(b"\0", at[0])], *at) for at in rows)
    return Sections(head[:16], fields, wide, order, header, row, found)
