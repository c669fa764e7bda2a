"""ELF and Mach-O files of a few hundred bytes, as far as the loader's facts go."""

from __future__ import annotations

import struct


def make_elf(
    needed: tuple[str, ...] = (),
    *,
    runpath: str = "",
    rpath: str = "",
    soname: str = "",
    bits: int = 64,
    big: bool = False,
    machine: int = 62,
    interpreter: str = "",
) -> bytes:
    """An ELF file with a dynamic section that says so, and nothing to run."""
    order = ">" if big else "<"
    wide = bits == 64
    strings = b"\0"
    pairs: list[tuple[int, int]] = []
    for tag, text in [
        *((1, name) for name in needed),
        (14, soname),
        (15, rpath),
        (29, runpath),
    ]:
        if text:
            pairs.append((tag, len(strings)))
            strings += text.encode() + b"\0"
    head_size, part_size, pair = (64, 56, "qQ") if wide else (52, 32, "iI")
    text_at = head_size + 3 * part_size
    interp = interpreter.encode() + b"\0" if interpreter else b""
    dynamic_at = text_at + len(strings) + len(interp)
    pairs += [(5, 0x10000 + text_at), (10, len(strings)), (0, 0)]
    dynamic = b"".join(struct.pack(order + pair, *item) for item in pairs)
    total = dynamic_at + len(dynamic)

    def part(kind: int, offset: int, size: int) -> bytes:
        if wide:
            return struct.pack(
                order + "IIQQQQQQ", kind, 4, offset, 0x10000 + offset, 0, size, size, 1
            )
        return struct.pack(order + "8I", kind, offset, 0x10000 + offset, 0, size, size, 4, 1)

    parts = [part(1, 0, total), part(2, dynamic_at, len(dynamic))]
    if interp:
        parts.append(part(3, text_at + len(strings), len(interp)))
    ident = b"\x7fELF" + bytes([2 if wide else 1, 2 if big else 1, 1]) + b"\0" * 9
    address = "Q" if wide else "I"
    head = ident + struct.pack(
        order + "HHI" + address * 3 + "IHHHHHH",
        3,
        machine,
        1,
        0,
        head_size,
        0,
        0,
        head_size,
        part_size,
        len(parts),
        0,
        0,
        0,
    )
    table = b"".join(parts).ljust(3 * part_size, b"\0")
    return head + table + strings + interp + dynamic


def make_macho(
    needed: tuple[str, ...] = (),
    *,
    name: str = "",
    bits: int = 64,
    big: bool = False,
    load: int = 0xC,
    kind: int = 6,
) -> bytes:
    """A Mach-O library that loads *needed* by commands of the kind *load*, and nothing to run."""
    order = ">" if big else "<"
    wide = bits == 64
    commands = []
    for command, text in [*(((0xD, name),) if name else ()), *((load, n) for n in needed)]:
        data = text.encode() + b"\0"
        data += b"\0" * (-len(data) % 8)
        commands.append(struct.pack(order + "6I", command, 24 + len(data), 24, 0, 0, 0) + data)
    body = b"".join(commands)
    magic, processor = (0xFEEDFACF, 0x0100000C) if wide else (0xFEEDFACE, 7)
    head = struct.pack(order + "7I", magic, processor, 0, kind, len(commands), len(body), 0)
    return head + (b"\0" * 4 if wide else b"") + body


def make_fat(*parts: bytes) -> bytes:
    """A Mach-O file for several processors."""
    at = 4096
    table = b""
    body = b""
    for number, part in enumerate(parts):
        table += struct.pack(">5I", 7 + number, 0, at + len(body), len(part), 12)
        body += part.ljust(4096, b"\0")
    return (struct.pack(">II", 0xCAFEBABE, len(parts)) + table).ljust(at, b"\0") + body
