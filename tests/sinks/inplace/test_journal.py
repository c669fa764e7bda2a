"""A journal survives a run; one that was changed by anybody else is refused."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from condaprune.errors import SinkError
from condaprune.sinks.inplace.journal import Journal, dump, load
from condaprune.sinks.inplace.prepare import make_journal
from tests.sinks.inplace.prefixes import ELF, build, make_plan


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    plan = make_plan(build(tmp_path))
    journal, _ = make_journal(plan, mode="move", verified=True)
    assert journal is not None
    return journal


def test_a_journal_is_read_as_it_was_written(journal: Journal) -> None:
    assert load(dump(journal), "here") == journal


def test_the_format_is_the_one_that_earlier_versions_wrote(journal: Journal) -> None:
    raw = json.loads(dump(journal))
    assert list(raw) == [
        "format", "mode", "verified", "facts", "stamp_ns", "owner", "made", "times", "status",
        "rewrites", "removals",
    ]  # fmt: skip
    assert list(raw["facts"]) == [
        "version", "profile", "rules", "files_before", "files_after", "bytes_before", "bytes_after",
    ]  # fmt: skip
    assert raw["removals"][0] == list(journal.removals[0])
    history, patched = raw["rewrites"][1], raw["rewrites"][4]
    assert (history[0], history[1], history[6]) == ("conda-meta/history", "", None)
    assert history[5][:3] == ["conda-meta/history", "file", 13]
    assert patched[6] == [b64encode(ELF).decode(), 80, "bmV3IGVuZA=="]


DAMAGES: dict[str, tuple[list[str | int], object]] = {
    "a mode that there is not": (["mode"], "copy"),
    "a number for true": (["verified"], 1),
    "true for a number": (["stamp_ns"], True),
    "a path that is no text": (["removals", 0, 0], 5),
    "a kind that there is not": (["removals", 0, 1], "door"),
    "a row that is too short": (["removals", 0], ["bin/alias", "link"]),
    "a row that is too long": (["rewrites", 0, 5], ["x", "file", 1, 2, 3, 4]),
    "three owners": (["owner"], [0, 0, 0]),
    "a content that is not Base64": (["status", 1], "*"),
    "no facts": (["facts"], None),
    "facts without a profile": (["facts"], {"version": "1"}),
    "no list of removals": (["removals"], {}),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_journal_is_refused(damage: str, journal: Journal) -> None:
    keys, value = DAMAGES[damage]
    raw = json.loads(dump(journal))
    place: Any = raw
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    with pytest.raises(SinkError, match="damaged"):
        load(json.dumps(raw).encode(), "here")


@pytest.mark.parametrize("data", [b"", b"5", b"[]", b"{}", b'{"format": 4}', b"\xff"])
def test_what_is_no_journal_is_refused(data: bytes) -> None:
    with pytest.raises(SinkError, match="damaged"):
        load(data, "here")


def test_a_journal_of_another_format_is_refused() -> None:
    with pytest.raises(SinkError, match="a journal of format 5"):
        load(b'{"format": 5}', "here")
