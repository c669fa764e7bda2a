"""Opens what can be audited: an environment, an archive, a path list, a manifest, a saved audit."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from condaprune.errors import SourceError
from condaprune.report.audit.model import Audit
from condaprune.sources.base import Source

_START = 512


@dataclass(frozen=True, slots=True)
class Environment:
    """A subject with entries: `kind` is ``prefix``, ``archive`` or ``path list``.

    `prefix` is the folder it lies in, empty where there is none.
    """

    kind: str
    source: Source
    prefix: str = ""


Subject = Environment | Audit


def open_subject(name: str) -> Subject:
    """What the user named: an `Environment`, or the `Audit` that a document holds.

    Errors: `SourceError`, `ArchiveError` where there is nothing of a known kind.
    """
    if os.path.isfile(name):
        start = _start_of(name)
        if start.lstrip()[:1] == b"{":
            return _document(name)
        from condaprune.sources.pathlist import PathListSource, is_pathlist

        if is_pathlist(start):
            return Environment("path list", PathListSource(name))
    from condaprune.sources.find import find_source

    source = find_source(name)
    prefix = getattr(source, "prefix", "")
    return Environment("prefix" if prefix else "archive", source, str(prefix))


def _start_of(name: str) -> bytes:
    """The first bytes of a file, unpacked where it is gzip."""
    try:
        with open(name, "rb") as handle:
            start = handle.read(_START)
        if start[:2] != b"\x1f\x8b":
            return start
        with gzip.open(name, "rb") as unpacked:
            return unpacked.read(_START)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return b""  # whoever reads it whole says what is wrong with it
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", where=name) from error


def _document(name: str) -> Audit:
    from condaprune.report.audit.manifest import audit_of_manifest, is_manifest
    from condaprune.report.audit.saved import FORMAT, from_data

    data = read_json(name)
    if data.get("format") == FORMAT:
        return from_data(name, data)
    if is_manifest(data):
        return audit_of_manifest(name, data)
    raise SourceError(
        "this JSON is neither a saved audit nor a manifest of condaprune",
        where=name,
        remedy="Write one with `condaprune audit ENV --save FILE` or "
        "`condaprune prune ENV --manifest FILE`",
    )


def read_json(name: str) -> Mapping[str, Any]:
    """The JSON object in a file, plain or gzip. Errors: `SourceError`."""
    try:
        with open(name, "rb") as handle:
            raw = handle.read()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
        data = json.loads(raw)
    except OSError as error:
        raise SourceError(
            f"cannot be read: {error.strerror or error}", where=name, remedy="Name another file"
        ) from error
    except (ValueError, EOFError, zlib.error, RecursionError) as error:
        raise SourceError(
            f"is no JSON ({error})", where=name, remedy="Write the file again"
        ) from error
    if not isinstance(data, dict):
        raise SourceError("holds no JSON object", where=name, remedy="Write the file again")
    return data
