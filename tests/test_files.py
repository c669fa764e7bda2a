"""`read_regular`: regular files alone; `write_whole`: see `tests/test_targets.py`."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from condaprune.files import NotRegularError, read_regular, write_whole


def test_a_file_gets_the_mode_asked_for_also_where_there_was_one(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.touch(0o644)
    write_whole(str(path), b"secret", mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b"secret"


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
