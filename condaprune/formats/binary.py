"""The facts of a program or library: of ELF by its own reader, of Mach-O what it loads.

Knows both word sizes and byte orders, and files for several processors. Format:
``mach-o/loader.h`` and ``mach-o/fat.h`` of Darwin.
"""

from __future__ import annotations

import struct

from condaprune.formats.elf import DAMAGE, MAGIC, BinaryFacts, Reader, read_elf

_WIDE, _NARROW = 0xFEEDFACF, 0xFEEDFACE
_FAT, _FAT_WIDE = 0xCAFEBABE, 0xCAFEBABF
_MOST_ARCHITECTURES = 16
"""More, and it is a class file of Java, which starts alike: there its version follows."""
_MAX_COMMANDS = 1 << 20

_LOADS = frozenset({0xC, 0x80000018, 0x8000001F, 0x20, 0x80000023})
"""LC_LOAD_DYLIB, and the weak, re-exported, lazy and upward one."""
_ID = 0xD
_ARM64 = 0x0100000C

_MACHO = frozenset(
    map(bytes.fromhex, "feedfacf cffaedfe feedface cefaedfe cafebabe cafebabf".split())
)
MAGICS = _MACHO | {MAGIC}
"""The first four bytes of files that `read_binary` may know."""


def read_binary(read: Reader) -> BinaryFacts | None:
    """The facts of an ELF or Mach-O file; None for other files and for damaged ones.

    Of Mach-O, `needed` are file names without the folders before them (``@rpath/libx.1.dylib`` is
    ``libx.1.dylib``): where the loader searches is up to the program as well.
    """
    if read(0, 4) == MAGIC:
        return read_elf(read)
    try:
        return _read_macho(read)
    except DAMAGE:
        return None


def must_be_signed(data: bytes) -> bool:
    """Whether *data* is a program or library that may hold a part for Apple's own processors:
    macOS runs those only with a signature that fits their bytes."""
    if data[:4] == struct.pack("<I", _WIDE):
        return data[4:8] == struct.pack("<I", _ARM64)
    fat = data[:4] in _MACHO and data[:1] == b"\xca"
    return fat and 0 < int.from_bytes(data[7:8], "big") <= _MOST_ARCHITECTURES


def _read_macho(read: Reader) -> BinaryFacts | None:
    head = read(0, 8)
    if head[:4] not in _MACHO:
        return None
    magic, count = struct.unpack(">II", head)
    if magic not in (_FAT, _FAT_WIDE):
        return _one(read, 0)
    if not 0 < count <= _MOST_ARCHITECTURES:
        return None
    layout = struct.Struct(">IIQQII" if magic == _FAT_WIDE else ">IIIII")
    table = read(8, layout.size * count)
    parts = [_one(read, layout.unpack_from(table, layout.size * n)[2]) for n in range(count)]
    readable = [facts for facts in parts if facts is not None]
    if not readable:
        return None
    needed = tuple(dict.fromkeys(name for facts in readable for name in facts.needed))
    return BinaryFacts(needed=needed, soname=readable[0].soname)


def _one(read: Reader, start: int) -> BinaryFacts | None:
    """The facts of the part for one processor."""
    head = read(start, 32)
    order = "<" if head[:1] in (b"\xcf", b"\xce") else ">"
    magic, _, _, _, count, size = struct.unpack_from(order + "6I", head)
    if magic not in (_WIDE, _NARROW) or size > _MAX_COMMANDS:
        return None
    commands = read(start + (32 if magic == _WIDE else 28), size)
    needed: list[str] = []
    name = ""
    at = 0
    for _ in range(count):
        command, length = struct.unpack_from(order + "II", commands, at)
        if length < 8:
            return None
        if command in _LOADS or command == _ID:
            (offset,) = struct.unpack_from(order + "I", commands, at + 8)
            text = commands[at + offset : at + length].partition(b"\0")[0]
            base = text.rpartition(b"/")[2].decode("utf-8", "surrogateescape")
            if command == _ID:
                name = base
            else:
                needed.append(base)
        at += length
    return BinaryFacts(needed=tuple(needed), soname=name, bits=64 if magic == _WIDE else 32)
