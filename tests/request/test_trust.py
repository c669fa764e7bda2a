"""A configuration that nobody named: whose it must be, and its commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from condaprune.errors import ConfigError
from condaprune.request.config import load_config
from condaprune.request.find import read_config
from condaprune.request.request import Request
from condaprune.request.trust import check_commands as check

OTHER, THIRD = 12345, 12346
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of other users")


def check_commands(request: Request) -> None:
    check(request.origin, request.unaccepted)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("CONDAPRUNE_CONFIG", raising=False)
    folder = tmp_path / "app"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_a_file_of_this_user_is_read(project: Path) -> None:
    (project / "condaprune.toml").write_text("profile = 'safe'")
    config = read_config()
    assert config is not None
    assert config.values.profile == "safe"


def test_a_file_that_everybody_may_write_is_refused(project: Path) -> None:
    path = project / "condaprune.toml"
    path.write_text("profile = 'safe'")
    path.chmod(0o666)
    with pytest.raises(ConfigError, match=r"may be written by everybody.*--config"):
        read_config()
    assert read_config(str(path)) is not None
    assert read_config(isolated=True) is None


def test_a_file_that_the_group_may_write_is_read(project: Path) -> None:
    (project / "condaprune.toml").write_text("profile = 'safe'")
    (project / "condaprune.toml").chmod(0o664)
    assert read_config() is not None


@pytest.mark.parametrize(("mode", "refused"), [(0o777, True), (0o1777, False), (0o775, False)])
def test_the_folder_of_the_file(project: Path, mode: int, refused: bool) -> None:
    (project / "condaprune.toml").write_text("profile = 'safe'")
    project.chmod(mode)
    if refused:
        with pytest.raises(ConfigError, match="everybody may write to"):
            read_config()
    else:
        assert read_config() is not None


def test_a_link_to_a_file_is_followed(project: Path, tmp_path: Path) -> None:
    (tmp_path / "shared.toml").write_text("profile = 'safe'")
    (project / "condaprune.toml").symlink_to("../shared.toml")
    assert read_config() is not None


def test_a_link_into_a_folder_of_everybody_is_refused(project: Path, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "open" / "c.toml").write_text("")
    (project / "condaprune.toml").symlink_to("../open/c.toml")
    with pytest.raises(ConfigError, match="everybody may write to"):
        read_config()


@as_root
def test_a_file_of_another_user_is_refused_with_its_owner(project: Path) -> None:
    path = project / "condaprune.toml"
    path.write_text("profile = 'safe'")
    os.chown(path, OTHER, OTHER)
    with pytest.raises(ConfigError, match=f"belongs to the user {OTHER}, neither to you nor"):
        read_config()
    assert read_config(str(path)) is not None


@as_root
def test_a_link_of_another_user_on_the_way_is_refused(project: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("profile = 'safe'")
    (tmp_path / "theirs").symlink_to("mine.toml")
    os.chown(tmp_path / "theirs", OTHER, OTHER, follow_symlinks=False)
    (project / "condaprune.toml").symlink_to("../theirs")
    with pytest.raises(ConfigError, match="neither to you nor to root"):
        read_config()


@as_root
def test_a_link_of_another_user_is_refused(project: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("profile = 'safe'")
    (project / "condaprune.toml").symlink_to("../mine.toml")
    os.lchown(project / "condaprune.toml", OTHER, OTHER)
    with pytest.raises(ConfigError, match=f"belongs to the user {OTHER}"):
        read_config()


@as_root
def test_a_pyproject_of_another_user_is_refused(project: Path) -> None:
    path = project / "pyproject.toml"
    path.write_text("[tool.condaprune]\nprofile = 'safe'\n")
    os.chown(path, OTHER, OTHER)
    with pytest.raises(ConfigError, match=f"belongs to the user {OTHER}"):
        read_config()


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that other users may enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="condaprune-users-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@as_root
@pytest.mark.parametrize(("owner", "status"), [(OTHER, 0), (0, 0), (THIRD, 1)])
def test_another_user_reads_their_own_files_and_roots(
    shared: Path, owner: int, status: int
) -> None:
    path = shared / "condaprune.toml"
    path.write_text("profile = 'safe'")
    os.chown(path, owner, owner)
    user = ["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups"]
    script = "from condaprune.request.find import read_config; assert read_config()"
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [*user, sys.executable, "-B", "-c", script],
        cwd=shared,
        env={"PYTHONPATH": str(root), "PATH": os.environ["PATH"]},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == status, ran.stderr
    assert (b"belongs to the user 12346" in ran.stderr) == bool(status)


# Commands.


def found(project: Path, text: str = "verify = ['make check']") -> Request:
    (project / "condaprune.toml").write_text(text)
    return Request().configured(read_config())


@pytest.mark.parametrize("command", ["make check", "imports", "true"])
def test_commands_that_were_found_are_not_run(project: Path, command: str) -> None:
    request = found(project, f"verify = ['{command}']")
    with pytest.raises(ConfigError, match=f"accepted this file: {command}.*--accept-config"):
        check_commands(request)


def test_a_pyproject_is_no_exception(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.condaprune]\nverify = ['make']\n")
    with pytest.raises(ConfigError, match="runs commands"):
        check_commands(Request().configured(read_config()))


def test_the_command_is_shown_in_printable_form(project: Path) -> None:
    request = found(project, 'verify = ["x\\u001b[2J\\n::error::\\u202e"]')
    with pytest.raises(ConfigError) as raised:
        check_commands(request)
    assert str(raised.value).isprintable()


def test_a_file_that_was_named_may_run_its_commands(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(project)
    path = str(project / "condaprune.toml")
    check_commands(Request().configured(read_config(path)))
    check_commands(Request().configured(load_config(path)))
    monkeypatch.setenv("CONDAPRUNE_CONFIG", path)
    check_commands(Request().configured(read_config()))


def test_verify_none_runs_nothing(project: Path) -> None:
    found(project)
    check_commands(Request(verify=("none",)).configured(read_config()))


def test_commands_of_the_command_line_do_not_cover_those_of_the_file(project: Path) -> None:
    found(project)
    with pytest.raises(ConfigError):
        check_commands(Request(verify=("true",)).configured(read_config()))


def test_a_second_configuration_does_not_cover_the_first(project: Path, tmp_path: Path) -> None:
    request = found(project)
    (tmp_path / "other.toml").write_text("verify = ['true']")
    with pytest.raises(ConfigError):
        check_commands(request.configured(load_config(str(tmp_path / "other.toml"))))


def test_a_file_without_commands_needs_no_acceptance(project: Path) -> None:
    check_commands(found(project, "profile = 'safe'"))


def test_what_was_accepted_is_remembered_until_it_changes(project: Path) -> None:
    found(project)
    notes: list[str] = []
    check_commands(Request().configured(read_config(accept=True, say=notes.append)))
    assert len(notes) == 1
    assert "accepted" in notes[0]
    check_commands(Request().configured(read_config()))
    with pytest.raises(ConfigError):
        check_commands(found(project, "verify = ['make check'] "))


def test_the_same_content_elsewhere_is_not_accepted(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(project)
    read_config(accept=True)
    shutil.copytree(project, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    with pytest.raises(ConfigError):
        check_commands(Request().configured(read_config()))


def test_a_list_of_accepted_files_that_others_may_write_counts_for_nothing(
    project: Path, tmp_path: Path
) -> None:
    found(project)
    read_config(accept=True)
    (tmp_path / "state" / "condaprune" / "accepted-configurations").chmod(0o666)
    with pytest.raises(ConfigError):
        check_commands(Request().configured(read_config()))


def test_without_a_private_place_nothing_is_accepted(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(project)
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(ConfigError, match=r"cannot be accepted.*--config"):
        read_config(accept=True)
