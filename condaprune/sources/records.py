"""Reads ``conda-meta/*.json``: the conda packages of an environment and what they own."""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from condaprune.errors import SourceError
from condaprune.model import FileMode, Layout, PrefixFile, Record
from condaprune.names import is_pin
from condaprune.parse import parse_json
from condaprune.paths import printable

HISTORY = "conda-meta/history"
"""Where conda, mamba and micromamba note what they were asked for."""

_ROWS = b'"paths":'
_TEXTS = ("version", "channel", "subdir", "noarch", "url", "md5", "sha256", "license")
_NEVER = 10**14
"""A timestamp that no package has: the year 5138, in milliseconds."""
_DEEPEST = 50
"""How deep the values of a record may lie in each other."""
_FILE_LISTS = ("files", "paths_data")
_NO_SPEC = ("", "None", "TODO")
"""What conda and early mambas note of a package that nobody asked for."""
_MODES: dict[str, FileMode] = {"text": "text", "binary": "binary"}


def is_record(path: str) -> bool:
    """Whether an entry is the record of a conda package."""
    return path.startswith("conda-meta/") and path.endswith(".json") and path.count("/") == 1


def parse_record(
    path: str, data: bytes, history: Collection[str] = ()
) -> tuple[Record, dict[str, Any]] | None:
    """The record in *data*, and its raw JSON for `owned_paths`; None for other JSON.

    *history* are the packages that the history asks for. Errors: `SourceError` where the file is
    not valid JSON, since an environment whose records cannot be read must not be pruned on half
    the knowledge.
    """
    try:
        raw = load_record(data)
    except ValueError as error:
        raise SourceError(
            f"this record of a conda package is not valid JSON ({error})",
            where=printable(path),
            remedy="Repair the environment, or move the file out of conda-meta",
        ) from error
    if not isinstance(raw, dict) or not _text(raw, "name"):
        return None
    link = raw.get("link")
    texts: dict[str, Any] = {key: _text(raw, key) for key in _TEXTS}
    record = Record(
        name=_text(raw, "name"),
        build=_text(raw, "build") or _text(raw, "build_string"),
        path=path,
        **texts,
        depends=tuple(_plain(d) for d in _list(raw, "depends") if isinstance(d, str)),
        link_source=(_text(link, "source") if isinstance(link, dict) else "")
        or _text(raw, "extracted_package_dir"),
        requested=_is_requested(raw, history),
        built=_built(raw.get("timestamp")),
        bare="paths_data" not in raw,
    )
    return record, raw


def _is_requested(raw: dict[str, Any], history: Collection[str]) -> bool:
    """Whether the history or the record itself asks for the package.

    Installers of lock files and early mambas note a spec in every record: one that pins the very
    build is taken at its word only where no history tells requests from dependencies.
    """
    if _text(raw, "name").lower() in history:
        return True
    specs = [*_list(raw, "requested_specs"), raw.get("requested_spec")]
    return any(
        isinstance(spec, str)
        and spec not in _NO_SPEC
        and not (
            history and is_pin(spec, _text(raw, "name"), _text(raw, "version"), _text(raw, "build"))
        )
        for spec in specs
    )


def _built(timestamp: object) -> int:
    """A record's timestamp in seconds: it holds milliseconds, but seconds in old packages."""
    if not isinstance(timestamp, int) or not 0 < timestamp < _NEVER:
        return 0
    return timestamp // 1000 if timestamp > 10**11 else timestamp


def load_record(data: bytes) -> Any:
    """The JSON of a record, its `paths_data` left empty where `files` says the same.

    The rows of `paths_data` are most of a record, and only those of a file that holds the prefix
    say more. They are cut out as text; where that leaves no JSON, the record is read whole.
    Errors: `ValueError`.
    """
    start = data.find(_ROWS)
    opened = data.find(b"[", start)
    if start >= 0 and opened >= 0 and b'"prefix_placeholder"' not in data:
        closed = data.find(b"]", opened)
        while closed >= 0 and not data[max(0, closed - 99) : closed].rstrip().endswith(b"}"):
            closed = data.find(b"]", closed + 1)
        with contextlib.suppress(ValueError):
            raw = _checked(parse_json(data[: opened + 1] + data[closed:]))
            if isinstance(raw, dict) and raw.get("files"):
                return raw
    return _checked(parse_json(data))


def _checked(raw: object) -> object:
    """The value, which can be written again: so deep that it cannot is a `ValueError`.

    Lists of files are left out, as they are where records are written.
    """
    named = raw.items() if isinstance(raw, dict) else ()
    level = [value for key, value in named if key not in _FILE_LISTS]
    for _ in range(_DEEPEST):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return raw
    raise ValueError("nested too deeply")


def _inside(value: object) -> Iterable[object]:
    """The lists and objects directly in a value."""
    if isinstance(value, dict):
        return [inner for inner in value.values() if isinstance(inner, (dict, list))]
    if isinstance(value, list):
        return [inner for inner in value if isinstance(inner, (dict, list))]
    return ()


def owned_paths(raw: dict[str, Any], layout: Layout) -> Iterable[str]:
    """The paths that a record claims, as linked into the prefix.

    `files` holds the linked paths; `paths_data`, used where there is no `files`, the unlinked
    ones of ``noarch: python`` packages.
    """
    files = [path for path in _list(raw, "files") if isinstance(path, str)]
    if files:
        # One look at all of them: hardly any path needs cleaning.
        return map(_clean, files) if _unclean("/\n/".join(files)) else files
    return (linked_path(row["_path"], layout) for row in _rows(raw))


def prefix_files(raw: dict[str, Any], layout: Layout) -> Iterator[PrefixFile]:
    """The files of a record that hold the prefix."""
    for row in _rows(raw):
        if "prefix_placeholder" not in row:
            continue
        placeholder = _text(row, "prefix_placeholder")
        if placeholder:
            yield PrefixFile(
                path=linked_path(row["_path"], layout),
                placeholder=placeholder,
                mode=_MODES.get(_text(row, "file_mode"), "text"),
                sha256=_text(row, "sha256"),
                source=_clean(row["_path"]),
            )


def linked_path(path: str, layout: Layout) -> str:
    """Where a path of a ``noarch: python`` package comes to lie; other paths as they are."""
    path = _clean(path)
    head, _, rest = path.partition("/")
    if head == "site-packages" and rest and layout.site:
        return f"{layout.site[0]}/{rest}"
    if head == "python-scripts" and rest and layout.roots.get("bin"):
        return f"{layout.roots['bin'][0]}/{rest}"
    return path


def _clean(path: str) -> str:
    path = path.replace("\\", "/")
    return posixpath.normpath(path) if _unclean(path) else path


def _unclean(text: str) -> bool:
    """Whether a path, or one of several, has empty or relative parts; substrings beat a regex."""
    text = f"/{text}/"
    return "//" in text or "/./" in text or "/../" in text


def _rows(raw: dict[str, Any]) -> Iterator[dict[str, Any]]:
    data = raw.get("paths_data")
    for row in _list(data, "paths") if isinstance(data, dict) else []:
        if isinstance(row, dict) and isinstance(row.get("_path"), str):
            yield row


def _text(raw: dict[str, Any], key: str) -> str:
    value = raw.get(key)
    return _plain(value) if isinstance(value, str) else ""


def _plain(text: str) -> str:
    """A text of JSON, which may hold half a character (a lone surrogate), as one of characters."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _list(raw: dict[str, Any], key: str) -> list[Any]:
    value = raw.get(key)
    return value if isinstance(value, list) else []
