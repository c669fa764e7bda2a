"""A run begins before anything is read, and leaves an output or nothing."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from condaprune.errors import SinkError
from condaprune.model import no_progress
from condaprune.sinks.outputs.sink import FORMATS
from condaprune.sources.prefix import PrefixSource
from tests.trees import make_prefix

from .helpers import open_sink, plan_for

FORMS = [form.name for form in FORMATS if form.name != "squashfs"]


@pytest.fixture
def source(tmp_path: Path) -> PrefixSource:
    return PrefixSource(str(make_prefix(tmp_path / "env", {"lib/a.txt": b"a" * 3000})))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("applied", [False, True], ids=["begun", "applied"])
def test_what_is_undone_leaves_nothing(
    source: PrefixSource, tmp_path: Path, form: str, applied: bool
) -> None:
    sink = open_sink(str(tmp_path / f"o.{form}"), format=form)
    plan = plan_for(source)
    run = sink.begin(plan, source)
    assert len(os.listdir(tmp_path)) == 2, "it lies under a temporary name"
    assert not (tmp_path / f"o.{form}").exists()
    if applied:
        run.apply(no_progress)
    run.undo()
    assert os.listdir(tmp_path) == ["env"]
    run = sink.begin(plan, source)
    run.apply(no_progress)
    outcome = run.commit()
    sink.close()
    assert sorted(os.listdir(tmp_path)) == ["env", f"o.{form}"]
    assert outcome.format == form
    assert outcome.output_size > 0


def test_closing_undoes_what_was_not_committed(source: PrefixSource, tmp_path: Path) -> None:
    sink = open_sink(str(tmp_path / "o.tar"))
    sink.begin(plan_for(source), source)
    sink.close()
    assert os.listdir(tmp_path) == ["env"]


@pytest.mark.parametrize("form", ["tar", "folder"])
def test_a_long_name_of_wide_letters_is_shortened_by_bytes(
    source: PrefixSource, tmp_path: Path, form: str
) -> None:
    output = tmp_path / ("x" + "é" * 120)
    sink = open_sink(str(output), format=form)
    run = sink.begin(plan_for(source), source)
    run.apply(no_progress)
    run.commit()
    sink.close()
    assert sorted(os.listdir(tmp_path)) == ["env", output.name]


def test_signals_are_as_before_at_the_end(source: PrefixSource, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    sink = open_sink(str(tmp_path / "o.tar"))
    run = sink.begin(plan_for(source), source)
    assert signal.getsignal(signal.SIGTERM) is not before
    run.apply(no_progress)
    run.commit()
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_output_that_appears_meanwhile_is_refused(source: PrefixSource, tmp_path: Path) -> None:
    sink = open_sink(str(tmp_path / "o.tar"))
    (tmp_path / "o.tar").write_bytes(b"someone else's")
    with pytest.raises(SinkError, match="exists"):
        sink.begin(plan_for(source), source)
    assert (tmp_path / "o.tar").read_bytes() == b"someone else's"


def test_each_extension_and_name_is_one_formats() -> None:
    extensions = [extension for form in FORMATS for extension in form.extensions]
    assert len(extensions) == len(set(extensions))
    assert len(FORMATS) == len({form.name for form in FORMATS})


def test_the_documentation_names_every_format() -> None:
    text = (Path(__file__).parents[3] / "docs" / "archives.md").read_text()
    for form in FORMATS:
        assert form.name == "folder" or f"`.{form.name}`" in text, form.name
