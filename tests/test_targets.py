"""`Target`: the old content, or the new one, and nothing beside it; streams are written to."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from condaprune.targets import Target, folders_above, identity_of, is_stream, part_name

ROOT = os.geteuid() == 0
WRITE = (
    "import sys; from condaprune.targets import Target\n"
    "with Target(sys.argv[1]) as target: target.write(b'new\\n')"
)


def write(path: object, data: bytes = b"new") -> None:
    with Target(str(path)) as target:
        target.write(data)


class TestFiles:
    @pytest.mark.parametrize("before", [None, "old"])
    def test_a_file_is_written_and_nothing_is_left_beside_it(
        self, tmp_path: Path, before: str | None
    ) -> None:
        target = tmp_path / "report.json"
        if before is not None:
            target.write_text(before)
        write(target, b"new" * 100_000)
        assert target.read_bytes() == b"new" * 100_000
        assert os.listdir(tmp_path) == ["report.json"]

    def test_until_it_is_written_there_is_nothing(self, tmp_path: Path) -> None:
        with Target(str(tmp_path / "report")):
            assert os.listdir(tmp_path) == []
        assert os.listdir(tmp_path) == []

    def test_while_it_is_written_it_is_this_users_alone(self, tmp_path: Path) -> None:
        (tmp_path / "report").write_text("old")
        with Target(str(tmp_path / "report")) as target, target.replacing() as (handle, part):
            assert stat.S_IMODE(os.fstat(handle).st_mode) == 0o600
            assert os.path.samestat(os.stat(part), os.fstat(handle))
            assert (tmp_path / "report").read_text() == "old"

    def test_a_name_of_any_bytes_and_of_any_length_is_written(self, tmp_path: Path) -> None:
        path = os.fsencode(tmp_path) + b"/" + b"\xff" * 250
        write(os.fsdecode(path))
        with open(path, "rb") as file:
            assert file.read() == b"new"

    def test_a_name_without_a_folder_is_one_in_the_working_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        write("report")
        assert (tmp_path / "report").read_bytes() == b"new"

    @pytest.mark.parametrize("step", ["fsync", "replace", "fchmod"])
    def test_on_an_error_the_old_file_stays_and_nothing_else(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        target = tmp_path / "report"
        target.write_text("old")

        def fail(*_args: object, **_named: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, step, fail)
        with pytest.raises(OSError, match="No space left"):
            write(target)
        monkeypatch.undo()
        assert target.read_text() == "old"
        assert os.listdir(tmp_path) == ["report"]

    @pytest.mark.parametrize("name", ["folder", "folder/", "none/report", "none/", ".", "file/x"])
    def test_a_name_that_no_file_can_have_is_an_error(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "folder").mkdir()
        (tmp_path / "file").write_text("old")
        with pytest.raises(OSError, match=r"folder|directory"):
            Target(f"{tmp_path}/{name}")
        assert sorted(os.listdir(tmp_path)) == ["file", "folder"]

    @pytest.mark.parametrize("form", ["fifo", "link", "folder", "socket"])
    def test_what_takes_the_place_meanwhile_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with Target("report") as target, socket.socket(socket.AF_UNIX) as server:

            def write_slowly() -> None:
                with target.replacing() as (handle, _):
                    os.write(handle, b"new")
                    take[form]()

            take: dict[str, Callable[[], object]] = {
                "fifo": lambda: os.mkfifo("report"),
                "link": lambda: os.symlink("victim", "report"),
                "folder": lambda: os.mkdir("report"),
                "socket": lambda: server.bind("report"),
            }
            with pytest.raises(OSError, match=r"a stream took|a link took|folder|socket"):
                write_slowly()
            assert not stat.S_ISREG(os.lstat("report").st_mode)
            assert os.listdir() == ["report"]

    def test_a_stream_that_took_the_place_of_a_file_is_not_opened(self, tmp_path: Path) -> None:
        with Target(str(tmp_path / "report")) as target:
            os.mkfifo(tmp_path / "report")
            with pytest.raises(OSError, match="no longer a regular file"):
                target.write(b"new")

    def test_two_writers_leave_one_whole_file(self, tmp_path: Path) -> None:
        target = tmp_path / "report"

        def many(letter: bytes) -> None:
            for _ in range(30):
                write(target, letter * 50_000)

        threads = [threading.Thread(target=many, args=(letter,)) for letter in (b"a", b"b", b"c")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        data = target.read_bytes()
        assert len(data) == 50_000
        assert len(set(data)) == 1
        assert os.listdir(tmp_path) == ["report"]

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
    def test_a_signal_while_it_is_written_leaves_nothing(
        self, tmp_path: Path, number: signal.Signals
    ) -> None:
        (tmp_path / "report").write_text("old")
        script = (
            "import sys, time; from condaprune.targets import Target\n"
            "with Target(sys.argv[1]) as target, target.replacing():\n"
            "    print('ready', flush=True); time.sleep(60)"
        )
        child = subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "report")],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        assert len(os.listdir(tmp_path)) == 2
        child.send_signal(number)
        assert child.wait(20) != 0
        child.stdout.close()
        assert os.listdir(tmp_path) == ["report"]
        assert (tmp_path / "report").read_text() == "old"

    @pytest.mark.skipif(not ROOT, reason="only root makes a file immutable")
    @pytest.mark.parametrize("flag", ["+i", "+a"])
    def test_an_immutable_file_is_found_before_it_is_written(
        self, tmp_path: Path, flag: str
    ) -> None:
        target = tmp_path / "report"
        target.write_text("old")
        if subprocess.run(["chattr", flag, str(target)], capture_output=True).returncode:
            pytest.skip("this file system knows no such flag")
        try:
            with pytest.raises(PermissionError):
                Target(str(target))
        finally:
            subprocess.run(["chattr", f"-{flag[1]}", str(target)], check=True)
        assert os.listdir(tmp_path) == ["report"]

    def test_a_file_that_only_may_be_read_is_replaced_where_its_folder_may_be_written(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "report").touch(0o444)
        write(tmp_path / "report")
        assert (tmp_path / "report").read_bytes() == b"new"

    def test_no_name_of_a_part_comes_twice(self) -> None:
        assert len({part_name(b"report") for _ in range(1000)}) == 1000


class TestStreams:
    @pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "a link"])
    @pytest.mark.parametrize("to", ["a file", "a pipe", "a socket", "a file that has no name"])
    def test_a_descriptor_is_written_to_wherever_it_leads(
        self, tmp_path: Path, name: str, to: str
    ) -> None:
        if name == "a link":
            name = str(tmp_path / "link")
            os.symlink("/dev/stdout", name)
        command = [sys.executable, "-c", WRITE, name]
        if to == "a pipe":
            assert subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout == b"new\n"
        elif to == "a socket":
            ours, theirs = socket.socketpair()
            with ours, theirs:
                subprocess.run(command, stdout=theirs.fileno(), check=True)
                assert ours.recv(10) == b"new\n"
        else:
            with open(tmp_path / "output", "w+b", buffering=0) as stream:
                stream.write(b"old\n")
                if "no name" in to:
                    os.unlink(tmp_path / "output")
                subprocess.run(command, stdout=stream, check=True)
                stream.write(b"after\n")
                stream.seek(0)
                assert stream.read() == b"old\nnew\nafter\n"
        assert Path("/dev/stdout").is_symlink()

    def test_a_descriptor_of_another_process_is_written_to(self, tmp_path: Path) -> None:
        with open(tmp_path / "output", "wb") as stream:
            write_to = f"/proc/{os.getpid()}/fd/{stream.fileno()}"
            subprocess.run([sys.executable, "-c", WRITE, write_to], check=True)
        assert (tmp_path / "output").read_bytes() == b"new\n"

    def test_what_was_opened_is_what_is_written(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "fifo")
        reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        try:
            with Target(str(tmp_path / "fifo")) as target:
                (tmp_path / "fifo").unlink()
                (tmp_path / "fifo").write_text("other")
                target.write(b"new")
            assert os.read(reader, 10) == b"new"
        finally:
            os.close(reader)
        assert (tmp_path / "fifo").read_text() == "other"

    def test_a_fifo_waits_for_its_reader(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "fifo")
        child = subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path / "fifo")])
        time.sleep(0.5)
        assert child.poll() is None
        assert (tmp_path / "fifo").read_bytes() == b"new\n"
        assert child.wait(20) == 0

    def test_more_than_a_pipe_holds_arrives_whole(self) -> None:
        reader, writer = os.pipe()
        parts: list[bytes] = []
        with open(reader, "rb") as stream:
            thread = threading.Thread(target=lambda: parts.append(stream.read()))
            thread.start()
            write(f"/dev/fd/{writer}", b"x" * 3_000_000)
            os.close(writer)
            thread.join()
        assert parts == [b"x" * 3_000_000]


class TestQuestions:
    def test_what_is_a_stream(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "fifo")
        (tmp_path / "file").touch()
        (tmp_path / "link").symlink_to("fifo")
        assert is_stream("/dev/null")
        assert is_stream(str(tmp_path / "fifo"))
        assert is_stream(str(tmp_path / "link"))
        assert not is_stream(str(tmp_path / "file"))
        assert not is_stream(str(tmp_path / "new"))

    def test_two_names_of_one_target_have_one_identity(self, tmp_path: Path) -> None:
        (tmp_path / "a").touch()
        os.link(tmp_path / "a", tmp_path / "b")
        (tmp_path / "c").symlink_to("a")
        (tmp_path / "folder").symlink_to(".")
        names = [
            tmp_path / name for name in ("a", "b", "c", "folder/a", "../" + tmp_path.name + "/a")
        ]
        assert len({identity_of(str(name)) for name in names}) == 1
        new = [str(tmp_path / name) for name in ("new", "folder/new")]
        assert identity_of(new[0]) == identity_of(new[1])
        assert identity_of(new[0]) != identity_of(str(tmp_path / "other"))
        assert identity_of("/dev/null") is None

    def test_the_folders_above_are_those_that_links_lead_to(self, tmp_path: Path) -> None:
        (tmp_path / "deep/inner").mkdir(parents=True)
        (tmp_path / "link").symlink_to("deep/inner")
        (tmp_path / "file").symlink_to("deep/inner/file")
        inner = (tmp_path / "deep/inner").stat()
        for name in ("link/x", "deep/inner/x", "file"):
            assert (inner.st_dev, inner.st_ino) in folders_above(str(tmp_path / name))
        assert (inner.st_dev, inner.st_ino) not in folders_above(str(tmp_path / "deep/inner"))
