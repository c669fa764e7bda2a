"""Each form of an audit and of a comparison; several in one run."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from condaprune.app.audit import audit
from condaprune.cli import run
from condaprune.errors import UsageProblem
from condaprune.report.audit.compare import compare
from condaprune.report.audit.make import Wanted
from condaprune.report.audit.model import Audit
from condaprune.report.forms import AUDIT, COMPARISON, able, render
from condaprune.report.layout import Show
from tests.trees import make_prefix


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    files = {
        "lib/a/liba.so.1": b"a" * 50_000,
        "lib/a/copy.so": b"a" * 50_000,
        "share/=cmd|x.txt": b"b" * 10_000,
        "share/\udcff.txt": b"c" * 5_000,
        "x|y`<b>.md": b"d" * 2_000,
    }
    return make_prefix(tmp_path / "env", files, packages={"a": ["lib/a/liba.so.1"]})


@pytest.fixture
def made(prefix: Path) -> Audit:
    return audit(os.fspath(prefix), Wanted(depth=3, compressed="exact", duplicates=True))


@pytest.mark.parametrize("width", [40, 80, 200])
def test_text_fits_the_terminal(made: Audit, width: int) -> None:
    text = render("text", AUDIT, made, Show(width=width, by=("package", "category", "extension")))
    table = text.split("\n  by ", 1)[1].split("\n  duplicates", 1)[0]
    assert all(len(line) <= width for line in table.splitlines())


def test_text_ends_with_the_commands_that_lead_on(made: Audit, prefix: Path) -> None:
    text = render("text", AUDIT, made, Show(width=80))
    assert f"condaprune audit {prefix} --profile runtime" in text
    assert f"condaprune explain {prefix} PATH" in text
    assert "condaprune" not in render("text", AUDIT, made, Show(width=80, by=("package",)))


def test_text_shows_duplicates_bars_and_escaped_names(made: Audit) -> None:
    text = render("text", AUDIT, made, Show(width=120, top=3))
    assert "█" in text
    assert "2 times 50.0 kB" in text
    assert "others]" in text
    assert "\\xff" in text
    plain = render("text", AUDIT, made, Show(width=120, ascii=True))
    assert "#" in plain
    assert "█" not in plain


def test_folders_are_shown_as_a_tree(made: Audit) -> None:
    text = render("text", AUDIT, made, Show(by=("folder",), top=0, width=100))
    lines = [line.split()[0] for line in text.split("by folder", 1)[1].splitlines() if line]
    assert lines.index("lib") < lines.index("a") < lines.index("share")


def test_csv_has_all_rows_and_no_formula(made: Audit) -> None:
    rows = list(csv.reader(io.StringIO(render("csv", AUDIT, made, Show(files=True)))))
    assert rows[0][:5] == ["view", "name", "version", "files", "bytes"]
    assert len({len(row) for row in rows}) == 1
    totals = [int(row[4]) for row in rows if row[0] == "category"]
    assert sum(totals) == made.total.bytes
    assert all(row[1][0] not in "=+-@" for row in rows[1:])


def test_markdown_takes_names_as_they_are(made: Audit) -> None:
    text = render("md", AUDIT, made, Show(by=("folder", "package")))
    assert text.startswith("## ")
    header = next(line for line in text.splitlines() if line.startswith("| folder"))
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.count("|") - line.count("\\|") == header.count("|") for line in rows)
    assert "<b>" not in text


def test_ncdu_holds_every_byte(made: Audit) -> None:
    data = json.loads(render("ncdu", AUDIT, made, Show()))
    assert data[:2] == [1, 2]

    def total(node: Any, name: str) -> int:
        if isinstance(node, list):
            return sum(total(child, name) for child in node)
        return int(node.get(name, 0))

    assert total(data[3], "asize") == made.total.bytes
    assert total(data[3], "dsize") == made.total.disk


def test_several_outputs_in_one_run(
    prefix: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {form: tmp_path / f"out.{form}" for form in ("json", "csv", "html", "ncdu", "text")}
    arguments = [f"-o{form}={path}" for form, path in names.items()]
    assert run(["audit", os.fspath(prefix), "-q", *arguments, "-o", "md=-"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("## ")
    assert err == ""
    assert all(path.stat().st_size for path in names.values())
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["-o", "jsn=x"], "Did you mean 'json'?", id="a misspelt form"),
        pytest.param(["-o", "x.unknown"], "names no form", id="no form"),
        pytest.param(["-o", "json="], "names no file", id="no file"),
        pytest.param(["-o", "json=-", "-o", "md=-"], "two outputs want stdout", id="stdout twice"),
        pytest.param(["-o", "json=/nonexistent/x"], "cannot be written", id="no such folder"),
        pytest.param(["--rules", "/nonexistent.toml"], "nonexistent.toml", id="no rule file"),
        pytest.param(["--unused", "/nonexistent.trace"], "nonexistent.trace", id="no trace"),
    ],
)
def test_bad_options_have_one_clear_message(
    prefix: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert run(["audit", os.fspath(prefix), "-q", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1


def test_a_form_follows_from_the_name_of_a_file(prefix: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.json"
    assert run(["audit", os.fspath(prefix), "-q", "--quick", "-o", os.fspath(out)]) == 0
    assert json.loads(out.read_text())["format"] == "condaprune-audit"


def test_a_comparison_in_every_form(made: Audit, tmp_path: Path) -> None:
    other = make_prefix(tmp_path / "b", {"lib/new.so": b"n" * 9_000}, packages={"a": []})
    comparison = compare(made, audit(os.fspath(other), Wanted(depth=3)))
    assert able(COMPARISON) == ("text", "json", "csv", "md", "html", "github")
    for form in able(COMPARISON):
        assert render(form, COMPARISON, comparison, Show())
    with pytest.raises(UsageProblem, match="the form ncdu cannot hold a comparison"):
        render("ncdu", COMPARISON, comparison, Show())
    sizes = [abs(change.grown) for change in comparison.views["package"]]
    assert sizes == sorted(sizes, reverse=True)
    data = json.loads(render("json", COMPARISON, comparison, Show()))
    new = next(row for row in data["views"]["file"] if row["name"] == "lib/new.so")
    assert (new["before"], new["after"]["bytes"], new["percent"]) == (None, 9_000, None)


def test_alike_environments_have_no_rows(made: Audit) -> None:
    comparison = compare(made, made)
    assert not any(comparison.views.values())
    assert "by package: no change" in render("text", COMPARISON, comparison, Show())


def test_a_manifest_is_not_compared_with_an_environment(
    prefix: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "m.json"
    assert (
        run(["prune", os.fspath(prefix), "--dry-run", "-q", "--manifest", os.fspath(manifest)]) == 0
    )
    assert run(["audit", os.fspath(manifest), "-q"]) == 0
    assert run(["diff", os.fspath(manifest), os.fspath(manifest), "-q"]) == 0
    capsys.readouterr()
    assert run(["diff", os.fspath(manifest), os.fspath(prefix), "-q"]) == 2
    assert "only with another manifest" in capsys.readouterr().err


def test_a_dry_run_of_a_profile_is_a_view(prefix: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", os.fspath(prefix), "-q", "--by", "rule"]) == 0
    assert "(kept)" in capsys.readouterr().out
    assert run(["audit", os.fspath(prefix), "-q", "--by", "rule", "-o", "json=-"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["guarded"] is True
    rows = data["views"]["rule"]
    assert sum(row["bytes"] for row in rows) == data["total"]["bytes"]
    gone = sum(row["bytes"] for row in rows if row["name"] != "(kept)")
    assert gone == data["total"].get("removed_bytes", 0)


def test_an_estimate_of_compressed_bytes_is_near_the_exact_ones(tiny_env: Any) -> None:
    name = os.fspath(tiny_env.prefix)
    exact = audit(name, Wanted(compressed="exact")).total.compressed
    guess = audit(name, Wanted(compressed="sample")).total.compressed
    assert abs(guess - exact) < 0.15 * exact


def test_archives_are_audited_like_the_environment(packed_tiny: Any, tiny_env: Any) -> None:
    archive = audit(os.fspath(packed_tiny("tar.gz").archive), Wanted(strippable=True))
    assert archive.source == "archive"
    assert "disk" not in archive.measured
    assert archive.total.strippable > 0
    row = archive.row("category", "shared-libraries")
    own = audit(os.fspath(tiny_env.prefix)).row("category", "shared-libraries")
    assert row is not None
    assert own is not None
    assert row.files == own.files


def test_a_profile_of_ones_own_comes_from_the_configuration(
    prefix: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (prefix / "include").mkdir()
    (prefix / "include/zlib.h").write_bytes(b"x" * 500)
    (tmp_path / "condaprune.toml").write_text(
        '[profiles.mine]\nextends = "safe"\nselect = ["c-headers"]\n'
    )
    monkeypatch.chdir(tmp_path)
    assert run(["audit", os.fspath(prefix), "-q", "--profile", "mine", "-o", "json=-"]) == 0
    mine = json.loads(capsys.readouterr().out)["total"].get("removed_bytes", 0)
    assert run(["audit", os.fspath(prefix), "-q", "--profile", "safe", "-o", "json=-"]) == 0
    safe = json.loads(capsys.readouterr().out)["total"].get("removed_bytes", 0)
    assert mine > safe
