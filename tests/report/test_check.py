"""Budgets: kept, not kept, and refused where they make no sense."""

from __future__ import annotations

import json
import os
import shutil
import time
from fractions import Fraction
from pathlib import Path

import pytest

from condaprune.api import prune
from condaprune.app.audit import audit
from condaprune.cli import run
from condaprune.report.audit.budget import AmountError, Growth, parse_growth, parse_size
from condaprune.report.audit.make import Wanted
from condaprune.report.audit.model import Audit
from condaprune.request.request import Request
from lab.envs import SyntheticPackage
from lab.envs.fixtures import MakeEnvironment
from lab.envs.model import BuiltEnvironment
from tests.trees import make_prefix, make_tree, record


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", 1), ("1.5 kB", 1500), ("2KB", 2000), ("1 GiB", 1 << 30), (".5MB", 500_000), (7, 7)],
)
def test_sizes_are_read(text: object, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "1 parsec", "-1", "1,5 MB", -3, True, None, "1e3"])
def test_what_is_no_size_is_refused(text: object) -> None:
    with pytest.raises(AmountError):
        parse_size(text)


def test_a_growth_of_spaces_takes_no_time() -> None:
    began = time.process_time()
    with pytest.raises(AmountError):
        parse_growth("5%" + " " * 100_000 + "x")
    assert parse_growth("5%  and\t5 MB") == Growth(
        (Fraction(1, 20),), (5_000_000,), both=True, text="5%  and\t5 MB"
    )
    assert time.process_time() - began < 1


def test_growth_with_and_is_exceeded_only_when_both_are() -> None:
    assert parse_growth("5% and 5MB").limit(10_000_000) == 15_000_000
    assert parse_growth("5% and 5MB").limit(1_000_000_000) == 1_050_000_000
    assert parse_growth("5% or 5MB").limit(1_000_000_000) == 1_005_000_000
    assert parse_growth("3 MB").limit(0) == 3_000_000
    with pytest.raises(AmountError, match="mixes"):
        parse_growth("5% and 5MB or 1%")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an environment in ``env``, which is the working folder."""
    files = {"lib/a/liba.so": b"a" * 40_000, "lib/b/tests/data.bin": b"b" * 10_000}
    packages = {"a": ["lib/a/liba.so"], "b": ["lib/b/tests/data.bin"]}
    make_prefix(tmp_path / "env", files, packages=packages)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CONDAPRUNE_CONFIG", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return tmp_path


def budget(project: Path, text: str) -> None:
    (project / "condaprune.toml").write_text(text)


def grow(project: Path, name: str = "c", size: int = 30_000) -> None:
    make_tree(
        project / "env",
        {
            f"lib/{name}/lib{name}.so": b"c" * size,
            f"conda-meta/{name}-1.0-0.json": record(name, [f"lib/{name}/lib{name}.so"]),
        },
    )


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        pytest.param('[budget.environment]\nmax = "1 MB"', 0, "within budget", id="below the max"),
        pytest.param('[budget.environment]\nmax = "10 kB"', 1, "over by", id="above the max"),
        pytest.param(
            '[budget.category.shared-libraries]\nmax = "40 kB"',
            0,
            "within budget",
            id="exactly the max",
        ),
        pytest.param(
            '[budget.package.a]\nmax = 40000\nmessage = "ask Ann"', 1, "ask Ann", id="one byte over"
        ),
        pytest.param(
            "[budget.category.tests]\nmax_files = 0", 1, "1 too many", id="too many files"
        ),
        pytest.param("[budget.package.zzz]\nabsent = true", 0, "is absent", id="an absent package"),
        pytest.param("[budget.package.b]\nabsent = true", 1, "is there", id="a forbidden package"),
        pytest.param(
            '[budget.folder."lib/a/"]\nmax = "30 kB"', 1, "FAIL  folder lib/a", id="a folder"
        ),
        pytest.param(
            '[budget]\nexclude = ["lib/a/"]\n[budget.folder.lib]\nmax = "40 kB"',
            0,
            "within budget",
            id="an exclude takes what is under it",
        ),
    ],
)
def test_a_budget_decides(
    project: Path, capsys: pytest.CaptureFixture[str], text: str, code: int, said: str
) -> None:
    budget(project, text)
    assert run(["check", "env", "-q"]) == code
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('[budget.package.aa]\nmax = "1 MB"', "Did you mean 'a'?", id="a package"),
        pytest.param("[budget.category.test]\nmax = 1", "Did you mean 'tests'?", id="a category"),
        pytest.param(
            '[budget.environment]\nmax = "1 parsec"', "unknown unit 'parsec'", id="a unit"
        ),
        pytest.param(
            '[budget.environment]\ngrowth = "much"', "'much' is not a size", id="a growth"
        ),
        pytest.param("[budget.environment]\nmaxx = 1", "Did you mean 'max'?", id="a key"),
        pytest.param("[budget.enviroment]\nmax = 1", "Did you mean 'environment'?", id="a scope"),
        pytest.param("[budget.environment]", "limits nothing", id="a table without a limit"),
        pytest.param("[budget]", "holds no limit", id="no table"),
        pytest.param("profile = 'safe'", "has no [budget] table", id="no budget"),
        pytest.param("[budget", "not valid TOML", id="no TOML"),
        pytest.param(
            '[budget.environment]\nmeasure = "weight"\nmax = 1',
            "toml:2: 'measure' is 'weight'",
            id="a measure",
        ),
        pytest.param(
            "[budget.package.a]\nnew_files = false",
            "not for this table",
            id="new files of a package",
        ),
        pytest.param('[budget.environment]\ngrowth = "5%"', "there is none", id="no baseline"),
        pytest.param(
            "[budget.environment]\nmax_files = true",
            "'max_files' is True. Give a whole number",
            id="a file count",
        ),
        pytest.param(
            "[budget.environment]\nmax_files = -1", "'max_files' is -1", id="a negative count"
        ),
        pytest.param("[budget.environment]\nmax = 1.5", "'max' is 1.5", id="half a byte"),
        pytest.param(
            "[budget.environment]\ngrowth = 5",
            "'growth' is a number. Give a string",
            id="a growth that is a number",
        ),
        pytest.param(
            "[budget.environment]\nabsent = 1",
            "'absent' is a number. Give true or false",
            id="a number for true",
        ),
        pytest.param(
            '[budget]\nexclude = "x"\n[budget.environment]\nmax = 1',
            "'exclude' is a string. Give a list",
            id="an exclude that is one text",
        ),
        pytest.param(
            "[budget.package]\na = 3",
            "'a' is a number. Give a table",
            id="a package without a table",
        ),
    ],
)
def test_a_bad_budget_has_one_clear_message(
    project: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    budget(project, text)
    assert run(["check", "env", "-q"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert said in err
    assert "condaprune.toml" in err


def test_a_budget_of_a_project_is_checked_where_it_stands(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pyproject.toml").write_text('[tool.condaprune.budget.package.a]\n\nmax = "1 XB"\n')
    assert run(["check", "env", "-q", "--budget", "pyproject.toml"]) == 2
    assert "pyproject.toml:3: '1 XB' has the unknown unit" in capsys.readouterr().err


GROWTH = '[budget]\nbaseline = "base.json"\n[budget.environment]\ngrowth = "5% and 5kB"\n'


def test_growth_is_measured_against_the_saved_baseline(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    budget(project, GROWTH + "[budget.category.tests]\nnew_files = false\n")
    assert run(["check", "env", "-q", "--save", "base.json"]) == 0
    assert run(["check", "env", "-q"]) == 0
    grow(project)
    make_tree(project / "env", {"lib/b/tests/new.bin": b"x"})
    capsys.readouterr()
    assert run(["check", "env", "-q"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "conda:c 1.0 is new with 30.1 kB" in lines[0]
    assert lines[3].split()[:2] == ["conda:c", "1.0"]
    assert any("1 new file: lib/b/tests/new.bin" in line for line in lines)
    assert any(line.startswith("  FAIL  environment: grew by") for line in lines)


def test_an_upgrade_is_one_row(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "env", "-q", "--quick", "-o", "json=old.json"]) == 0
    old = project / "env/conda-meta/a-1.0-0.json"
    old.unlink()
    make_tree(
        project / "env",
        {"conda-meta/a-2.0-0.json": record("a", ["lib/a/liba.so"], "2.0"), "lib/a/liba.so": b"a"},
    )
    assert run(["diff", "old.json", "env", "-q", "--by", "package"]) == 0
    out = capsys.readouterr().out
    assert sum("conda:a" in line for line in out.splitlines()) == 1
    assert "conda:a 1.0 -> 2.0" in out


def test_a_baseline_of_another_environment_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    budget(project, GROWTH)
    make_prefix(project / "other", {}, packages={name: [] for name in "wxyz"}, python=False)
    assert run(["audit", "other", "-q", "--quick", "--save", "base.json"]) == 0
    capsys.readouterr()
    assert run(["check", "env", "-q"]) == 2
    assert "is of another environment (other)" in capsys.readouterr().err


def test_a_baseline_with_other_excludes_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    budget(project, GROWTH)
    assert run(["audit", "env", "-q", "--quick", "--exclude", "*.so", "--save", "base.json"]) == 0
    capsys.readouterr()
    assert run(["check", "env", "-q"]) == 2
    assert "saved with other excludes (*.so)" in capsys.readouterr().err


def test_what_a_prune_would_leave_is_held_to_the_budget(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    budget(project, 'profile = "runtime"\ndrop = ["lib/b/"]\n[budget.package.b]\nmax = "5 kB"\n')
    assert run(["check", "env", "-q"]) == 1
    assert run(["check", "env", "-q", "--pruned"]) == 0
    assert "within budget" in capsys.readouterr().out
    assert (project / "env/lib/b/tests/data.bin").exists()


def test_a_baseline_of_the_whole_is_none_for_what_a_prune_would_leave(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    budget(project, '[budget.environment]\ngrowth = "1 kB"\n')
    assert run(["check", "env", "--save", "base.json"]) == 0
    assert run(["check", "env", "--baseline", "base.json", "--pruned"]) == 2
    assert "Use --pruned for both or for neither" in capsys.readouterr().err
    assert run(["check", "env", "--pruned", "--save", "base.json"]) == 0
    assert run(["check", "env", "--baseline", "base.json", "--pruned"]) == 0
    assert run(["check", "env", "--baseline", "base.json"]) == 2


def test_only_what_can_be_pruned_is_counted_as_pruned(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    budget(project, '[budget.environment]\nmax = "1 MB"\n')
    assert run(["audit", "env", "-o", "json=saved.json"]) == 0
    assert run(["check", "saved.json", "--pruned"]) == 2
    assert "only an environment or an archive can be counted as pruned" in capsys.readouterr().err


def test_an_option_of_a_prune_is_not_ignored_without_pruned(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    budget(project, '[budget.environment]\nmax = "1 MB"\n')
    assert run(["check", "env", "--profile", "minimal"]) == 2
    assert "Add --pruned" in capsys.readouterr().err
    assert run(["check", "env", "--profile", "minimal", "--pruned"]) == 0


@pytest.mark.parametrize("bytecode", ["drop", "hash"])
def test_what_is_counted_as_pruned_is_what_a_prune_leaves(
    bytecode: str, fresh_tiny: BuiltEnvironment
) -> None:
    request = Request(bytecode=bytecode)  # type: ignore[arg-type]
    told = audit(os.fspath(fresh_tiny.prefix), Wanted(), request, pruned=True)
    prune(fresh_tiny.prefix, request)
    real = audit(os.fspath(fresh_tiny.prefix), Wanted())
    own = {"conda-meta/condaprune", "conda-meta/condaprune/status.json"}  # of a run in place

    def sizes(found: Audit) -> dict[str, int]:
        return {i.path: i.bytes for i in found.items if i.kind == "file" and i.path not in own}

    assert sizes(told) == sizes(real)


def test_one_run_gates_annotates_and_exports(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    budget(project, GROWTH + '[budget.package.c]\nmax = "1 kB"\nmessage = "100% sure?\\nyes"\n')
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project / "summary.md"))
    grow(project)
    assert run(["check", "env", "-q", "--save", "base.json"]) == 0
    grow(project, "d")
    capsys.readouterr()
    arguments = ["-o", "github=-", "-o", "json=verdict.json", "--audit", "csv=audit.csv"]
    assert run(["check", "env", "-q", *arguments]) == 1
    out = capsys.readouterr().out.splitlines()
    assert [line.partition("::")[2].partition(" ")[0] for line in out] == ["error"] * 2 + ["notice"]
    assert "100%25 sure?\\nyes" in out[1] or "100%25 sure?\\nyes" in out[0]
    assert "conda:d" in (project / "summary.md").read_text()
    verdict = json.loads((project / "verdict.json").read_text())
    assert verdict["passed"] is False
    assert verdict["grew_most"][0]["name"] == "conda:d"
    assert (project / "audit.csv").read_text().startswith("view,name,version,files,bytes")


def test_a_new_package_in_a_real_environment_is_named_first(
    make_environment: MakeEnvironment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    budget(
        tmp_path, '[budget]\nbaseline = "base.json"\n[budget.environment]\ngrowth = "1% and 1MB"'
    )
    before = os.fspath(make_environment("tiny").prefix)
    assert run(["check", before, "-q", "--save", "base.json"]) == 0
    assert run(["check", before, "-q"]) == 0
    assert (tmp_path / "base.json").stat().st_size < 150_000
    shutil.copy("base.json", "unchanged.json")
    heavy = SyntheticPackage("heavyweight", files={"share/heavy.bin": os.urandom(5_000_000)})
    after = make_environment("tiny", packages=[heavy])
    capsys.readouterr()
    assert run(["check", os.fspath(after.prefix), "-q"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "over budget (1 of 1 check failed; conda:heavyweight 1.0 is new" in lines[0]
    assert lines[3].split()[0] == "conda:heavyweight"
