"""Nothing silent: options without an effect, wrong values, patterns that match nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.runner import condaprune
from tests.trees import SITE, distribution, listing, make_prefix


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    files = distribution("demo", {"demo/__init__.py": b"", "demo/tests/test_a.py": b"x"})
    return make_prefix(tmp_path / "env", {**files, "lib/liba.a": b"!<arch>"})


def warnings(*words: object) -> list[str]:
    ran = condaprune(*words)
    assert ran.status == 0, ran.err
    start = "condaprune: warning: "
    return [line.removeprefix(start) for line in ran.err.splitlines() if line.startswith(start)]


@pytest.mark.parametrize(
    "options",
    [
        ("--with-orphans",), ("--closure", "package"), ("--accept-failed",), ("--heal-tries", "5"),
        ("--heal-time", "5"), ("--force",), ("--archive-format", "zip"), ("--compress-level", "3"),
        ("--threads", "2"), ("--dest-prefix", "/opt/x"), ("--owner", "1:1"), ("--mode", "keep"),
        ("--arcroot", "x"), ("--ignore-editable-packages",), ("--zip-symlinks",), ("--layers", "3"),
        ("--layer-compression", "zstd"), ("--base", "x"), ("--env", "A=1"), ("--entrypoint", "x"),
        ("--cmd", "x"), ("--user", "1"), ("--workdir", "/x"), ("--max-entries", "9"),
        ("--max-size", "9"), ("--max-ratio", "9"), ("--links-out",),
        ("--config", "c.toml", "--isolated"), ("--accept-config",),
        ("--accept-config", "--isolated"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_an_option_without_an_effect_is_said(env: Path, options: tuple[str, ...]) -> None:
    (warning,) = warnings(env, "--dry-run", *options)
    assert warning.startswith(f"{options[0]} has no effect")
    assert not condaprune(env, "--dry-run", "--quiet", *options).err


@pytest.mark.parametrize(
    ("output", "options", "said"),
    [
        ("x.tar", ("--entrypoint", "x"), "--entrypoint has no effect but on an image"),
        ("x.tar", ("--layers", "3"), "--layers has no effect but on an image"),
        ("x.tar", ("--zip-symlinks",), "--zip-symlinks has no effect but on a zip"),
        ("x.zip", ("--owner", "1:1"), "--owner has no effect on a zip"),
        ("x.zip", ("--threads", "2"), "--threads has no effect on the format zip"),
        ("x/", ("-j", "2"), "--threads has no effect on the format folder"),
        ("x.tar", ("--allow-self",), "--allow-self has no effect with -o"),
    ],
)
def test_an_option_of_another_output_is_said(
    env: Path, output: str, options: tuple[str, ...], said: str
) -> None:
    (warning,) = warnings(env, "-o", output, *options)
    assert warning.startswith(said)


@pytest.mark.parametrize(
    "options",
    [
        (), ("--strip",), ("--bytecode", "keep"), ("-o", "x.tar", "--force", "--owner", "1:1"),
        ("-o", "x.oci", "--entrypoint", "x", "--layers", "3"), ("-o", "x.zip", "--zip-symlinks"),
        ("--drop", "*.a"), ("--keep", "{site}/demo/tests/"), ("--select", "tests"),
        ("--ignore", "tests"), ("--ignore", "static-libraries"), ("-v",),
    ],
    ids=" ".join,
)  # fmt: skip
def test_an_option_with_an_effect_is_not(env: Path, options: tuple[str, ...]) -> None:
    assert warnings(env, "--dry-run", *options) == []


@pytest.mark.parametrize(
    "options",
    [
        ("--closure", "foo"), ("--no-guard", "elff"), ("--select", "nope"), ("--ignore", "nope"),
        ("--profile", "runtme"), ("--set", "nope.x=1"), ("--owner", "x"), ("--mode", "x"),
        ("--archive-format", "foo"), ("--env", "A"), ("--dest-prefix", "x"), ("--arcroot", "../x"),
        ("--keep", "a//b"), ("--drop", "{nope}/x"), ("--trace", "none.trace"),
        ("--rules", "none.toml"), ("-o", "x.foo"), ("-o", "x.tar.gz", "--compress-level", "99"),
        ("-o", "none/x.tar"), ("-o", "env"),
    ],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["run", "dry run"])
def test_a_wrong_value_is_found_before_the_scan(
    env: Path, options: tuple[str, ...], dry: tuple[str, ...]
) -> None:
    before = listing(env)
    ran = condaprune(env, *options, *dry)
    assert ran.status == 2
    assert "scan" not in ran.err
    assert listing(env) == before


@pytest.mark.parametrize("name", ["audit", "explain"])
def test_a_wrong_guard_is_found_before_the_scan_by_others_too(env: Path, name: str) -> None:
    words = (name, env, *([] if name == "audit" else ["."]), "--no-guard", "elff")
    ran = condaprune(*words)
    assert (ran.status, "Did you mean 'elf'?" in ran.err) == (2, True)
    assert "scan" not in ran.err


@pytest.mark.parametrize(
    ("pattern", "near"),
    [
        ("lib/libb.a", "lib/liba.a"),
        ("{site}/demo/test/", f"{SITE}/demo/tests"),
        ("/lib/liba*.aa", "lib/liba.a"),
        ("test_b.py", f"{SITE}/demo/tests/test_a.py"),
    ],
)
@pytest.mark.parametrize(
    "words", [("prune", "ENV"), ("audit", "ENV"), ("explain", "ENV", ".")], ids=lambda w: w[0]
)
def test_keeping_what_is_not_there_is_an_error(
    env: Path, words: tuple[str, ...], pattern: str, near: str
) -> None:
    before = listing(env)
    ran = condaprune(*(str(env) if word == "ENV" else word for word in words), "--keep", pattern)
    assert ran.status == 2
    assert ran.err.splitlines()[-1] == (
        f"condaprune: --keep {pattern!r}: matches nothing in {env}. The nearest path is {near}"
    )
    assert listing(env) == before


def test_including_what_is_not_there_is_an_error(env: Path) -> None:
    ran = condaprune(env, "-o", "x.tar", "--include", "lib/libb.a")
    assert (ran.status, "--include 'lib/libb.a': matches nothing" in ran.err) == (2, True)


def test_keeping_by_the_configuration_what_is_not_there_is_a_warning(env: Path) -> None:
    Path("condaprune.toml").write_text('keep = ["lib/libb.a", "*.a"]\ndrop = ["/share/none/"]\n')
    kept, dropped = warnings(env)
    assert kept.endswith("condaprune.toml: keep 'lib/libb.a' matches nothing; the nearest path is "
                         "lib/liba.a")  # fmt: skip
    assert "drop '/share/none/' matches nothing" in dropped
    assert (env / "lib/liba.a").exists()


@pytest.mark.parametrize(
    "options", [("--drop", "/lib/nope"), ("--exclude", "lib/nope")], ids=lambda options: options[0]
)
def test_dropping_what_is_not_there_is_a_warning(env: Path, options: tuple[str, str]) -> None:
    (warning,) = warnings(env, *options)
    assert warning.startswith(f"{options[0]} {options[1]!r} matches nothing")


def test_a_pattern_that_another_one_overrules_has_matched(env: Path) -> None:
    assert warnings(env, "--dry-run", "--keep", "*.a", "--keep", "lib/liba.a", "--drop", "*.a",
                    "--drop", "*.py", "--drop", "!test_a.py") == []  # fmt: skip


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--ignore", "torch-cmake"), "--ignore torch-cmake has no effect here: there is no"),
        (("--select", "torch-cmake"), "--select torch-cmake has no effect here: there is no"),
        (("--select", "tests", "--ignore", "tests"),
         "--select tests has no effect: --ignore tests leaves it out"),
        (("--ignore", "static-libraries", "--profile", "safe"),
         "--ignore static-libraries has no effect: profile safe leaves it out as it is"),
    ],
)  # fmt: skip
def test_a_rule_without_an_effect_is_said(env: Path, options: tuple[str, ...], said: str) -> None:
    (warning,) = warnings(env, "--dry-run", *options)
    assert warning.startswith(said)


@pytest.mark.parametrize(
    ("options", "option"),
    [
        (("--runtime", "--save", "x.json"), "--save"), (("--dockerfile", "--exact"), "--exact"),
        (("--all-files",), "--all-files"), (("--format", "json", "--top", "3"), "--top"),
        (("--isolated",), "--isolated"), (("-o", "a.html", "--by", "folder"), "--by"),
    ],
)  # fmt: skip
def test_an_audit_says_what_has_no_effect(env: Path, options: tuple[str, ...], option: str) -> None:
    (warning,) = warnings("audit", env, *options)
    assert warning.startswith(f"{option} has no effect")


@pytest.mark.parametrize("words", [("audit", "env"), ("diff", "env", "env")], ids=lambda w: w[0])
def test_leaving_out_what_is_not_there_is_a_warning(env: Path, words: tuple[str, ...]) -> None:
    (warning,) = warnings(*words, "--exclude", "lib/libb.a", "--exclude", "*.a")
    assert warning == "--exclude 'lib/libb.a' matches nothing; the nearest path is lib/liba.a"


def test_a_name_is_no_form_unless_it_is_one(env: Path) -> None:
    assert condaprune(env, "-o", "a=b.tar").status == 0
    assert Path("a=b.tar").is_file()
    assert condaprune(env, "-o", "zip=odd.name").status == 0
    assert Path("odd.name").read_bytes()[:2] == b"PK"
    ran = condaprune(env, "-o", "zip=again", "--archive-format", "tar")
    assert (ran.status, "Leave one of them out" in ran.err) == (2, True)


def test_an_address_is_answered_in_a_sentence() -> None:
    for address in ("https://example.org/env.tar.gz", "docker://python:3.12"):
        ran = condaprune(address)
        assert (ran.status, "is an address" in ran.err) == (2, True)


def test_an_unknown_extension_is_answered_with_those_that_there_are(env: Path) -> None:
    ran = condaprune(env, "-o", "x.foo")
    assert ran.status == 2
    assert all(form in ran.err for form in (".tar.zst", ".zip", ".oci", ".squashfs", "folder"))
    assert "Did you mean" not in ran.err


def test_json_stays_json_under_warnings(env: Path) -> None:
    ran = condaprune(env, "--dry-run", "--format", "json", "--layers", "3", "-v")
    assert json.loads(ran.out)["dry_run"]
    assert ran.err.count("warning:") == 2
