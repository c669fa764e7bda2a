"""Reading manifests, and naming the rule behind a file that is gone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from condaprune.errors import SourceError
from condaprune.live.verify.removals import Ledger, Removals, read_manifest
from condaprune.live.verify.results import Culprit, Finding


def write(folder: Path, data: object) -> str:
    path = folder / "manifest.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return str(path)


def test_removed_rows_and_what_rules_announce(tmp_path: Path) -> None:
    manifest = {
        "schema": 99,
        "removed": [
            {"path": "lib/a", "rule": "r1", "bytes": 3, "kind": "file"},
            {"path": "lib/folder/", "rule": "r2", "kind": "folder"},
            {"path": "lib/caf\udce9", "rule": None},
            "lib/bare",
        ],
        "rules": [{"name": "r1", "breaks": ["`a` goes"]}, {"name": "r2", "files": 2}],
        "unknown": {},
    }
    ledger = read_manifest(write(tmp_path, manifest))
    assert ledger.rule_of("lib/a") == "r1"
    assert ledger.rule_of("lib/folder/deep/x") == "r2"
    assert ledger.rule_of("lib/caf\udce9") == ledger.rule_of("lib/bare") == ""
    assert ledger.rule_of("lib/b") is None
    assert ledger.breaks == {"r1": ("`a` goes",)}


def test_what_shipped_rules_announce_need_not_stand_in_the_manifest(tmp_path: Path) -> None:
    from condaprune.ruleset import load_builtin

    rule = load_builtin()[0]
    ledger = read_manifest(write(tmp_path, {"removed": [{"path": "x", "rule": rule.id}]}))
    assert ledger.breaks == {rule.id: rule.breaks}


@pytest.mark.parametrize(
    ("data", "what"),
    [
        pytest.param("{", "not valid JSON", id="half a file"),
        pytest.param([], "no list", id="a list"),
        pytest.param({"removed": 3}, "no list", id="removed is a number"),
    ],
)
def test_a_manifest_that_cannot_be_used(tmp_path: Path, data: object, what: str) -> None:
    path = write(tmp_path, data)
    with pytest.raises(SourceError, match=what) as caught:
        read_manifest(path)
    assert caught.value.where == path
    assert caught.value.remedy


def test_a_manifest_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        read_manifest(str(tmp_path / "none.json"))


@pytest.mark.parametrize(
    ("message", "paths"),
    [
        pytest.param("No such file: '/env/share/x.json'", ["share/x.json"], id="a path"),
        pytest.param(
            "libx.so.1: cannot open shared object file", ["lib/libx.so.1"], id="a library"
        ),
        pytest.param("cannot open /other/share/x.json", [], id="a path elsewhere"),
        pytest.param("something failed", [], id="no file named"),
    ],
)
def test_a_message_blames_the_files_that_are_gone(message: str, paths: list[str]) -> None:
    gone = {"share/x.json": "data", "lib/libx.so.1": "libs"}
    removals = Removals(gone, Ledger(gone))
    assert removals.blame(message, "/env") == tuple(Culprit(p, gone[p]) for p in paths)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        pytest.param("a.b", "lib/site/a/b.py", id="a module"),
        pytest.param("a.b", "lib/site/x/_vendor/a/b/__init__.py", id="a vendored package"),
        pytest.param("distutils.core", "lib/site/setuptools/_distutils/core.py", id="an alias"),
        pytest.param("a.c", "", id="another module"),
    ],
)
def test_gone_modules_are_found_by_name(name: str, path: str) -> None:
    gone = ("lib/site/a/b.py", "lib/x/b.py", "lib/site/setuptools/_distutils/core.py")
    if path.endswith("__init__.py"):
        gone = (path, "lib/site/c/__init__.py")
    found = Removals(gone).modules(name)
    assert [culprit.path for culprit in found] == ([path] if path else [])


@pytest.mark.parametrize(
    ("kind", "name", "sentence", "below", "told"),
    [
        pytest.param("command", "bin/idle3", "`idle3` goes", (), True, id="a command by its name"),
        pytest.param("module", "tk.ttk", "`import tk` fails", ("tk",), True, id="below a lost one"),
        pytest.param("module", "tk.ttk", "`import tk` fails", (), False, id="below a kept one"),
        pytest.param("module", "np.linalg", "`np.linalg.tests`", (), False, id="above the name"),
        pytest.param("module", "ttk", "tests of `ttk-extra`", (), False, id="another name"),
    ],
)
def test_announcements(
    kind: str, name: str, sentence: str, below: tuple[str, ...], told: bool
) -> None:
    removals = Removals((), Ledger({}, {"rule": ("nothing", sentence)}))
    found = removals.announced(Finding("c", kind, name, "", ""), frozenset(below))
    assert (found is not None) is told
    if found:
        assert (found.rule, found.announcement) == ("rule", sentence)
