"""Files that reports are written to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from condaprune.cli.outputs import write_text
from condaprune.errors import SinkError


def test_a_report_goes_into_a_pipe_directly() -> None:
    reader, writer = os.pipe()
    try:
        write_text(f"/dev/fd/{writer}", "caf\udce9\n")
        assert os.read(reader, 100) == b"caf\xe9\n"
    finally:
        os.close(reader)
        os.close(writer)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "none" / "report.txt")
    with pytest.raises(SinkError, match="cannot be written") as caught:
        write_text(path, "text")
    assert caught.value.where == path
    assert list(tmp_path.iterdir()) == []
