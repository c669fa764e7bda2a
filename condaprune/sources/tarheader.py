"""Parses the 512-byte headers of tar members and the records of pax headers."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from zlib import adler32

BLOCK = 512
ZEROS = bytes(BLOCK)

_HEADER = struct.Struct("100s8s8s8s12s12s8s1s100s8s32s32s8s8s155s12x")


class BadHeader(ValueError):
    """A block that is not a tar header, or has a field that is not a number."""


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a header that matter, as bytes and numbers."""

    name: bytes
    mode: int
    size: int
    mtime: int
    type: bytes
    link: bytes


def parse_header(block: bytes) -> Header:
    """The header in one block. Errors: `BadHeader`."""
    (name, mode, _, _, size, mtime, check, kind, link, magic, _, _, _, _, prefix) = _HEADER.unpack(
        block
    )
    expected = number(check)
    if expected != byte_sum(block) - sum(check) + 256 and expected != _signed_sum(block):
        raise BadHeader("a wrong checksum")
    name = name.partition(b"\0")[0]
    if magic == b"ustar\x0000":
        prefix = prefix.partition(b"\0")[0]
        if prefix:
            name = prefix + b"/" + name
    return Header(name, number(mode), number(size), number(mtime), kind, link.partition(b"\0")[0])


def byte_sum(block: bytes) -> int:
    """The sum of a block's bytes: Adler-32 counts it in its lower half (plus 1, modulo 65521), in
    a tenth of the time that ``sum`` takes. 256 bytes stay below the modulus."""
    return (adler32(block[:256]) & 0xFFFF) + (adler32(block[256:]) & 0xFFFF) - 2


def _signed_sum(block: bytes) -> int:
    """The checksum as some old writers computed it, over signed bytes."""
    values: tuple[int, ...] = struct.unpack("148b8x356b", block)
    return 256 + sum(values)


def number(field: bytes) -> int:
    """A number as tar holds it: octal, or base 256 when the first bit is set.

    Errors: `BadHeader`.
    """
    if field[0] & 0x80:
        value = int.from_bytes(field, "big") & ((1 << (8 * len(field) - 1)) - 1)
        if field[0] & 0x40:
            value -= 1 << (8 * len(field) - 1)
        return value
    text = field.strip(b" \0")
    if not text:
        return 0
    try:
        if text.isdigit():
            return int(text, 8)
    except ValueError:
        pass
    raise BadHeader("a field that is not a number")


def parse_pax(data: bytes) -> dict[bytes, bytes]:
    """The records of a pax header. Errors: `BadHeader`."""
    found: dict[bytes, bytes] = {}
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + 12)
        digits = data[at:space]
        if space < 0 or not digits.isdigit():
            if not data[at:].strip(b"\0"):
                break
            raise BadHeader("a pax record without a length")
        end = at + int(digits)
        equals = data.find(b"=", space + 1, end)
        if equals < 0 or end > len(data) or data[end - 1 : end] != b"\n":
            raise BadHeader("a pax record whose length is wrong")
        found[data[space + 1 : equals]] = data[equals + 1 : end - 1]
        at = end
    return found
