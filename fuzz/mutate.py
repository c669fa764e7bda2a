"""Makes inputs of others: bytes, lines, numbers, nesting; and JSON values by their structure."""

from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random

_BYTES = (0, 1, 9, 10, 13, 27, 32, 34, 39, 47, 92, 127, 128, 255)
_NUMBERS = (0, 1, 2, 7, 8, 127, 128, 255, 256, 4095, 4096, 32767, 65535, 65536)
_LARGE = (1 << 24, 1 << 31, (1 << 31) - 1, (1 << 32) - 1, 1 << 40, (1 << 63) - 1, (1 << 64) - 1)
_TEXTS = (
    *(b"-1", b"0", b"1e300", b"1e999", b"nan", b"NaN", b"Infinity", b"-Infinity", b"true", b"null"),
    *(b"9" * 20, b"9" * 400, b"9" * 5000, b"0x10", b"\xc2\xb2", b"", b" ", b"\0"),
    *(b"..", b"../", b"/", b"//", b"./", b"/etc/passwd", b"a/" * 1000, b"x" * 5000),
    *(b"\xff\xfe", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xe2\x80\xae", b"\x1b[31m", b"\r\n"),
)
_OPENING = (
    b"[",
    b"{",
    b"(",
    b'{"a":',
    b"[{",
    b"a=[",
    b"a={b=",
    b"'''",
    b'"',
    b"if x:\n ",
    b"-",
    b"~",
)
_VALUES: tuple[object, ...] = (
    *(None, True, False, 0, -1, 1, 1 << 63, 1 << 70, -(10**30), 10**400, 1e300, -0.5, 0.1),
    *("", " ", "a", "..", "../x", "/", "/x", "x" * 5000, "\0", "\ud800", "\n", "1", "\x1b[0m"),
    *([], {}, [[]], {"": ""}, [None], ["", ""], {"a": None}),
)


class Mutator:
    """Changes bytes at random; the same *random* makes the same changes."""

    def __init__(self, random: Random, words: Sequence[bytes], most: int) -> None:
        self.random = random
        self.others: list[bytes] = []
        """Inputs that parts are taken from."""
        self._words = tuple(words) + _TEXTS
        self._most = most
        self._changes: tuple[Callable[[bytes], bytes], ...] = (
            *(self._flip, self._flip, self._byte, self._number, self._number),
            *(self._cut, self._cut, self._double, self._many, self._splice, self._splice),
            *(self._word, self._word, self._word, self._digits, self._digits, self._lines),
            *(self._nest, self._end, self._swap),
        )

    def change(self, data: bytes) -> bytes:
        """*data* with one to eight changes."""
        for _ in range(min(8, int(self.random.expovariate(0.6)) + 1)):
            data = self.random.choice(self._changes)(data)[: self._most]
        return data

    def change_json(self, data: bytes) -> bytes:
        """The JSON text *data* with some values exchanged, or changed as any other bytes."""
        if self.random.random() < 0.35:
            return self.change(data)
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return self.change(data)
        for _ in range(self.random.choice((1, 1, 2, 4))):
            value = self._other_value(value, 0)
        try:
            return json.dumps(value).encode()[: self._most]
        except (ValueError, RecursionError):
            return self.change(data)

    def _other_value(self, value: object, depth: int) -> object:
        children = (
            list(value)
            if isinstance(value, dict)
            else list(range(len(value)))
            if isinstance(value, list)
            else []
        )
        if children and depth < 12 and self.random.random() < 0.85:
            key = self.random.choice(children)
            assert isinstance(value, (dict, list))
            roll = self.random.random()
            if roll < 0.08:
                del value[key]
            elif roll < 0.13 and isinstance(value, list):
                value *= self.random.choice((2, 50, 500))
            elif roll < 0.18 and isinstance(value, dict):
                value[str(self.odd_value())[:99]] = value[key]
            else:
                other = self._other_value(value[key], depth + 1)
                with contextlib.suppress(IndexError):  # repeated values are one and the same
                    value[key] = other
            return value
        return self.odd_value()

    def odd_value(self) -> object:
        """A value that is seldom where a reader expects one."""
        value = deepcopy(self.random.choice(_VALUES))
        for _ in range(self.random.choice((0,) * 12 + (1, 2, 300))):
            value = [value]
        return value

    def _place(self, data: bytes) -> int:
        return self.random.randrange(len(data) + 1)

    def _span(self, data: bytes) -> tuple[int, int]:
        start = self._place(data)
        longest = self.random.choice((1, 4, 16, 64, 512, len(data)))
        return start, min(len(data), start + 1 + self.random.randrange(max(1, longest)))

    def _flip(self, data: bytes) -> bytes:
        at = self._place(data)
        return (
            data[:at] + bytes([data[at] ^ 1 << self.random.randrange(8)]) + data[at + 1 :]
            if at < len(data)
            else data
        )

    def _byte(self, data: bytes) -> bytes:
        at = self._place(data)
        return (
            data[:at] + bytes([self.random.choice(_BYTES)]) + data[at + self.random.randrange(2) :]
        )

    def _number(self, data: bytes) -> bytes:
        """A binary field of 2, 4 or 8 bytes with another number."""
        form = self.random.choice(("<H", "<I", "<Q", ">H", ">I", ">Q"))
        size = struct.calcsize(form)
        number = self.random.choice((*_NUMBERS, *_LARGE, len(data), len(data) - 1))
        at = self._place(data)
        if self.random.random() < 0.7:
            at -= at % size
        if self.random.random() < 0.3 and at + size <= len(data):
            number = struct.unpack_from(form, data, at)[0] + self.random.randrange(-3, 4)
        return data[:at] + struct.pack(form, number % (1 << 8 * size)) + data[at + size :]

    def _cut(self, data: bytes) -> bytes:
        start, stop = self._span(data)
        return data[:start] + data[stop:]

    def _end(self, data: bytes) -> bytes:
        return data[: self._place(data)]

    def _double(self, data: bytes) -> bytes:
        start, stop = self._span(data)
        at = self._place(data)
        return data[:at] + data[start:stop] + data[at:]

    def _many(self, data: bytes) -> bytes:
        """A part many times: what is quadratic shows."""
        start, stop = self._span(data)
        part = data[start:stop] or b"x"
        count = self.random.choice((3, 30, 1000, self._most)) // self.random.choice((1, len(part)))
        return data[:start] + part * min(count, self._most // len(part)) + data[stop:]

    def _splice(self, data: bytes) -> bytes:
        other = self.random.choice(self.others) if self.others else data
        start, stop = self._span(other)
        first, last = self._span(data)
        return (
            data[:first] + other[start:stop] + data[last if self.random.random() < 0.5 else first :]
        )

    def _word(self, data: bytes) -> bytes:
        start, stop = self._span(data) if self.random.random() < 0.3 else (self._place(data),) * 2
        return data[:start] + self.random.choice(self._words) + data[stop:]

    def _digits(self, data: bytes) -> bytes:
        """A number in the text with another one."""
        at = self._place(data)
        while at < len(data) and not 48 <= data[at] <= 57:
            at += 1
        end = at
        while end < len(data) and 48 <= data[end] <= 57:
            end += 1
        number = self.random.choice((*_NUMBERS, *_LARGE, -1, 10**30, 10**500))
        text = b"%d" % number if number < 10**400 else b"9" * 500
        return data[:at] + text + data[end:] if end > at else data

    def _lines(self, data: bytes) -> bytes:
        """A line repeated, dropped, or put elsewhere."""
        lines = data.split(b"\n")
        line = lines.pop(self.random.randrange(len(lines)))
        for _ in range(self.random.choice((0, 1, 2, 100))):
            lines.insert(self.random.randrange(len(lines) + 1), line)
        return b"\n".join(lines)

    def _nest(self, data: bytes) -> bytes:
        at = self._place(data)
        opening = self.random.choice((*_OPENING, self.random.choice(self._words) or b"["))
        count = self.random.choice((10, 200, 1500, 20_000, self._most))
        return data[:at] + opening * min(count, self._most // len(opening)) + data[at:]

    def _swap(self, data: bytes) -> bytes:
        first, second = sorted((self._place(data), self._place(data)))
        size = self.random.choice((1, 4, 16, 512))
        head, tail = data[first : first + size], data[second : second + size]
        return data[:first] + tail + data[first + size : second] + head + data[second + size :]
