"""The check `imports`: modules that could be imported before and cannot be after."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from condaprune.live.verify.proof import TIMEOUT, compare, compare_imports, sweep
from condaprune.live.verify.removals import Ledger
from condaprune.live.verify.results import Verification
from tests.live.verify.conftest import SITE, Environments, MakePair, remove, site

PACKAGE = {
    "pkg/__init__.py": "",
    "pkg/core.py": "from pkg import helper\n",
    "pkg/helper.py": "",
    "pkg/lazy.py": "def f():\n    import pkg.helper\n",
    "pkg/broken.py": "import does_not_exist\n",
    "pkg/tests/__init__.py": "",
    "pkg/tests/test_core.py": "import pkg.core\n",
    "pkg/sub/__init__.py": "",
    "pkg/sub/leaf.py": "",
    "pkg/data.py": "import os\nopen(os.path.dirname(__file__) + '/table.json').read()\n",
    "pkg/table.json": "{}",
    "single.py": "",
}


def imports(pair: Environments, timeout: float = TIMEOUT, **more: object) -> Verification:
    return compare(*pair, checks=["imports"], timeout=timeout, **more)  # type: ignore[arg-type]


def names(found: Verification) -> set[str]:
    return {finding.name for finding in found.lost}


@pytest.mark.parametrize(
    "gone",
    [
        pytest.param((), id="an exact copy loses nothing"),
        pytest.param(("pkg/tests",), id="a tests folder nobody imports may go"),
        pytest.param(("pkg/lazy.py", "single.py"), id="modules nobody imports may go"),
        pytest.param(("pkg/broken.py",), id="what could not be imported before may go"),
        pytest.param(("pkg/sub",), id="a whole subpackage nobody imports may go"),
    ],
)
def test_finds_no_loss(make_pair: MakePair, gone: tuple[str, ...]) -> None:
    before, after = make_pair(site(PACKAGE))
    remove(after, *(f"{SITE}/{path}" for path in gone))
    found = imports((before, after))
    assert found.ok
    assert found.lost == found.announced == ()
    assert found.counts["imports"].compared == 10


@pytest.mark.parametrize(
    ("gone", "lost", "evidence"),
    [
        pytest.param(
            "pkg/helper.py",
            {"pkg.core", "pkg.tests.test_core"},
            "cannot import name 'helper'",
            id="a module that others import",
        ),
        pytest.param(
            "pkg/table.json", {"pkg.data"}, "FileNotFoundError", id="a file read at import"
        ),
        pytest.param(
            "pkg/sub/__init__.py",
            {"pkg.sub"},
            "other files of the package stay",
            id="an __init__ that leaves a silent namespace package",
        ),
    ],
)
def test_finds_what_is_lost_and_the_file_behind_it(
    make_pair: MakePair, gone: str, lost: set[str], evidence: str
) -> None:
    before, after = make_pair(site(PACKAGE))
    remove(after, f"{SITE}/{gone}")
    found = imports((before, after))
    assert names(found) == lost
    for finding in found.lost:
        assert evidence in finding.evidence
        assert [culprit.path for culprit in finding.removed] == [f"{SITE}/{gone}"]


def test_modules_removed_on_purpose_are_counted_apart(make_pair: MakePair) -> None:
    before, after = make_pair(site(PACKAGE))
    remove(after, f"{SITE}/pkg/tests")
    found = imports((before, after), manifest=Ledger({f"{SITE}/pkg/tests": "python/tests"}))
    assert found.ok
    assert {(f.name, f.rule) for f in found.removed} == {
        ("pkg.tests", "python/tests"),
        ("pkg.tests.test_core", "python/tests"),
    }


def test_a_namespace_package_left_by_a_removed_tests_folder_is_no_loss(
    make_pair: MakePair,
) -> None:
    before, after = make_pair(site({**PACKAGE, "pkg/tests/data/x.txt": ""}))
    remove(after, f"{SITE}/pkg/tests/__init__.py", f"{SITE}/pkg/tests/test_core.py")
    found = imports((before, after))
    assert found.ok
    assert {f.name for f in found.removed} == {"pkg.tests", "pkg.tests.test_core"}


def test_a_module_that_no_rule_removed_is_lost_even_where_nobody_imports_it(
    make_pair: MakePair,
) -> None:
    before, after = make_pair(site(PACKAGE))
    remove(after, f"{SITE}/single.py")
    assert names(imports((before, after), manifest=Ledger({"other": "x"}))) == {"single"}


def test_the_rule_behind_a_loss_is_named(make_pair: MakePair) -> None:
    before, after = make_pair(site(PACKAGE))
    remove(after, f"{SITE}/pkg/helper.py")
    ledger = Ledger({f"{SITE}/pkg/helper.py": "python/helpers"})
    rules = {c.rule for f in imports((before, after), manifest=ledger).lost for c in f.removed}
    assert rules == {"python/helpers"}


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        pytest.param("`pkg.core` and `pkg.tests`", True, id="a quoted name announces the loss"),
        pytest.param("tests of `pkg`", False, id="a package that still works covers nothing"),
        pytest.param("pkg.core and pkg.tests", False, id="a name that is not quoted"),
    ],
)
def test_breaks_announce_losses(make_pair: MakePair, sentence: str, told: bool) -> None:
    before, after = make_pair(site(PACKAGE))
    remove(after, f"{SITE}/pkg/helper.py", f"{SITE}/pkg/tests/test_core.py")
    gone = {f"{SITE}/pkg/helper.py": "r", f"{SITE}/pkg/tests/test_core.py": "r"}
    found = imports((before, after), manifest=Ledger(gone, {"r": (sentence,)}))
    assert found.ok is told
    announced = {(f.name, f.announcement) for f in found.announced}
    assert announced == ({("pkg.core", sentence)} if told else set())


@pytest.mark.parametrize(
    ("code", "after"),
    [
        pytest.param("import os; os._exit(3)", "died", id="a module that ends its process"),
        pytest.param("import os; os.abort()", "died", id="a module that crashes"),
        pytest.param("import time; time.sleep(60)", "timed out", id="a module that hangs"),
        pytest.param("raise SystemExit(0)", "cannot be imported", id="a module that exits"),
    ],
)
def test_a_module_that_takes_its_process_down_is_lost_and_the_others_are_still_tried(
    make_pair: MakePair, code: str, after: str
) -> None:
    files = {"p/__init__.py": "", "p/a.py": "", "p/m.py": "", "p/z.py": "import p.gone\n"}
    before, changed = make_pair(site({**files, "p/gone.py": ""}))
    remove(changed, f"{SITE}/p/gone.py")
    (changed / SITE / "p/m.py").write_text(code)
    found = imports((before, changed), timeout=3.0)
    assert {f.name: f.after for f in found.lost} == {"p.m": after, "p.z": "cannot be imported"}


def test_noise_on_stdout_and_closed_files_do_not_disturb_the_report(make_pair: MakePair) -> None:
    noise = "import os\nprint('(1, 2)')\nos.write(1, b'\\xff\\n')\nos.close(1)\nos.close(2)\n"
    pair = make_pair(site({"p/__init__.py": noise, "p/a.py": "", "p/b.py": "print('x')\n"}))
    found = imports(pair)
    assert found.ok
    assert found.counts["imports"].compared == 3


def test_modules_with_side_effects_are_not_run(make_pair: MakePair) -> None:
    before, _ = make_pair(site({"p/__init__.py": "", "p/__main__.py": "1/0", "setup.py": "1/0"}))
    attempts = sweep(before).attempts
    states = {name: attempt.state for name, attempt in attempts.items()}
    assert states == {"p": "imported", "p.__main__": "excluded", "setup": "excluded"}
    assert attempts["p.__main__"].error


def test_imports_reach_no_network(make_pair: MakePair) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        before, _ = make_pair(
            site({"p.py": f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 2)\n"})
        )
        if _isolation(before) == "none":
            pytest.skip("this machine allows no network namespaces")
        attempt = sweep(before).attempts["p"]
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()
    assert attempt.state == "failed"


WRITER = (
    "import os\n"
    "try:\n    open(os.path.join(os.path.dirname(__file__), 'cache'), 'w').close()\n"
    "except OSError:\n    pass\n"
    "open(os.path.expanduser('~/x'), 'w').close()\n"
)


def test_imports_leave_no_trace_in_the_environment(make_pair: MakePair) -> None:
    before, after = make_pair(site({"p.py": WRITER}))
    if "read-only" not in _isolation(before):
        pytest.skip("this machine allows no mounts")
    found = imports((before, after))
    assert found.ok
    assert sorted(path.name for path in (before / SITE).iterdir()) == ["p.py"]
    assert not any("was changed" in note for note in found.notes)


def test_what_was_written_is_reported_where_nothing_can_be_isolated(
    make_pair: MakePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("condaprune.live.sandbox._wrappers", lambda *_: iter(()))
    before, after = make_pair(site({"p.py": WRITER}))
    found = imports((before, after))
    assert found.ok
    assert [n for n in found.notes if "was changed" in n and f"{SITE}/cache" in n]


def test_a_baseline_serves_after_pruning_in_place(make_pair: MakePair) -> None:
    before, _ = make_pair(site(PACKAGE))
    baseline = sweep(before, jobs=1)
    kept = compare_imports(baseline, before, removed=Ledger())
    assert kept.ok
    remove(before, f"{SITE}/pkg/helper.py", f"{SITE}/single.py")
    ledger = Ledger({f"{SITE}/pkg/helper.py": "h", f"{SITE}/single.py": "s"})
    found = compare_imports(baseline, before, removed=ledger)
    assert names(found) == {"pkg.core", "pkg.tests.test_core"}
    assert {(f.name, f.rule) for f in found.removed} == {("pkg.helper", "h"), ("single", "s")}


def test_a_python_that_no_longer_starts_is_one_loss(make_pair: MakePair) -> None:
    before, after = make_pair(site(PACKAGE))
    remove(after, "bin/python")
    found = imports((before, after))
    assert [(f.kind, f.name) for f in found.lost] == [("interpreter", "python")]


def test_a_module_that_works_thanks_to_a_broken_one_is_no_loss(make_pair: MakePair) -> None:
    files = {
        "p/__init__.py": "",
        "p/a.py": "import sys, types\nsys.modules['made_up'] = types.ModuleType('x')\n1/0\n",
        "p/b.py": "import made_up\n",
    }
    found = imports(make_pair(site(files)))
    assert found.ok
    assert found.counts["imports"].compared == 2


def _isolation(prefix: Path) -> str:
    from condaprune.live.sandbox import open_sandbox

    words = open_sandbox(str(prefix), str(prefix.parent)).isolation
    return words if words.startswith("no network") else "none"
