"""The picture of README.md shows what was measured, and nothing else."""

from __future__ import annotations

import json
from html import unescape

import pytest

from benchmarks import picture
from benchmarks.picture import PICTURE, RESULTS, Bar, bars, draw, main, text_of
from tests.docs.blocks import ROOT

MEASURED = bars(json.loads(RESULTS.read_text("utf-8")))


def test_it_is_the_one_of_the_results() -> None:
    assert main(["--check"]) == 0, "python -m benchmarks.picture"


def test_another_one_is_seen(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "sizes.svg"
    other.write_text(PICTURE.read_text("utf-8").replace("166.3", "106.3"), encoding="utf-8")
    monkeypatch.setattr(picture, "PICTURE", other)
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert main(["--check"]) == 0


def test_beside_it_stands_what_it_shows() -> None:
    text = "; ".join(map(text_of, MEASURED))
    assert f"![{text}](docs/images/sizes.svg)" in (ROOT / "README.md").read_text("utf-8")
    assert f"![{text}](images/sizes.svg)" in (ROOT / "docs" / "index.md").read_text("utf-8")
    assert f"<title>{text}</title>" in unescape(PICTURE.read_text("utf-8"))


def test_what_broke_is_told() -> None:
    told = {bar.name: bar.lost for bar in MEASURED}
    assert told["pasted recipe of 2021"] == "Python does not start"
    assert told["condaprune"] == "nothing lost"


def test_names_are_escaped() -> None:
    assert "<b>" not in draw([Bar("<b>", 1e6, "")])
