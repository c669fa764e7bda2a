"""The options that say what may go: traces, packages, records, own rule files, suppressions."""

import json
from pathlib import Path

import pytest

from condaprune.live.trace.session import record
from condaprune.traces.format import write_trace
from tests.cli.runner import condaprune
from tests.trees import SITE, make_prefix

RULE = """
[[rule]]
id = "my-data"
why = "Training data."
breaks = ["demo.train()"]
risk = "high"
category = "data"
references = ["https://example.org/demo"]
remove = ["/share/demo/"]
[rule.examples]
removed = ["share/demo/a.bin"]
kept = ["opt/share/demo/a.bin"]
"""


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.toml").write_text(RULE)
    files = {"share/demo/a.bin": b"12345", "share/demo/b.bin": b"1", "lib/liba.a": b"!<arch>"}
    owned = {"demo": ["share/demo/a.bin", "share/demo/b.bin"], "a": ["lib/liba.a"]}
    return make_prefix(tmp_path / "env", dict(files), packages=owned)


def gone(env: Path, *options: object) -> set[str]:
    ran = condaprune(env, "--dry-run", "--format", "json", *options)
    assert ran.status == 0, ran.err
    return {row["path"] for row in json.loads(ran.out)["removed"]}


def test_the_rules_of_a_named_file_apply_whatever_their_risk(env: Path) -> None:
    assert "share/demo/a.bin" not in gone(env)
    assert "share/demo/a.bin" in gone(env, "--rules", "own.toml")


def test_a_trace_holds_what_it_touched(env: Path) -> None:
    trace = record(["cat", str(env / "share/demo/a.bin")], str(env))
    write_trace(trace, "app.trace")
    removed = gone(env, "--rules", "own.toml", "--trace", "app.trace", "--drop", "a.bin")
    assert "share/demo/a.bin" not in removed
    assert "share/demo/b.bin" in removed


def test_only_traced_needs_a_trace(env: Path) -> None:
    ran = condaprune(env, "--dry-run", "--only-traced")
    assert (ran.status, "--trace FILE" in ran.err) == (2, True)


def test_only_traced_drops_what_no_trace_touched(env: Path) -> None:
    trace = record(["cat", str(env / "share/demo/a.bin")], str(env))
    write_trace(trace, "app.trace")
    removed = gone(env, "--only-traced", "--trace", "app.trace")
    assert "share/demo/b.bin" in removed
    assert "share/demo/a.bin" not in removed
    assert "lib/python3.11/os.py" not in removed


def test_a_dropped_package_goes_with_its_files(env: Path) -> None:
    assert {"share/demo/a.bin", "share/demo/b.bin"} <= gone(env, "--drop-package", "demo")


def test_records_stay_slim_or_full_when_asked(env: Path) -> None:
    meta = "conda-meta/demo-1.0-0.json"
    assert meta in gone(env)
    assert meta not in gone(env, "--keep-conda-meta", "full")
    assert condaprune(env, "--keep-conda-meta", "slim").status == 0
    assert json.loads((env / meta).read_text())["files"] == []


def test_a_profile_of_ones_own_comes_from_the_configuration(env: Path, tmp_path: Path) -> None:
    (tmp_path / "condaprune.toml").write_text(
        'profile = "web"\nrules = ["own.toml"]\n[profiles.web]\nextends = "runtime"\n'
        'ignore = ["static-libraries"]\n'
    )
    removed = gone(env)
    assert "lib/liba.a" not in removed
    assert "share/demo/a.bin" in removed


def test_a_bill_of_materials_takes_the_place_of_the_records(env: Path) -> None:
    assert condaprune(env).status == 0
    names = {
        component["name"]
        for component in json.loads((env / "share/condaprune/environment.cdx.json").read_text())[
            "components"
        ]
    }
    assert names == {"demo", "a"}
    assert (env / "conda-meta/history").read_bytes() == b""
    assert (env / SITE).is_dir()
