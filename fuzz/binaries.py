"""Programs and libraries: what they load, the symbols that are cut off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from condaprune.formats.binary import must_be_signed, read_binary
from condaprune.formats.elf import CompilerSearch, holds_compiler, read_elf, read_versions
from condaprune.formats.elfstrip import symbol_patch, symbol_size
from condaprune.sources.cache import elf_parts
from fuzz.target import Target
from tests.formats.test_elfstrip import make
from tests.guards.elves import make_elf, make_fat, make_macho


def _reader(data: bytes) -> Callable[[int, int], bytes]:
    """Reads as `os.pread` does, which takes no negative numbers and none of more than 63 bits."""

    def read(offset: int, size: int) -> bytes:
        if not (0 <= offset < 1 << 63 and 0 <= size < 1 << 63):
            raise ValueError("pread takes no such number")
        return data[offset : offset + size]

    return read


def read_facts(data: bytes, _place: str) -> object:
    """Everything that is asked of a program or library that is not changed."""
    read = _reader(data)
    facts = read_binary(read)
    must_be_signed(data)
    read_versions(read)
    holds_compiler(read, len(data))
    list(CompilerSearch().over(data[at : at + 999] for at in range(0, len(data), 999)))
    for piece in (64, 1 << 16):
        pieces = (data[at : at + piece] for at in range(0, len(data), piece))
        elf_parts(pieces, 4096)
    return facts and replace(facts, needed=facts.needed[:1])


def read_symbols(data: bytes, _place: str) -> object:
    """Cut symbols off: what is loaded and all facts stay, and cutting again finds nothing."""
    read = _reader(data)
    symbol_size(read)
    patch = symbol_patch(read, len(data))
    if patch is None:
        return None
    new = b"".join(patch.apply([data]))
    assert len(new) == patch.size(len(data)) < len(data)
    assert patch.made(new, len(data))
    assert patch.end is not None
    assert new[len(patch.head) : patch.end] == data[len(patch.head) : patch.end]
    assert read_elf(_reader(new)) == read_elf(read)
    assert symbol_size(_reader(new)) == 0
    assert symbol_patch(_reader(new), len(new)) is None
    return "cut"


def facts() -> Sequence[bytes]:
    """Files of each word size and byte order."""
    names = ("libc.so.6", "libz.so.1")
    return (
        *(make_elf(names, runpath="$ORIGIN/../lib", soname="x", bits=bits, big=big, interpreter="l")
          for bits in (32, 64) for big in (False, True)),
        *(make_macho(("@rpath/a.dylib",), name="x", bits=bits, big=big)
          for bits in (32, 64) for big in (False, True)),
        make_fat(make_macho(("a.dylib",)), make_macho(("b.dylib",), bits=32))[:9000],
        make(),
    )  # fmt: skip


def symbols() -> Sequence[bytes]:
    """Files with symbols, of each word size and byte order."""
    return [make(wide=wide, order=order) for wide in (True, False) for order in "<>"]


_WORDS = (
    b"\x7fELF",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"\0" * 64,
    b".symtab\0",
    b".debug_x\0",
)

FACTS = Target("binary", read_facts, facts, _WORDS)
SYMBOLS = Target("strip", read_symbols, symbols, _WORDS)
