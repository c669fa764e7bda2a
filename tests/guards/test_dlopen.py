"""The dlopen guard: orphans stay unless a rule names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from condaprune.rule import Rule
from tests.guards.elves import make_elf
from tests.guards.helpers import guarded, make_rule, rescued

ELF = make_elf()


def test_an_orphan_stays(tmp_path: Path) -> None:
    report = guarded(tmp_path, {"{site}/v/libllvmlite.so": ELF}, ["*.so"])
    assert rescued(report)["v/libllvmlite.so"] == "dlopen"


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(make_rule(package=("llvmlite",)), id="its package"),
        pytest.param(make_rule(category="sanitizer"), id="its kind"),
        pytest.param(make_rule(remove=("**/libllvmlite*",)), id="its file name"),
    ],
)
def test_a_rule_that_names_the_orphan_knows_better(tmp_path: Path, rule: Rule) -> None:
    files = {"{site}/v/libllvmlite.so": ELF}
    assert rescued(guarded(tmp_path, files, ["*llvmlite.so"], rules={"test-rule": rule})) == {}


def test_the_user_who_drops_it_by_name_knows_better(tmp_path: Path) -> None:
    files = {"lib/libasan.so.8": ELF}
    assert rescued(guarded(tmp_path, files, ["lib/*asan*"], rule="--drop lib/libasan.so*")) == {}


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"bin/t": make_elf(("libx.so",)), "lib/libx.so": ELF}, id="it has users"),
        pytest.param({"{site}/libx.abi3.so": ELF}, id="it is an extension module"),
        pytest.param({"lib/libx.so": b"INPUT(-lx)"}, id="it is a linker script"),
        pytest.param({"lib/libx.a": b"!<arch>"}, id="it is a static library"),
    ],
)
def test_no_orphan(tmp_path: Path, files: dict[str, bytes]) -> None:
    report = guarded(tmp_path, files, ["*libx*", "bin/t"])
    assert "dlopen" not in rescued(report).values()


def test_a_family_stays_together(tmp_path: Path) -> None:
    files = {"lib/libmkl_core.so.2": ELF, "lib/libmkl_avx2.so.2": ELF}
    rules = {"test-rule": make_rule(remove=("lib/libmkl_avx2*",))}
    report = guarded(tmp_path, files, ["lib/libmkl_avx2*"], rules=rules)
    assert rescued(report) == {"lib/libmkl_avx2.so.2": "dlopen"}


@pytest.mark.parametrize("kept", [True, False], ids=["with its host", "without"])
def test_plugins_stay_with_their_host(tmp_path: Path, kept: bool) -> None:
    plugin = "plugins/platforms/libqxcb.so"
    files = {"lib/libQt5Core.so.5": ELF, plugin: ELF}
    rules = {"test-rule": make_rule(remove=("libqxcb*", "libQt*"))}
    doomed = [plugin] if kept else [plugin, "lib/libQt*"]
    assert (plugin in guarded(tmp_path, files, doomed, rules=rules).vetoes) is kept


def test_a_library_that_code_names_stays(tmp_path: Path) -> None:
    files = {"lib/libfoo.so.1": ELF, "{site}/a.py": b"CDLL(prefix + '/lib/libfoo.so.1')\n"}
    rules = {"test-rule": make_rule(package=("foo",))}
    report = guarded(tmp_path, files, ["lib/libfoo*"], rules=rules)
    assert rescued(report) == {"lib/libfoo.so.1": "dlopen"}


@pytest.mark.parametrize(
    ("doomed", "stays"),
    [
        pytest.param(["*/lg/*"], False, id="nothing of its package stays"),
        pytest.param(["*/lg/lib/*", "*/lg/basic.py"], True, id="some of its code stays"),
        pytest.param(["*/lg/lib/libx.so", "*/lg/*.py"], True, id="a library beside it stays"),
    ],
)
def test_an_untraced_orphan_goes_with_all_code_of_its_package(
    tmp_path: Path, doomed: list[str], stays: bool
) -> None:
    files = {
        "{site}/lg/__init__.py": b"from lg import basic\n",
        "{site}/lg/basic.py": b"import ctypes\n",
        "{site}/lg/lib/libx.so": ELF,
        "{site}/lg/lib/libother.so": ELF,
    }
    report = guarded(tmp_path, files, doomed, rule="--only-traced")
    assert ("lg/lib/libx.so" in rescued(report)) is stays
    by_rule = guarded(tmp_path / "rule", files, ["*/lg/*"])
    assert "lg/lib/libx.so" in rescued(by_rule)


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"lib/libx.so": ELF}, id="of the whole environment"),
        pytest.param({"{site}/libx.so": ELF, "{site}/a.py": b"a = 1\n"}, id="in no package"),
        pytest.param(
            {"{site}/nv/__init__.py": b"", "{site}/nv/lib/libx.so": ELF}, id="without code"
        ),
    ],
)
def test_an_untraced_orphan_that_other_packages_may_open_stays(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    report = guarded(tmp_path, files, ["*libx.so", "*.py"], rule="--only-traced")
    assert "dlopen" in rescued(report).values()
