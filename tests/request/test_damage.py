"""Configurations and rule files of any bytes: an error that says what and where, at once."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from condaprune.errors import CondapruneError, ConfigError
from condaprune.report.audit.budget import load_budget
from condaprune.request.config import load_config
from condaprune.request.find import read_config
from condaprune.ruleset.load import load_file

LOADERS = pytest.mark.parametrize("load", [load_config, load_budget, load_file])
TEXTS = {
    "deep lists": b"keep = " + b"[" * 100_000,
    "deep inline tables": b"keep = " + b"{a = " * 100_000,
    "a key of 100,000 parts": b".".join([b"a"] * 100_000) + b" = 1",
    "a key of 100,000 quoted parts": b'"a" . ' * 100_000 + b"a = 1",
    "a table of 100,000 parts": b"[" + b".".join([b"a"] * 100_000) + b"]",
    "deep lists that end": b"keep = " + b"[" * 400 + b"]" * 400,
    "more than fits": b"#" * (5 << 20),
    "NUL": b"profile = '\0'",
    "NUL alone": b"\0" * 1000,
    "not UTF-8": b"profile = '\xff'",
    "UTF-16": "profile = 'safe'".encode("utf-16"),
    "a number too long": b"profile = " + b"1" * 5000,
    "a hexadecimal number too long": b"profile = 0x" + b"f" * 5000,
    "a name too long": b"a" * 500_000 + b" = 1",
    "the same twice, late": b"keep = [" + b",".join(b"'%d'" % n for n in range(90_000)) + b",'0']",
    "a table in the place of a list": b"[keep]\na = 1\n",
    "a time in the place of a text": b"profile = 07:30:00",
    "infinity": b"profile = inf",
    "many lines": b"\n" * 900_000 + b"kep = 1",
}


@LOADERS
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_what_cannot_be_used_is_one_short_error(tmp_path: Path, load: object, text: bytes) -> None:
    path = tmp_path / "condaprune.toml"
    path.write_bytes(text)
    began = time.process_time()
    with pytest.raises(CondapruneError) as raised:
        load(str(path))  # type: ignore[operator]
    assert str(path) in str(raised.value)
    assert len(str(raised.value)) < 1000
    assert str(raised.value).isprintable()
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "text",
    ["tool = 3", "[[tool]]", "[tool]\ncondaprune = 3", "[[tool.condaprune]]", "tool = [1]"],
)
def test_a_section_that_is_no_table(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(text + "\n# [tool.condaprune]\n")
    with pytest.raises(ConfigError, match="is not a table"):
        load_config(str(path))


@LOADERS
@pytest.mark.parametrize("form", ["FIFO", "folder", "device", "link to a FIFO", "loop"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, load: object, form: str) -> None:
    path = tmp_path / "condaprune.toml"
    if form == "FIFO":
        os.mkfifo(path)
    elif form == "folder":
        path.mkdir()
    elif form == "device":
        path.symlink_to("/dev/zero")
    elif form == "link to a FIFO":
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to("pipe")
    else:
        path.symlink_to("condaprune.toml")
    with pytest.raises(CondapruneError, match=f"{path}: "):
        load(str(path))  # type: ignore[operator]


@pytest.mark.parametrize("form", ["FIFO", "folder", "loop"])
def test_what_is_no_file_is_refused_where_it_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    path = tmp_path / "condaprune.toml"
    if form == "FIFO":
        os.mkfifo(path)
    elif form == "folder":
        path.mkdir()
    else:
        path.symlink_to("condaprune.toml")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=f"{path}: "):
        read_config()


def test_a_pipe_that_the_shell_holds_open_is_read(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    thread = threading.Thread(
        target=lambda: (os.write(writer, b"profile = 'safe'"), os.close(writer))
    )
    thread.start()
    try:
        assert load_config(f"/dev/fd/{reader}").values.profile == "safe"
    finally:
        thread.join()
        os.close(reader)


def test_an_error_quotes_no_more_than_a_key(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("root:$6$salt$hash:19000:0:99999:7:::\npassword = 'hunter2'\n")
    with pytest.raises(CondapruneError) as raised:
        load_file(path)
    assert "hash" not in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_secret_value_is_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("password = 'hunter2'\n")
    with pytest.raises(CondapruneError) as raised:
        load_file(path)
    assert "hunter2" not in str(raised.value)
