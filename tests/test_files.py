"""`write_whole`: the old content, or the new one, and nothing beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from condaprune.files import NotRegularError, read_regular, write_whole

WRITE = "import sys; from condaprune.files import write_whole; write_whole(sys.argv[1], b'new\\n')"


@pytest.mark.parametrize("before", [pytest.param(None, id="new"), pytest.param("old", id="old")])
def test_a_file_is_written_and_nothing_is_left_beside_it(
    tmp_path: Path, before: str | None
) -> None:
    target = tmp_path / "report.json"
    if before is not None:
        target.write_text(before)
    write_whole(str(target), b"new" * 100_000)
    assert target.read_bytes() == b"new" * 100_000
    assert os.listdir(tmp_path) == ["report.json"]


def test_the_umask_says_who_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(str(tmp_path / "report"), b"")
    finally:
        os.umask(before)
    assert (tmp_path / "report").stat().st_mode & 0o777 == 0o640


def test_a_name_of_any_bytes_and_of_any_length_is_written(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/" + b"\xff" * 250
    write_whole(os.fsdecode(path), b"new")
    with open(path, "rb") as file:
        assert file.read() == b"new"


def test_a_name_without_a_folder_is_one_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_whole("report", b"new")
    assert (tmp_path / "report").read_bytes() == b"new"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_on_an_error_the_old_file_stays_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    target = tmp_path / "report"
    target.write_text("old")

    def fail(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space left"):
        write_whole(str(target), b"new")
    monkeypatch.undo()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["report"]


def test_a_folder_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(str(tmp_path / "folder"), b"new")
    assert os.listdir(tmp_path) == ["folder"]


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(str(tmp_path / "none" / "report"), b"new")


def test_a_link_is_replaced_and_its_target_left_alone(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    write_whole(str(tmp_path / "link"), b"new")
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "link").read_text() == "new"
    assert (tmp_path / "target").read_text() == "old"


def test_a_device_is_written_to_and_stays_one(tmp_path: Path) -> None:
    write_whole("/dev/null", b"new")
    assert Path("/dev/null").is_char_device()
    link = tmp_path / "nothing"
    link.symlink_to("/dev/null")
    write_whole(str(link), b"new")
    assert link.is_symlink()


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(str(pipe), b"new")
        assert os.read(reader, 10) == b"new"
    finally:
        os.close(reader)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("to", ["a file", "a pipe"])
def test_a_descriptor_is_written_to_wherever_it_leads(tmp_path: Path, name: str, to: str) -> None:
    command = [sys.executable, "-c", WRITE, name]
    if to == "a pipe":
        assert subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout == b"new\n"
    else:
        output = tmp_path / "output"
        output.write_text("old\n")
        with open(output, "ab") as stream:
            subprocess.run(command, stdout=stream, check=True)
        assert output.read_text() == "old\nnew\n"
    assert Path("/dev/stdout").is_symlink()


class TestReadRegular:
    def test_a_regular_file_is_read(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"content")
        assert read_regular(str(tmp_path / "file"), 7) == b"content"

    def test_a_file_that_is_too_large_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"content")
        with pytest.raises(NotRegularError, match="larger than 6 bytes"):
            read_regular(str(tmp_path / "file"), 6)

    def test_a_fifo_is_refused_at_once(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "file")
        with pytest.raises(NotRegularError, match="is a FIFO"):
            read_regular(str(tmp_path / "file"), 6)

    def test_a_link_is_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"content")
        (tmp_path / "link").symlink_to("file")
        with pytest.raises(NotRegularError, match="is a link"):
            read_regular(str(tmp_path / "link"), 100)

    @pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/"])
    def test_a_device_or_a_folder_is_refused(self, path: str) -> None:
        with pytest.raises(NotRegularError):
            read_regular(path, 100)
