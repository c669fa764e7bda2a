"""The files that conda-pack's ``bin/conda-unpack`` will rewrite: read the list, shorten it.

The script holds one literal, ``_prefix_records = [(path, placeholder, mode), ...]``, and dies on
the first listed file that is missing. Whoever removes files must shorten the list with them.
"""

from __future__ import annotations

import ast
import contextlib
import warnings
from collections.abc import Container
from itertools import accumulate

from condaprune.errors import ArchiveError
from condaprune.model import FileMode
from condaprune.paths import from_bytes

UNPACK = "bin/conda-unpack"
"""The script that conda-pack adds to an archive."""

PROGRESS = "bin/conda_unpack_progress.py"
"""The module that `UNPACK` imports."""

SCRIPTS = (UNPACK, PROGRESS, "bin/activate", "bin/deactivate", "bin/activate.fish")
"""What conda-pack adds to an archive for POSIX."""

UnpackRecord = tuple[str, str, FileMode]
"""Path relative to the prefix, placeholder, and how it is replaced."""

_NAME = "_prefix_records"
_LARGEST = 16 << 20
"""The largest script that is read (bytes): a hundred thousand records."""


def unpack_records(data: bytes) -> list[UnpackRecord]:
    """The records of a ``conda-unpack`` script, in its order.

    Errors: `ArchiveError` where the script is not Python or lacks a well-formed list.
    """
    return [_record(element) for element in _list(data).elts]


def rewrite_unpack(data: bytes, keep: Container[str]) -> bytes:
    """The script with the records of the paths in *keep* only; every other byte is kept.

    Errors: `ArchiveError`, as in `unpack_records`.
    """
    node = _list(data)
    kept = [element for element in node.elts if _record(element)[0] in keep]
    if len(kept) == len(node.elts):
        return data
    starts = [0, *accumulate(map(len, data.splitlines(keepends=True)))]

    def span(part: ast.expr) -> tuple[int, int]:
        assert part.end_lineno is not None
        assert part.end_col_offset is not None
        return (
            starts[part.lineno - 1] + part.col_offset,
            starts[part.end_lineno - 1] + part.end_col_offset,
        )

    begin, end = span(node)
    rows = b",\n".join(data[slice(*span(element))] for element in kept)
    new = b"".join((data[:begin], b"[\n", rows, b"\n]", data[end:]))
    # Python counts columns in UTF-8, whatever the file is in.
    if not data.isascii() and unpack_records(new) != [_record(element) for element in kept]:
        raise _broken("is in an encoding that cannot be rewritten")
    return new


def _list(data: bytes) -> ast.List:
    """The node of the one list, found without running anything."""
    if len(data) > _LARGEST:
        raise _broken(f"is larger than {_LARGEST:,} bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError, SystemError) as error:
        raise _broken("is not a Python script") from error
    for statement in tree.body:
        if (
            isinstance(statement, ast.Assign)
            and isinstance(statement.value, ast.List)
            and any(isinstance(t, ast.Name) and t.id == _NAME for t in statement.targets)
        ):
            return statement.value
    raise _broken(f"has no list {_NAME}")


def _record(node: ast.expr) -> UnpackRecord:
    try:
        value: object = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise _broken(f"has a record in line {node.lineno} that is not a literal") from error
    if isinstance(value, tuple) and len(value) == 3:
        path, placeholder, mode = value
        if isinstance(path, str) and isinstance(placeholder, str) and mode in ("text", "binary"):
            # conda-pack runs where file names decode as the file system does: same bytes as ours
            with contextlib.suppress(UnicodeEncodeError):
                return from_bytes(path.encode("utf-8", "surrogateescape")), placeholder, mode
    raise _broken(f"has a record in line {node.lineno} that is not a (path, placeholder, mode)")


def _broken(what: str) -> ArchiveError:
    return ArchiveError(
        f"the script {what}",
        where=UNPACK,
        remedy="Pack the environment again with conda-pack",
    )
