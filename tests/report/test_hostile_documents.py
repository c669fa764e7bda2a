"""Saved audits and manifests from anybody: a `SourceError` at once, whatever they hold."""

from __future__ import annotations

import contextlib
import copy
import gzip
import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from condaprune.app.audit import audit
from condaprune.errors import CondapruneError, SourceError
from condaprune.live.verify.removals import read_manifest
from condaprune.planning.account import make_account
from condaprune.planning.planner import make_plan
from condaprune.report.audit import subject
from condaprune.report.audit.saved import to_data
from condaprune.report.audit.subject import read_document
from condaprune.report.forms import AUDIT, PRUNE, render
from condaprune.report.layout import Show
from condaprune.report.prune import Prune
from condaprune.request.request import Request
from condaprune.sources.find import find_source
from tests.trees import make_prefix

ODD: tuple[object, ...] = (
    None, True, 0, -1, 10**4000, 1e308, "", "\ud800", "\x1b[31m", [], [[]], [None], {}, {"a": 1},
)  # fmt: skip
RAW = {
    "deep lists": b'{"format": ' + b"[" * 100_000,
    "deep objects": b'{"format": ' + b'{"a":' * 100_000,
    "deep lists that end": b'{"format": "condaprune-audit", "schema": 1, "environment": '
    b'{"label": ' + b"[" * 900 + b"]" * 900 + b"}}",
    "infinity": b'{"schema": Infinity}',
    "1e999": b'{"format": "condaprune-audit", "schema": 1e999}',
    "a number too long": b'{"schema": ' + b"9" * 10_000 + b"}",
    "not UTF-8": b'{"\xff": 1}',
    "cut short": b'{"format": "condaprune-audit", "sch',
    "gzip that is cut": gzip.compress(b'{"format": 1}')[:-9],
    "gzip that is damaged": gzip.compress(b'{"format": 1}')[:12] + b"\xff" * 40,
    "a list": b"[1]",
    "nothing of ours": b"{}",
}


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], ...]:
    """A saved audit with all that it can hold, a baseline, and a manifest."""
    files = {"include/a.h": b"x" * 5000, "include/b.h": b"x" * 5000, "lib/a.py": b"1"}
    env = make_prefix(
        tmp_path_factory.mktemp("made") / "env", files, packages={"demo": ["lib/a.py"]}
    )
    made = audit(str(env), None, Request())
    plan = make_plan(find_source(str(env)), Request())
    manifest = render("json", PRUNE, Prune(plan, make_account(plan), None), Show())
    return to_data(made, files=True), to_data(made, baseline=True), json.loads(manifest)


@pytest.mark.parametrize("data", RAW.values(), ids=RAW)
def test_what_cannot_be_parsed_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(data)
    for read in (read_document, read_manifest):
        if read is read_manifest and data[:1] != b"{":
            continue
        with pytest.raises(SourceError) as raised:
            read(str(path))
        assert len(str(raised.value)) < 1000
        assert str(raised.value).isprintable()


def test_gzip_that_grows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "_AT_MOST", 1 << 20)
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b'{"a": "' + b" " * (2 << 20) + b'"}'))
    with pytest.raises(SourceError, match="larger than 1,048,576 bytes"):
        read_document(str(path))


@pytest.mark.parametrize("form", ["FIFO", "folder", "device"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, form: str) -> None:
    path = tmp_path / "a.json"
    if form == "FIFO":
        os.mkfifo(path)
    elif form == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    for read in (read_document, read_manifest):
        with pytest.raises(SourceError):
            read(str(path))


def places(value: object, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The ways to all values in a document; of a list, to its first."""
    yield way
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value[:1] if isinstance(value, list) else ())
    )
    for name, item in inner:
        yield from places(item, (*way, name))


def with_value(document: object, way: tuple[str | int, ...], value: object) -> object:
    if not way:
        return value
    changed = copy.deepcopy(document)
    place = changed
    for name in way[:-1]:
        place = place[name]  # type: ignore[index]
    place[way[-1]] = value  # type: ignore[index]
    return changed


def test_any_value_in_any_place_is_refused_or_shown(
    tmp_path: Path, documents: tuple[dict[str, object], ...]
) -> None:
    chance = random.Random(17)
    path = tmp_path / "a.json"
    tried = 0
    began = time.process_time()
    for document in documents:
        for way in places(document):
            for value in chance.sample(ODD, 6):
                path.write_text(json.dumps(with_value(document, way, value)))
                tried += 1
                with contextlib.suppress(CondapruneError):
                    read_manifest(str(path))
                with contextlib.suppress(CondapruneError):
                    made = read_document(str(path))
                    for form in ("text", "json", "csv", "md", "html"):
                        render(form, AUDIT, made, Show())
    assert tried > 500
    assert time.process_time() - began < 120


def test_folders_without_end_are_refused_or_shown(
    tmp_path: Path, documents: tuple[dict[str, object], ...]
) -> None:
    path = tmp_path / "a.json"
    for levels in (60, 190, 2000):
        deep = copy.deepcopy(documents[0])
        deep["files"][0]["path"] = "a/" * levels + "b"  # type: ignore[index]
        rows = deep["views"]["folder"]  # type: ignore[index]
        rows += [{**rows[0], "name": "/".join("a" * n)} for n in range(1, min(levels, 3000))]
        path.write_text(json.dumps(deep))
        with contextlib.suppress(CondapruneError):
            made = read_document(str(path))
            for form in ("text", "json", "csv", "md", "html"):
                render(form, AUDIT, made, Show())
