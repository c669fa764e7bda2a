"""What a process of an environment answers: lines of Python literals, of which nothing is certain.

Code of the environment writes them, or writes over them. What does not have the expected form is a
`ValueError`, as everywhere where input is parsed.
"""

from __future__ import annotations

import ast
import threading
from typing import TypeGuard

# CPython 3.11 counts the depth of syntax trees per interpreter, not per thread: two threads that
# parse at once can make it raise SystemError.
_PARSING = threading.Lock()


def parse_answer(line: bytes, length: int) -> tuple[object, ...]:
    """The tuple of *length* items in a line. Errors: `ValueError`."""
    try:
        with _PARSING:
            answer: object = ast.literal_eval(line.decode("ascii"))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError, SystemError):
        raise ValueError("an answer that cannot be read") from None
    if not isinstance(answer, tuple) or len(answer) != length:
        raise ValueError("an answer of another form")
    return answer


def text(value: object) -> str:
    """A text that stands for bytes. Errors: `ValueError`."""
    if not isinstance(value, str):
        raise ValueError("an answer that is no text")
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value


def texts(value: object) -> tuple[str, ...]:
    """A list of texts. Errors: `ValueError`."""
    if not is_list(value):
        raise ValueError("an answer that is no list")
    return tuple(map(text, value))


def is_list(value: object) -> TypeGuard[list[object] | tuple[object, ...]]:
    """Whether this is a list or a tuple."""
    return isinstance(value, (list, tuple))
