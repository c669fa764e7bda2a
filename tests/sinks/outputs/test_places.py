"""Where an output may lie: outside of the environment by every name, and in no stream's place."""

from __future__ import annotations

import os
import pty
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from condaprune.errors import SinkError, UsageProblem
from condaprune.sinks.outputs.places import new_folder
from condaprune.sinks.outputs.sink import FORMATS
from tests.cli.runner import condaprune
from tests.trees import listing, make_prefix

from .helpers import open_sink, pack

STREAMED = [form.name for form in FORMATS if form.streams]
OTHERS = [form.name for form in FORMATS if not form.streams]
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts and makes devices")


@pytest.fixture
def env(tmp_path: Path) -> Path:
    return make_prefix(tmp_path / "env", {"lib/a.txt": b"a" * 3000, "lib/deep/b.txt": b"b"})


class TestStreams:
    @pytest.mark.parametrize("form", OTHERS)
    @pytest.mark.parametrize("shape", ["-", "fifo", "descriptor"])
    def test_a_format_that_goes_back_in_its_file_needs_a_file(
        self, env: Path, tmp_path: Path, form: str, shape: str
    ) -> None:
        os.mkfifo(tmp_path / "fifo")
        output = {"-": "-", "fifo": str(tmp_path / "fifo"), "descriptor": "/dev/fd/1"}[shape]
        with pytest.raises(UsageProblem, match=f"{form} cannot be written to") as caught:
            open_sink(output, format=form, force=True)
        assert "tar format" in caught.value.remedy
        assert stat.S_ISFIFO((tmp_path / "fifo").lstat().st_mode)

    @pytest.mark.parametrize("form", STREAMED)
    def test_a_tar_in_a_fifo_is_that_in_a_file(self, env: Path, tmp_path: Path, form: str) -> None:
        fifo = tmp_path / f"fifo.{form}"
        os.mkfifo(fifo)
        parts: list[bytes] = []
        reader = threading.Thread(target=lambda: parts.append(fifo.read_bytes()), daemon=True)
        reader.start()
        outcome = pack(env, fifo)
        reader.join(20)
        pack(env, tmp_path / f"file.{form}")
        assert parts == [(tmp_path / f"file.{form}").read_bytes()]
        assert outcome.output_size == len(parts[0])
        assert stat.S_ISFIFO(fifo.lstat().st_mode)

    @pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "fifo"])
    def test_a_stream_without_an_extension_needs_a_format(self, tmp_path: Path, name: str) -> None:
        os.mkfifo(tmp_path / "fifo")
        with pytest.raises(UsageProblem, match="no extension") as caught:
            open_sink(os.path.join(tmp_path, name))
        assert "--archive-format" in caught.value.remedy

    def test_a_terminal_gets_no_archive(self, env: Path) -> None:
        ours, theirs = pty.openpty()
        try:
            with pytest.raises(SinkError, match="not written to a terminal"):
                pack(env, Path(os.ttyname(theirs)), format="tar")
        finally:
            os.close(ours)
            os.close(theirs)

    @pytest.mark.parametrize("form", STREAMED)
    def test_a_reader_that_leaves_in_the_middle_is_an_error_of_its_own(
        self, tmp_path: Path, form: str
    ) -> None:
        noise = {f"lib/{n}.bin": os.urandom(200_000) for n in range(20)}
        env = make_prefix(tmp_path / "env", noise)
        reader, writer = os.pipe()

        def leave() -> None:
            os.read(reader, 1)
            os.close(reader)

        thread = threading.Thread(target=leave)
        thread.start()
        try:
            with pytest.raises(SinkError, match="reader of the output went away"):
                pack(env, Path(f"/dev/fd/{writer}"), format=form)
        finally:
            os.close(writer)
            thread.join()

    def test_the_report_goes_beside_an_archive_in_the_standard_output(
        self, env: Path, tmp_path: Path
    ) -> None:
        words = [sys.executable, "-m", "condaprune", str(env), "--archive-format", "tar", "-o"]
        env_file = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
        runs = [
            subprocess.run([*words, name], capture_output=True, env=env_file, timeout=60)
            for name in ("-", "/dev/stdout", "/dev/fd/1")
        ]
        assert [run.returncode for run in runs] == [0, 0, 0]
        assert runs[0].stdout == runs[1].stdout == runs[2].stdout
        assert b"pruned" in runs[1].stderr


class TestOutsideOfTheEnvironment:
    @pytest.mark.parametrize("name", ["env/lib/x.tar", "env/x.tar", "link/x.tar", "deep/x.tar",
                                      "file.tar", "env/../env/x.tar", "env/new"])  # fmt: skip
    def test_an_output_inside_by_any_name_is_refused(
        self, env: Path, tmp_path: Path, name: str
    ) -> None:
        (tmp_path / "link").symlink_to("env")
        (tmp_path / "deep").symlink_to(env / "lib" / "deep")
        (env / "lib" / "file.tar").touch()
        (tmp_path / "file.tar").symlink_to("env/lib/file.tar")
        before = listing(env)
        with pytest.raises(SinkError, match="inside the environment"):
            open_sink(str(tmp_path / name), str(env), force=True)
        assert listing(env) == before

    @pytest.mark.parametrize("name", ["env", "env/", ".", "link", "link/"])
    def test_the_environment_itself_and_what_is_around_it_are_refused(
        self, env: Path, tmp_path: Path, name: str
    ) -> None:
        (tmp_path / "link").symlink_to("env")
        before = listing(env)
        with pytest.raises(SinkError):
            open_sink(f"{tmp_path}/{name}", str(env), format="folder", force=True)
        assert listing(env) == before

    @AS_ROOT
    @pytest.mark.parametrize(
        ("bound", "output"),
        [
            ("env", "mount/x.tar"),
            ("env", "mount/lib/x.tar"),
            ("env/lib", "mount/x.tar"),
            ("env/lib", "mount/deep/x.tar"),
            ("env/lib/deep", "mount/x.tar"),
            ("env/lib/deep", "mount/folder/"),
            ("env", "mount"),
            (".", "mount/env/x.tar"),
            (".", "mount/env"),
        ],
    )
    def test_a_mount_of_the_environment_or_of_a_folder_in_it_is_inside(
        self, env: Path, tmp_path: Path, bound: str, output: str
    ) -> None:
        (tmp_path / "mount").mkdir()
        before = listing(env)
        script = f'mount --bind {tmp_path}/{bound} {tmp_path}/mount && exec "$@"'
        program = [sys.executable, "-m", "condaprune", str(env), "--force", "-o"]
        ran = subprocess.run(
            ["unshare", "-m", "sh", "-c", script, "sh", *program, f"{tmp_path}/{output}"],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        if ran.stderr.startswith(("mount:", "unshare:")):
            pytest.skip("no mounts in this sandbox")
        assert ran.returncode == 2
        assert "environment" in ran.stderr
        assert "Traceback" not in ran.stderr
        assert listing(env) == before

    def test_a_folder_beside_is_not_inside(self, env: Path, tmp_path: Path) -> None:
        (tmp_path / "env2").mkdir()
        pack(env, tmp_path / "env2" / "x.tar")
        pack(env, tmp_path / "envelope.tar")


class TestFolders:
    def test_it_is_this_users_alone_until_it_is_complete(self, tmp_path: Path) -> None:
        before = os.umask(0o022)
        try:
            with new_folder(str(tmp_path / "new")) as place:
                assert stat.S_IMODE(os.stat(place.path).st_mode) == 0o700
                assert not (tmp_path / "new").exists()
            assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o755
        finally:
            os.umask(before)

    @pytest.mark.parametrize(
        "make",
        [
            pytest.param(lambda p: p.symlink_to("elsewhere"), id="a link to a folder"),
            pytest.param(lambda p: p.symlink_to("nowhere"), id="a link to nothing"),
            pytest.param(lambda p: p.touch(), id="a file"),
            pytest.param(os.mkfifo, id="a FIFO"),
            pytest.param(lambda p: (p / "sub").mkdir(parents=True), id="a folder of others"),
        ],
    )
    @pytest.mark.parametrize("slash", ["", "/"])
    def test_what_is_no_folder_of_ours_is_not_replaced(
        self, env: Path, tmp_path: Path, make: Callable[[Path], object], slash: str
    ) -> None:
        (tmp_path / "elsewhere" / "conda-meta").mkdir(parents=True)
        make(tmp_path / "out")
        before = os.lstat(tmp_path / "out")
        output = f"{tmp_path}/out{slash}"
        ran = condaprune(env, "-q", "--force", "--archive-format", "folder", "-o", output)
        assert ran.status == 2
        assert os.lstat(tmp_path / "out").st_ino == before.st_ino
        assert os.listdir(tmp_path / "elsewhere") == ["conda-meta"]
        assert sorted(os.listdir(tmp_path)) == ["elsewhere", "env", "out"]

    def test_being_stopped_while_the_old_one_is_deleted_leaves_nothing_of_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "out" / "conda-meta").mkdir(parents=True)
        (tmp_path / "out" / "conda-meta" / "history").touch()
        calls = []

        def once(path: object, **_named: object) -> None:
            calls.append(path)
            if len(calls) == 1:
                raise KeyboardInterrupt
            rmtree(str(path))

        rmtree = shutil.rmtree
        monkeypatch.setattr(shutil, "rmtree", once)
        with pytest.raises(KeyboardInterrupt), new_folder(str(tmp_path / "out")):
            pass
        assert os.listdir(tmp_path) == ["out"]
        assert os.listdir(tmp_path / "out") == []

    def test_what_takes_its_place_meanwhile_stays(self, tmp_path: Path) -> None:
        with pytest.raises(SinkError, match="not a folder"), new_folder(str(tmp_path / "new")):
            (tmp_path / "new").symlink_to("elsewhere")
        assert os.listdir(tmp_path) == ["new"]
