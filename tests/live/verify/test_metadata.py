"""The check `metadata`: what importlib.metadata tells before and after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from condaprune.live.verify.proof import compare
from condaprune.live.verify.removals import Ledger
from condaprune.live.verify.results import Verification
from tests.live.verify.conftest import SITE, Environments, MakePair, distribution, remove
from tests.live.verify.elf import AARCH64, X86_64, make_elf

INFO = f"{SITE}/demo-1.0.dist-info"
DEMO = distribution(
    "demo",
    {"demo/__init__.py": "", "demo/plugin.py": "", "demo/tests/test_a.py": ""},
    **{
        "entry_points.txt": "[plugins]\nown = demo.plugin:run\n",
        "licenses/LICENSE": "MIT",
        "INSTALLER": "pip",
    },
)


def metadata(pair: Environments, ledger: Ledger | None = None) -> Verification:
    return compare(*pair, checks=["metadata"], manifest=ledger)


def rewrite(path: str, old: str, new: str) -> Callable[[Path], None]:
    def change(prefix: Path) -> None:
        text = (prefix / path).read_text()
        assert old in text
        (prefix / path).write_text(text.replace(old, new))

    return change


def removing(*paths: str) -> Callable[[Path], None]:
    return lambda prefix: remove(prefix, *paths)


def both(*changes: Callable[[Path], None]) -> Callable[[Path], None]:
    def change(prefix: Path) -> None:
        for each in changes:
            each(prefix)

    return change


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(removing(), id="an exact copy loses nothing"),
        pytest.param(
            both(
                removing(f"{INFO}/INSTALLER"),
                rewrite(f"{INFO}/RECORD", "demo-1.0.dist-info/INSTALLER,sha256=x,1\n", ""),
            ),
            id="INSTALLER may go from RECORD too",
        ),
        pytest.param(
            both(
                removing(f"{SITE}/demo/tests"),
                rewrite(f"{INFO}/RECORD", "demo/tests/test_a.py,sha256=x,1\n", ""),
            ),
            id="tests may go where RECORD is rewritten",
        ),
    ],
)
def test_finds_no_loss(make_pair: MakePair, change: Callable[[Path], None]) -> None:
    before, after = make_pair(DEMO)
    change(after)
    found = metadata((before, after))
    assert found.ok
    assert found.removed == found.unchecked == ()
    assert found.counts["metadata"].compared == 11


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        pytest.param(
            removing(INFO), {"distribution": "demo"}, id="the dist-info of a kept package"
        ),
        pytest.param(
            both(
                removing(f"{INFO}/entry_points.txt"),
                rewrite(f"{INFO}/RECORD", "demo-1.0.dist-info/entry_points.txt,sha256=x,1\n", ""),
            ),
            {"entry point": "plugins: own"},
            id="entry points",
        ),
        pytest.param(
            both(
                removing(f"{SITE}/demo/plugin.py"),
                rewrite(f"{INFO}/RECORD", "demo/plugin.py,sha256=x,1\n", ""),
            ),
            {"entry point": "plugins: own"},
            id="the module that an entry point names",
        ),
        pytest.param(
            rewrite(f"{INFO}/METADATA", "Version: 1.0", "Version: 9"),
            {"version": "demo"},
            id="version",
        ),
        pytest.param(
            rewrite(f"{INFO}/METADATA", "Requires-Dist: other>=2\n", ""),
            {"requirements": "demo"},
            id="requirements",
        ),
        pytest.param(
            rewrite(f"{INFO}/top_level.txt", "demo", ""), {"top level": "demo"}, id="top_level.txt"
        ),
        pytest.param(removing(f"{INFO}/RECORD"), {"file list": "demo"}, id="RECORD"),
        pytest.param(
            removing(f"{SITE}/demo/tests/test_a.py"),
            {"recorded files": "demo"},
            id="a file that RECORD still lists",
        ),
        pytest.param(
            both(
                removing(f"{INFO}/licenses"),
                rewrite(f"{INFO}/RECORD", "demo-1.0.dist-info/licenses/LICENSE,sha256=x,1\n", ""),
            ),
            {"licence": f"{INFO}/licenses/LICENSE"},
            id="a licence",
        ),
    ],
)
@pytest.mark.parametrize("foreign", [False, True], ids=["read by its Python", "read from files"])
def test_finds_what_is_lost(
    make_pair: MakePair, change: Callable[[Path], None], kinds: dict[str, str], foreign: bool
) -> None:
    before, after = make_pair({**DEMO, **(_foreign() if foreign else {})})
    change(after)
    found = metadata((before, after))
    assert {finding.kind: finding.name for finding in found.lost} == kinds


def _foreign() -> dict[str, bytes]:
    import platform

    machine = X86_64 if platform.machine() in ("aarch64", "arm64") else AARCH64
    return {"bin/python": make_elf(machine=machine), f"{SITE}/../os.py": b""}


def test_a_distribution_removed_whole_by_a_rule_is_no_loss(make_pair: MakePair) -> None:
    before, after = make_pair({**DEMO, **distribution("kept", {"kept.py": ""})})
    remove(after, INFO, f"{SITE}/demo")
    ledger = Ledger({INFO: "packages/demo", f"{SITE}/demo": "packages/demo"})
    found = metadata((before, after), ledger)
    assert found.ok
    assert [(f.kind, f.name, f.rule) for f in found.removed] == [
        ("distribution", "demo", "packages/demo")
    ]


def test_a_distribution_that_went_without_a_rule_is_lost(make_pair: MakePair) -> None:
    before, after = make_pair(DEMO)
    remove(after, INFO, f"{SITE}/demo")
    found = metadata((before, after), Ledger({"other": "x"}))
    assert [(f.kind, f.name) for f in found.lost] == [("distribution", "demo")]
