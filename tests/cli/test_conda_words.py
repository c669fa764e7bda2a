"""What fingers trained by conda and conda-pack type: understood, or answered with the word."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import pytest

from tests.cli.runner import condaprune
from tests.docs.blocks import ROOT
from tests.trees import make_prefix

FILES = {
    "lib/a.pyx": b"x" * 10,
    "lib/deep/b.pyx": b"x" * 10,
    "lib/deep/c.txt": b"x" * 10,
    "lib/texts/test": b"x" * 10,
    "lib/mytest/inner.txt": b"x" * 10,
    "share/notes/n.txt": b"x" * 10,
}


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONDA_ENVS_PATH", str(tmp_path / "envs"))
    return make_prefix(tmp_path / "envs/app", dict(FILES))


# Every option of conda-pack's, with a value, and what becomes of it: nothing where it is
# understood, else words of the refusal.
CONDA_PACK: dict[str, tuple[tuple[str, ...], str]] = {
    "--name": (("app",), ""),
    "-n": (("app",), ""),
    "--prefix": (("envs/app",), ""),
    "-p": (("envs/app",), ""),
    "--output": (("out.tar.gz",), ""),
    "-o": (("out.tar.gz",), ""),
    "--arcroot": (("app",), ""),
    "--dest-prefix": (("/opt/app",), ""),
    "-d": (("/opt/app",), ""),
    "--parcel-root": (("/opt",), "--dest-prefix"),
    "--parcel-name": (("app",), "--arcroot"),
    "--parcel-version": (("1",), "--arcroot"),
    "--parcel-distro": (("el7",), "tar.gz"),
    "--format": (("zip",), "--archive-format zip"),
    "--compress-level": (("4",), ""),
    "--n-threads": (("-1",), ""),
    "-j": (("2",), ""),
    "--zip-symlinks": ((), ""),
    "--no-zip-64": ((), "leave it out"),
    "--ignore-editable-packages": ((), ""),
    "--ignore-missing-files": ((), "leave it out"),
    "--exclude": (("*.pyx",), ""),
    "--include": (("*.txt",), ""),
    "--force": ((), ""),
    "-f": ((), ""),
    "--quiet": ((), ""),
    "-q": ((), ""),
    "--help": ((), ""),
    "-h": ((), ""),
    "--version": ((), ""),
}


def test_the_list_is_of_all_that_conda_pack_has() -> None:
    cli = pytest.importorskip("conda_pack.cli")
    has = {word for action in cli.build_parser()._actions for word in action.option_strings}
    assert has == CONDA_PACK.keys()


def test_the_page_names_each_of_them_and_whether_it_is_refused() -> None:
    page = (ROOT / "docs" / "comparison.md").read_text("utf-8")
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `-")]
    answers = {word: row[1] for row in rows for word in re.findall(r"`(-[\w-]+)`", row[0])}
    assert answers.keys() == CONDA_PACK.keys()
    for option, (_, words) in CONDA_PACK.items():
        assert answers[option].startswith("refused") == bool(words), option


@pytest.mark.parametrize("option", CONDA_PACK)
def test_an_option_of_conda_packs_is_understood_or_answered(
    env: Path, tmp_path: Path, option: str
) -> None:
    values, words = CONDA_PACK[option]
    which = () if option in ("--name", "-n", "--prefix", "-p", "--version") else (env,)
    output = () if option in ("--output", "-o", "--version") else ("-o", "env.zip")
    ran = condaprune(*which, option, *values, *output)
    if words:
        assert ran.status == 2
        assert words in ran.err
        assert not any(tmp_path.glob("*.zip"))
    else:
        assert ran.status == 0, ran.err
    assert all((env / path).exists() for path in FILES)


@pytest.mark.parametrize(
    ("form", "words"),
    [("tar.gz", "--archive-format tar.gz"), ("tzst", "--archive-format tzst"),
     ("squashfs", "--archive-format squashfs"), ("parcel", "tar.gz"), ("no-archive", "-o DIR/"),
     ("infer", "leave it out"), ("nonsense", "is not one of 'text', 'json'")],
)  # fmt: skip
def test_a_format_of_archives_is_none_of_reports(env: Path, form: str, words: str) -> None:
    ran = condaprune(env, "-o", "x.tar", "--format", form)
    assert (ran.status, words in ran.err) == (2, True), ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ENV", "-n"], "a dry run is --dry-run"),
        (["ENV", "-n", "-o", "x.tar"], "a dry run is --dry-run"),
        (["-n", "ENV"], "a dry run is --dry-run"),
        (["-n", "-o", "x.tar", "ENV"], "a dry run is --dry-run"),
        (["ENV", "-nv"], "a dry run is --dry-run"),
        (["ENV", "-n", "app"], "both name the environment"),
        (["ENV", "-p", "envs/app"], "both name the environment"),
        (["-n", "app", "-p", "envs/app"], "both name the environment"),
        (["-n", "apq"], "Did you mean 'app'?"),
        (["-p", "app"], "is not a folder"),
        (["-p"], "requires an argument"),
    ],
)
def test_what_is_no_name_is_refused_and_nothing_goes(
    env: Path, words: list[str], said: str
) -> None:
    ran = condaprune(*(str(env) if word == "ENV" else word for word in words))
    assert (ran.status, said in ran.err) == (2, True), ran.err
    assert all((env / path).exists() for path in FILES)


def test_no_environment_is_not_the_active_one(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDA_PREFIX", str(env))
    ran = condaprune("prune", "-o", "x.tar")
    assert (ran.status, "-n NAME or -p DIR (the active one: -p $CONDA_PREFIX)" in ran.err) == (
        2, True,
    )  # fmt: skip
    monkeypatch.delenv("CONDA_PREFIX")
    assert condaprune("status").err.rstrip().endswith("-n NAME or -p DIR.")


def test_a_name_is_never_a_folder_and_a_folder_never_a_name(env: Path, tmp_path: Path) -> None:
    here = make_prefix(tmp_path / "app", {"lib/here.txt": b"x"})
    by_name = condaprune("-n", "app", "--dry-run").out
    assert by_name.startswith(str(env))
    by_folder = condaprune("-p", "app", "--dry-run").out
    assert by_folder.startswith("./app ")
    assert (here / "lib/here.txt").exists()


@pytest.mark.parametrize("option", [("-n", "app"), ("-p", "envs/app")])
@pytest.mark.parametrize(
    "command",
    [("status",), ("audit", "--quick"), ("explain", "."), ("why", "nothing"), ("undo",)],
    ids=lambda command: command[0],
)
def test_every_command_takes_the_environment_so(
    env: Path, command: tuple[str, ...], option: tuple[str, str]
) -> None:
    name, *words = command
    path = str(env) if option[0] == "-n" else "envs/app"
    by_option, by_path = condaprune(name, *option, *words), condaprune(name, path, *words)
    assert by_option == by_path


def packed(env: Path, *options: str) -> set[str]:
    ran = condaprune(env, "-o", "out.tar", "-f", "--no-guard", "all", *options)
    assert ran.status == 0, ran.err
    with tarfile.open("out.tar") as archive:
        return {name for name in archive.getnames() if name in FILES}


@pytest.mark.parametrize(
    ("options", "gone"),
    [
        (("--exclude", "*.pyx"), {"lib/a.pyx", "lib/deep/b.pyx"}),
        (("--exclude", "lib/*.pyx"), {"lib/a.pyx", "lib/deep/b.pyx"}),
        (("--exclude", "*test"), {"lib/texts/test"}),
        (("--exclude", "a.pyx"), set()),
        (("--exclude", "*.pyx", "--include", "*/deep/*"), {"lib/a.pyx"}),
        (("--include", "*/deep/*", "--exclude", "*.pyx"), {"lib/a.pyx", "lib/deep/b.pyx"}),
        (("--exclude", "lib/*", "--include", "*.txt", "--exclude", "*/inner*"),
         {"lib/a.pyx", "lib/deep/b.pyx", "lib/texts/test", "lib/mytest/inner.txt"}),
    ],
)  # fmt: skip
def test_exclude_and_include_are_conda_packs(
    env: Path, options: tuple[str, ...], gone: set[str]
) -> None:
    core = pytest.importorskip("conda_pack.core")
    files = [core.File(path, path) for path in FILES]
    other = core.CondaEnv(str(env), files)
    for option, pattern in zip(options[::2], options[1::2], strict=True):
        other = getattr(other, option.strip("-"))(pattern)
    assert {file.target for file in other.files} == FILES.keys() - gone
    assert packed(env, *options) == FILES.keys() - gone


def test_what_is_included_stays_against_a_rule(tmp_path: Path) -> None:
    env = make_prefix(tmp_path / "a", {"lib/liba.a": b"!<arch>"}, packages={"a": ["lib/liba.a"]})
    plain = condaprune(env, "--dry-run", "-vv").out
    assert "removed lib/liba.a" in plain
    kept = condaprune(env, "--dry-run", "-vv", "--include", "lib/*.a").out
    assert "removed lib/liba.a" not in kept
