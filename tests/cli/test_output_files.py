"""Every option that names a file to write: what is no regular file is written to or refused.

The options are found in the commands themselves: a new one has to take part.
"""

from __future__ import annotations

import os
import shlex
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from condaprune.cli.group import cli
from condaprune.traces.format import write_trace
from condaprune.traces.trace import Run, Trace
from tests.cli.runner import condaprune
from tests.trees import listing, make_prefix

Option = tuple[str, str]
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices, and gives files")
USER = 12345
PROGRAM = (sys.executable, "-m", "condaprune")

READ = {"--rules", "--trace", "--config", "--budget", "--baseline"}
ALSO_READ = {("verify", "--manifest")}

WRITE: dict[Option, str] = {
    ("prune", "--output"): "prune {env} -q --force --archive-format tar -o {out}",
    ("prune", "--manifest"): "prune {env} -q --manifest {out}",
    ("prune", "--sbom"): "prune {env} -q --sbom {out}",
    ("verify", "--output"): "verify {env} {work}/copy -q --check links --format json -o {out}",
    ("trace record", "--output"): "trace -q --prefix {env} -o {out} -- touch {marker}",
    ("trace import", "--output"): "trace import {work}/list --from list --prefix {env} -o {out}",
    ("trace merge", "--output"): "trace merge {work}/a.trace -o {out}",
    ("audit", "--save"): "audit {env} -q --save {out} -o text={work}/rest",
    ("audit", "--output"): "audit {env} -q -o json={out}",
    ("diff", "--output"): "diff {env} {env} -q -o json={out}",
    ("check", "--save"): "check {env} -q --save {out} -o text={work}/rest",
    ("check", "--audit"): "check {env} -q --audit json={out} -o text={work}/rest",
    ("check", "--output"): "check {env} -q -o json={out}",
}
every_option = pytest.mark.parametrize("option", WRITE, ids=" ".join)


def options_with_files() -> Iterator[Option]:
    """The options of all commands whose value is the name of a file."""

    def walk(command: click.Command, name: str) -> Iterator[Option]:
        if isinstance(command, click.Group):
            context = click.Context(command)
            for inner in command.list_commands(context):
                found = command.get_command(context, inner)
                assert found is not None
                yield from walk(found, f"{name} {inner}".strip())
            return
        for parameter in command.params:
            if isinstance(parameter, click.Option) and "FILE" in (parameter.metavar or ""):
                yield name, parameter.opts[-1]

    return walk(cli, "")


def test_each_option_that_names_a_file_is_known_to_read_or_to_write() -> None:
    found = {pair for pair in options_with_files() if pair[1] not in READ} - ALSO_READ
    assert found == set(WRITE)


class Place:
    """An environment, a working folder, and a folder of outputs that holds nothing else."""

    def __init__(self, root: Path) -> None:
        self.env = make_prefix(root / "env", {"lib/liba.a": b"!<arch>"}, packages={"a": []})
        self.work = root / "work"
        self.folder = root / "out"
        self.work.mkdir()
        make_prefix(self.work / "copy", {})
        self.folder.mkdir()
        self.out = self.folder / "result"
        self.marker = self.work / "marker"
        (self.work / "condaprune.toml").write_text('[budget.environment]\nmax = "1 GB"\n')
        (self.work / "list").write_text("lib/liba.a\n")
        run = Run(prefix=str(self.env), recorders=("list",), overflow=False)
        write_trace(Trace((run,), {}), str(self.work / "a.trace"))

    def words(self, option: Option, out: object = None) -> list[str]:
        """The command line that writes to *out*."""
        names = {"env": self.env, "work": self.work, "marker": self.marker}
        text = WRITE[option].replace("{out}", "\0")
        return [word.format(**names).replace("\0", str(out or self.out)) for word in text.split()]

    def refused(self, option: Option, out: object = None) -> str:
        """What is said where nothing is done at all."""
        before = listing(self.env)
        ran = condaprune(*self.words(option, out))
        assert ran.status == 2, ran.err
        assert "Traceback" not in ran.err
        assert listing(self.env) == before
        assert not self.marker.exists(), "the command of a trace has run"
        return ran.err

    def done(self, option: Option, out: object = None) -> None:
        """Run it, and hear no complaint."""
        ran = condaprune(*self.words(option, out))
        assert (ran.status, ran.out) == (0, ""), ran.err


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path)
    monkeypatch.chdir(made.work)
    return made


@every_option
def test_a_new_file_is_made_as_the_umask_says(place: Place, option: Option) -> None:
    before = os.umask(0o027)
    try:
        place.done(option)
    finally:
        os.umask(before)
    assert place.out.stat().st_size > 0
    assert stat.S_IMODE(place.out.stat().st_mode) == 0o640
    assert os.listdir(place.folder) == ["result"]


@every_option
def test_a_file_is_replaced_and_keeps_its_mode_and_other_names_their_content(
    place: Place, option: Option
) -> None:
    place.out.touch(0o600)
    os.link(place.out, place.folder / "other")
    place.done(option)
    assert place.out.stat().st_size > 0
    assert stat.S_IMODE(place.out.stat().st_mode) == 0o600
    assert (place.folder / "other").stat().st_size == 0


@every_option
def test_the_file_that_a_link_leads_to_is_replaced_and_the_link_stays(
    place: Place, option: Option
) -> None:
    target = place.work / "target"
    target.touch()
    (place.work / "between").symlink_to("target")
    place.out.symlink_to(place.work / "between")
    place.done(option)
    assert place.out.is_symlink()
    assert (place.work / "between").is_symlink()
    assert target.stat().st_size > 0
    assert not [name for name in os.listdir(place.work) if name.endswith(".part")]


@every_option
def test_a_link_that_leads_nowhere_is_refused(place: Place, option: Option) -> None:
    place.out.symlink_to(place.work / "nothing")
    assert "leads nowhere" in place.refused(option)
    assert place.out.is_symlink()
    assert not (place.work / "nothing").exists()


@every_option
def test_links_in_a_circle_are_refused(place: Place, option: Option) -> None:
    place.out.symlink_to("second")
    (place.folder / "second").symlink_to("result")
    assert "links" in place.refused(option)


@AS_ROOT
@every_option
@pytest.mark.parametrize("leads", ["to a file", "to a device"])
def test_a_link_of_another_user_is_refused(place: Place, option: Option, leads: str) -> None:
    target = place.work / "target"
    if leads == "to a file":
        target.touch()
    else:
        os.mknod(target, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    place.out.symlink_to(target)
    os.lchown(place.out, USER, USER)
    before = target.lstat()
    assert "link of another user" in place.refused(option)
    assert place.out.is_symlink()
    assert target.lstat() == before


@every_option
def test_a_folder_is_refused(place: Place, option: Option) -> None:
    place.out.mkdir()
    assert "folder" in place.refused(option)
    assert os.listdir(place.out) == []


@every_option
@pytest.mark.parametrize("through", ["itself", "a link"])
def test_a_socket_is_refused(
    place: Place, option: Option, through: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = place.out if through == "itself" else place.work / "socket"
    monkeypatch.chdir(name.parent)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(name.name)
        monkeypatch.chdir(place.work)
        if through == "a link":
            place.out.symlink_to(name)
        assert "socket" in place.refused(option)
        assert stat.S_ISSOCK(name.lstat().st_mode)


def read_from(fifo: Path, use: Callable[[], None]) -> bytes:
    """What comes out of a FIFO while *use* runs."""
    parts: list[bytes] = []
    reader = threading.Thread(target=lambda: parts.append(fifo.read_bytes()), daemon=True)
    reader.start()
    use()
    reader.join(20)
    assert not reader.is_alive()
    return parts[0]


@every_option
@pytest.mark.parametrize("through", ["itself", "a link"])
def test_a_fifo_is_written_to(place: Place, option: Option, through: str) -> None:
    fifo = place.out if through == "itself" else place.work / "fifo"
    os.mkfifo(fifo)
    if through == "a link":
        place.out.symlink_to(fifo)
    assert read_from(fifo, lambda: place.done(option))
    assert stat.S_ISFIFO(fifo.lstat().st_mode)
    assert place.out.is_symlink() == (through == "a link")


@AS_ROOT
@every_option
def test_a_character_device_is_written_to(place: Place, option: Option) -> None:
    os.mknod(place.out, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    place.done(option)
    assert stat.S_ISCHR(place.out.lstat().st_mode)
    assert os.listdir(place.folder) == ["result"]


@AS_ROOT
@every_option
def test_a_full_device_is_an_error_of_its_own(place: Place, option: Option) -> None:
    os.mknod(place.out, stat.S_IFCHR | 0o666, os.makedev(1, 7))
    ran = condaprune(*place.words(option))
    assert ran.status == 2
    assert "No space left" in ran.err
    assert stat.S_ISCHR(place.out.lstat().st_mode)


@AS_ROOT
@every_option
def test_a_disk_is_refused(place: Place, option: Option) -> None:
    os.mknod(place.out, stat.S_IFBLK | 0o666, os.makedev(1, 251))
    assert "disk" in place.refused(option)
    assert stat.S_ISBLK(place.out.lstat().st_mode)


@every_option
def test_a_pipe_that_a_shell_opened_is_written_to(place: Place, option: Option) -> None:
    reader, writer = os.pipe()
    with open(reader, "rb") as stream:
        try:
            place.done(option, f"/dev/fd/{writer}")
        finally:
            os.close(writer)
        assert stream.read()


@every_option
def test_a_reader_that_went_away_is_an_error_of_its_own(place: Place, option: Option) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ran = condaprune(*place.words(option, f"/dev/fd/{writer}"))
    finally:
        os.close(writer)
    assert ran.status == 2
    assert "Broken pipe" in ran.err or "reader of the output went away" in ran.err
    if option in (("prune", "--manifest"), ("prune", "--sbom")):
        assert f"{place.env} is pruned" in ran.err


@every_option
@pytest.mark.parametrize("number", ["closed", "read only", "none"])
def test_a_descriptor_that_cannot_be_written_to_is_refused(
    place: Place, option: Option, number: str
) -> None:
    reader, writer = os.pipe()
    if number == "closed":
        os.close(writer)
    path = f"/dev/fd/{reader if number == 'read only' else writer if number == 'closed' else 'x'}"
    try:
        assert path in place.refused(option, path)
    finally:
        os.close(reader)
        if number != "closed":
            os.close(writer)


@every_option
def test_what_lies_at_a_foreseeable_temporary_name_is_left_alone(
    place: Place, option: Option
) -> None:
    victim = place.work / "victim"
    victim.write_text("mine")
    (place.folder / "result.part").symlink_to(victim)
    (place.folder / ".result.part").write_text("mine too")
    place.done(option)
    assert victim.read_text() == "mine"
    assert (place.folder / "result.part").is_symlink()
    assert (place.folder / ".result.part").read_text() == "mine too"
    assert sorted(os.listdir(place.folder)) == [".result.part", "result", "result.part"]


@every_option
@pytest.mark.parametrize("where", ["missing", "a file"])
def test_a_place_that_is_no_folder_is_refused_before_anything_is_done(
    place: Place, option: Option, where: str
) -> None:
    if where == "a file":
        (place.folder / "no").touch()
    place.refused(option, place.folder / "no" / "result")
    place.refused(option, f"{place.folder}/no/")


def as_user(place: Place, option: Option) -> subprocess.CompletedProcess[str]:
    """Run it as another user, to whom everything but the folder of the output belongs."""
    for root, folders, files in os.walk(place.env.parent):
        for name in (root, *(os.path.join(root, name) for name in folders + files)):
            if Path(name) != place.folder and place.folder not in Path(name).parents:
                os.lchown(name, USER, USER)
    return subprocess.run(
        ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *PROGRAM]
        + place.words(option),
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "HOME": str(place.work), "XDG_STATE_HOME": str(place.work)},
    )


@pytest.fixture
def open_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place that any user can get to, which the folder of pytest is not."""
    with tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o755)
        made = Place(Path(root))
        monkeypatch.chdir(made.work)
        yield made
        monkeypatch.undo()


@AS_ROOT
@every_option
@pytest.mark.parametrize("shape", ["a folder of root", "a file of root in a sticky folder"])
def test_what_another_user_may_not_write_is_refused_before_anything_is_done(
    open_place: Place, option: Option, shape: str
) -> None:
    place = open_place
    if "sticky" in shape:
        place.folder.chmod(0o1777)
        place.out.touch()
    before, held = listing(place.env), listing(place.folder)
    ran = as_user(place, option)
    assert ran.returncode == 2, ran.stderr
    assert "Traceback" not in ran.stderr
    assert any(text in ran.stderr for text in ("ermission denied", "read-only", "another user"))
    assert (listing(place.env), listing(place.folder)) == (before, held)
    assert not place.marker.exists()


@AS_ROOT
@every_option
def test_a_sticky_folder_is_written_to_by_any_user(open_place: Place, option: Option) -> None:
    open_place.folder.chmod(0o1777)
    ran = as_user(open_place, option)
    assert ran.returncode == 0, ran.stderr
    assert open_place.out.stat().st_size > 0
    assert open_place.out.stat().st_uid == USER


@AS_ROOT
@every_option
def test_root_does_not_give_a_file_the_mode_that_another_user_chose(
    place: Place, option: Option
) -> None:
    place.out.touch()
    place.out.chmod(0o666)
    os.chown(place.out, USER, USER)
    place.done(option)
    assert place.out.stat().st_uid == 0
    assert stat.S_IMODE(place.out.stat().st_mode) == 0o644


@AS_ROOT
@every_option
def test_a_file_that_is_mounted_there_is_refused_before_anything_is_done(
    place: Place, option: Option
) -> None:
    place.out.touch()
    (place.work / "below").touch()
    before = listing(place.env)
    mount = f'mount --bind {place.work}/below {place.out} && exec "$@"'
    ran = subprocess.run(
        ["unshare", "-m", "sh", "-c", mount, "sh", *PROGRAM, *place.words(option)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    if ran.stderr.startswith(("mount:", "unshare:")):
        pytest.skip("no mounts in this sandbox")
    assert ran.returncode == 2, ran.stderr
    assert "mounted there" in ran.stderr
    assert listing(place.env) == before
    assert not place.marker.exists()


@every_option
@pytest.mark.parametrize("to", ["a pipe", "a file"])
def test_the_standard_output_by_its_name_is_written_to(
    place: Place, option: Option, to: str
) -> None:
    collected = place.work / "collected"
    with open(collected, "wb") as file:
        words = [*PROGRAM, *place.words(option, "/dev/stdout")]
        ran = subprocess.run(
            words,
            stdout=subprocess.PIPE if to == "a pipe" else file,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    assert ran.returncode == 0, ran.stderr
    assert is_whole(ran.stdout if to == "a pipe" else collected.read_bytes())
    assert Path("/dev/stdout").is_symlink()


@every_option
def test_a_process_substitution_is_written_to(place: Place, option: Option) -> None:
    words = [shlex.quote(word) for word in [*PROGRAM, *place.words(option, "COLLECT")]]
    script = " ".join(words).replace("COLLECT", ">(cat > collected; touch end)")
    script += "; status=$?; until [ -e end ]; do sleep 0.05; done; exit $status"
    ran = subprocess.run(["bash", "-c", script], stderr=subprocess.PIPE, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert is_whole((place.work / "collected").read_bytes())


def is_whole(data: bytes) -> bool:
    """Whether it is a JSON document, a trace, or a tar with its end."""
    if data[257:262] == b"ustar":
        return len(data) % 10240 == 0
    return data[:1] == b"{" and data.rstrip()[-1:] == b"}"
