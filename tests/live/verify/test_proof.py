"""`compare` as a whole, and `condaprune verify`."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from condaprune.cli.verify import verify
from condaprune.errors import CondapruneError, SourceError, UsageProblem
from condaprune.live.verify.checks import NAMES
from condaprune.live.verify.proof import compare
from tests.live.verify.conftest import SITE, Environments, MakePair, distribution, remove
from tests.live.verify.elf import AARCH64, X86_64, make_elf
from tests.trees import Content, Link

TREE: dict[str, Content] = {
    **distribution("demo", {"demo/__init__.py": "from demo import part\n", "demo/part.py": ""}),
    "lib/libz.so": Link("libz.so.1"),
    "lib/libz.so.1": make_elf(),
    "lib/libuser.so": make_elf(["libz.so.1"]),
    "etc/conda/activate.d/x.sh": b'export X="$CONDA_PREFIX/share/x"\n',
    "share/x": b"",
}


def run(*arguments: str | os.PathLike[str]) -> Result:
    return CliRunner().invoke(verify, [os.fspath(a) for a in arguments], standalone_mode=False)


@pytest.fixture
def pair(make_pair: MakePair) -> Environments:
    return make_pair(TREE)


def test_all_checks_run_and_an_exact_copy_loses_nothing(pair: Environments) -> None:
    found = compare(*pair)
    assert found.ok
    assert found.checks == NAMES
    assert found.removed == found.announced == ()
    counted = {name for name, count in found.counts.items() if count.compared}
    assert counted == set(NAMES) - {"unpack"}


def test_losses_of_several_checks_come_in_one_report(pair: Environments, tmp_path: Path) -> None:
    before, after = pair
    gone = ["lib/libz.so.1", f"{SITE}/demo/part.py", "share/x"]
    remove(after, *gone)
    manifest = tmp_path / "m.json"
    manifest.write_text(json.dumps({"removed": [{"path": p, "rule": "mine"} for p in gone]}))
    result = run(before, after, "--manifest", manifest, "--format", "json", "-q")
    assert result.return_value == 1
    report = json.loads(result.stdout)
    assert report["ok"] is False
    assert {(f["check"], f["name"]) for f in report["lost"]} == {
        ("links", "lib/libz.so"),
        ("elf", "libz.so.1"),
        ("metadata", "demo"),
        ("environment", "X"),
        ("imports", "demo"),
    }
    assert {c["rule"] for f in report["lost"] for c in f["removed"]} == {"mine"}


def test_text_names_what_was_lost_first_and_the_rule(pair: Environments, tmp_path: Path) -> None:
    remove(pair[1], f"{SITE}/demo/part.py")
    manifest = tmp_path / "m.json"
    row = {"path": f"{SITE}/demo/part.py", "rule": "mine"}
    manifest.write_text(json.dumps({"removed": [row]}))
    result = run(*pair, "--check", "imports", "--manifest", manifest)
    assert result.return_value == 1
    lines = result.stdout.splitlines()
    assert lines[0].startswith("1 lost: ")
    assert lines[2:4] == ["lost", "  imports: module demo"]
    assert f"    {SITE}/demo/part.py removed by mine" in lines
    assert f"      --keep /{SITE}/demo/part.py or --ignore mine keeps it" in lines
    assert "  imports: 1 module by mine" in lines
    assert "imports" in result.stderr


def test_nothing_lost_is_exit_status_0(pair: Environments, tmp_path: Path) -> None:
    output = tmp_path / "report.txt"
    result = run(*pair, "--check", "links", "--check", "elf", "-o", output, "-q")
    assert (result.return_value, result.stdout, result.stderr) == (0, "", "")
    assert output.read_text().startswith("nothing lost")


def test_links_and_libraries_are_checked_without_running_anything(make_pair: MakePair) -> None:
    before, after = make_pair({**TREE, "bin/python": b"#!/bin/sh\ntouch ran\n"})
    found = compare(before, after, checks=["links", "elf"])
    assert found.ok
    assert found.notes == ()


def test_an_environment_of_another_machine_is_checked_as_far_as_files_go(
    make_pair: MakePair,
) -> None:
    import platform

    here = platform.machine() in ("aarch64", "arm64")
    other, name = (X86_64, "x86_64") if here else (AARCH64, "aarch64")
    before, after = make_pair(
        {**TREE, "bin/python": make_elf(machine=other), f"{SITE}/../os.py": b""}
    )
    remove(after, f"{SITE}/demo-1.0.dist-info/METADATA", "lib/libz.so.1")
    found = compare(before, after)
    assert {u.check for u in found.unchecked} == {"commands", "imports"}
    assert all(f"built for {name}" in u.why for u in found.unchecked)
    assert {f.check for f in found.lost} == {"links", "elf", "metadata"}


def archive(prefix: Path, path: Path) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        tar.add(prefix, ".")
    return path


def test_an_archive_is_unpacked_and_compared(make_pair: MakePair, tmp_path: Path) -> None:
    tree = {path: data for path, data in TREE.items() if path != "bin/python"}
    before, after = make_pair(tree)
    os.unlink(after / "bin/python")  # an archive holds no link out of its environment
    os.unlink(before / "bin/python")
    assert compare(before, archive(after, tmp_path / "a.tar.gz")).ok
    remove(after, "lib/libz.so.1", "share/x")
    found = compare(before, archive(after, tmp_path / "b.tar.gz"))
    assert {(f.check, f.name) for f in found.lost} == {
        ("links", "lib/libz.so"),
        ("elf", "libz.so.1"),
        ("environment", "X"),
    }


@pytest.mark.parametrize(
    ("change", "what"),
    [
        pytest.param(lambda b, a: (b, b), "the same environment", id="one environment twice"),
        pytest.param(lambda b, a: (b, a / "none"), "does not exist", id="no such folder"),
        pytest.param(lambda b, a: (b, b.parent), "is not an environment", id="no environment"),
        pytest.param(lambda b, a: (b, b / "share/x"), "empty", id="no archive"),
    ],
)
def test_what_cannot_be_compared(pair: Environments, change, what: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(CondapruneError, match=what) as caught:
        compare(*change(*pair))
    assert caught.value.exit_code == 2
    assert caught.value.remedy


def test_a_check_of_no_known_name(pair: Environments) -> None:
    with pytest.raises(UsageProblem, match="there is no check 'import'") as caught:
        compare(*pair, checks=["import"])
    assert "imports" in caught.value.remedy


def test_a_manifest_that_is_missing_is_found_before_the_work(pair: Environments) -> None:
    with pytest.raises(SourceError, match="manifest cannot be read"):
        compare(*pair, manifest=pair[0] / "none.json")


def test_names_that_are_not_utf8_are_reported_printably(pair: Environments) -> None:
    before, after = pair
    for prefix in pair:
        with open(os.fsencode(prefix) + b"/share/caf\xe9", "wb"):
            pass
        os.symlink(b"caf\xe9", os.fsencode(prefix) + b"/share/link\xe9")
    os.unlink(os.fsencode(after) + b"/share/caf\xe9")
    result = run(before, after, "--check", "links", "-q")
    assert result.return_value == 1
    assert "links: link share/link\\xe9" in result.stdout
    as_json = run(before, after, "--check", "links", "-q", "--format", "json")
    assert json.loads(as_json.stdout)["lost"][0]["name"] == "share/link\udce9"


TWO: dict[str, Content] = {
    **distribution("one", {"one/__init__.py": "", "one/part.py": ""}),
    **distribution("two", {"two/__init__.py": "", "two/part.py": ""}),
}


@pytest.fixture
def two(make_pair: MakePair) -> Environments:
    before, after = make_pair(TWO)
    remove(after, f"{SITE}/one/part.py")
    return before, after


def imported(*arguments: str | os.PathLike[str]) -> dict[str, object]:
    result = run(*arguments, "--check", "imports", "--format", "json", "-q")
    report = json.loads(result.stdout)
    assert isinstance(report, dict)
    return report


def test_a_package_can_be_checked_alone(two: Environments, tmp_path: Path) -> None:
    manifest = tmp_path / "m.json"
    manifest.write_text('{"removed": []}')
    for name, lost in ("one", ["one.part"]), ("two", []):
        report = imported(*two, "--package", name, "--manifest", manifest)
        assert report["counts"]["imports"]["compared"] == 2  # type: ignore[index]
        assert [finding["name"] for finding in report["lost"]] == lost  # type: ignore[attr-defined]
        assert f"imports and commands were tried of {name}" in str(report["notes"])


def test_a_package_that_there_is_not_is_refused(two: Environments) -> None:
    with pytest.raises(UsageProblem, match="no package 'tow'"):
        compare(*two, packages=["tow"])


def test_what_did_not_change_can_be_left_out(two: Environments) -> None:
    found = compare(*two, checks=["imports"], changed_only=True)
    assert {f.name for f in found.removed} == {"one.part"}
    assert (
        found.counts["imports"].compared
        < compare(*two, checks=["imports"]).counts["imports"].compared
    )
    both = compare(*two, checks=["imports"], changed_only=True, packages=["two"])
    assert both.counts["imports"].compared == 0


def test_bytecode_and_metadata_alone_are_no_change(make_pair: MakePair) -> None:
    cached = {f"{SITE}/one/__pycache__/part.cpython-311.pyc": b"x"}
    before, after = make_pair({**TWO, **cached})
    remove(after, *cached)
    (after / SITE / "one-1.0.dist-info/RECORD").write_text("")
    found = compare(before, after, checks=["imports"], changed_only=True, packages=["one"])
    assert found.counts["imports"].compared == 0


def test_without_a_manifest_the_report_says_what_that_costs(two: Environments) -> None:
    (note,) = (n for n in compare(*two, checks=["links"]).notes if "manifest" in n)
    assert "counts as removed on purpose" in note
    assert "--manifest" in note


@pytest.mark.parametrize("manifest", [True, False], ids=["with a manifest", "nothing is gone"])
def test_else_it_says_nothing_of_that(two: Environments, tmp_path: Path, manifest: bool) -> None:
    path = tmp_path / "m.json"
    path.write_text('{"removed": []}')
    after = two[1] if manifest else tmp_path / "copy"
    if not manifest:
        shutil.copytree(two[0], after, symlinks=True)
    found = compare(two[0], after, checks=["links"], manifest=path if manifest else None)
    assert not [n for n in found.notes if "manifest" in n]
